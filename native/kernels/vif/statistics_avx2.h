// From variances and covariances of many samples to VIF's sums, with 256-bit vectors.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>

#include "kernels/avx2.h"
#include "kernels/vif/constants.h"

namespace cinemill::vif::avx2 {

// Samples of a row that are taken together, so that what lies between the steps stays in the first-level cache.
inline constexpr int kSegment = 256;

// Moments of a segment in any order, as long as it is the same in all; whole vectors.
struct MomentRows {
  alignas(32) std::int32_t ref[kSegment];   // variance, as in scalar.cpp
  alignas(32) std::int32_t dist[kSegment];  // >= 0
  alignas(32) std::int32_t both[kSegment];
};

// A logarithm is m / 16 + correction(m) for the 15 bits m behind the highest one: 32 KiB of table instead of 64.
using Corrections = std::array<std::uint8_t, 32768>;

inline const Corrections& corrections() noexcept {
  static const Corrections table = [] {
    Corrections made{};
    for (std::size_t m = 0; m < made.size(); ++m) {
      made[m] = static_cast<std::uint8_t>(log_table()[m] - 30720U - m / 16);  // 0 to 177: log2(1 + t) - t <= 0.0861
    }
    return made;
  }();
  return table;
}

// The exponent of the integers 2^17 <= v < 2^31, plus 127, and the 15 bits behind the highest one: those of a float.
// The bit below them is cleared, so that rounding cannot carry into them.
CINEMILL_AVX2 static inline __m256i parts(__m256i v) noexcept {
  const __m256 exact = _mm256_cvtepi32_ps(_mm256_andnot_si256(_mm256_srli_epi32(v, 16), v));
  return _mm256_srli_epi32(_mm256_castps_si256(exact), 8);
}

CINEMILL_AVX2 static inline __m256i mantissa(__m256i parts) noexcept {
  return _mm256_and_si256(parts, _mm256_set1_epi32(0x7fff));
}

// The logarithm without correction, in units of 1/32768 and 127 * 32768 too large: a multiple of 16.
CINEMILL_AVX2 static inline __m256i linear(__m256i parts) noexcept {
  return _mm256_and_si256(parts, _mm256_set1_epi32(~15));
}

// 8 numbers below 2^15 as 16 bits, in order.
CINEMILL_AVX2 static inline void store_words(std::uint16_t* out, __m256i v) noexcept {
  const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(v, v), 0x08);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm256_castsi256_si128(packed));
}

// Sum of 8 signed integers.
CINEMILL_AVX2 static inline std::int64_t sum_i32(__m256i v) noexcept {
  alignas(32) std::int32_t lane[8];
  _mm256_store_si256(reinterpret_cast<__m256i*>(lane), v);
  std::int64_t sum = 0;
  for (const std::int32_t value : lane) sum += value;
  return sum;
}

// The sum of the corrections of four mantissas, which come with one load.
inline std::int64_t corrected4(const Corrections& table, const std::uint16_t* indices) noexcept {
  std::uint64_t four;
  std::memcpy(&four, indices, sizeof four);
  return (table[four & 0xffff] + table[four >> 16 & 0xffff]) + (table[four >> 32 & 0xffff] + table[four >> 48]);
}

// Of `count` mantissas, a multiple of 4.
inline std::int64_t corrected(const std::uint16_t* indices, int count) noexcept {
  std::int64_t sum = 0;
  for (int i = 0; i < count; i += 4) sum += corrected4(corrections(), indices + i);
  return sum;
}

// Mantissas of a segment's logarithms whose corrections are not added yet.
struct Pending {
  int count = 0;
  alignas(32) std::uint16_t den[kSegment];
  alignas(32) std::uint16_t total[kSegment];
  alignas(32) std::uint16_t residue[kSegment];
};

// What they add to the sums of logarithms.
struct Added {
  std::int64_t den = 0;
  std::int64_t num = 0;
};

inline void add8(const Pending& pending, int at, const Corrections& table, Added& added) noexcept {
  for (int i = at; i < at + 8; i += 4) {
    added.den += corrected4(table, pending.den + i);
    added.num += corrected4(table, pending.total + i) - corrected4(table, pending.residue + i);
  }
}

// Sums over one segment, in three passes: which samples count, what they hold, its logarithms. One pass would be a
// chain of conversions and divisions longer than what a processor looks ahead. Corrections of logarithms are looked up
// one segment later, beside divisions, which keep other pipes waiting: `finish` adds the last ones.
class Statistics {
 public:
  CINEMILL_AVX2 explicit Statistics(const Gains& gains) noexcept : gains_(gains) {}

  // Adds `count` samples, rounded up to whole vectors; samples of zeros count as flat without energy.
  CINEMILL_AVX2 void add(const MomentRows& rows, int count, Sums& sums) noexcept {
    choose(rows, count, sums);
    if (chosen_ == 0) return;
    const double greatest = explain(sums);
    add_logarithms(sums);
    for (int i = 0; i < gains_.count; ++i) {
      if (greatest > gains_.limit[i]) sums.num_log[i] += limited(gains_.limit[i]);
    }
  }

  // Adds what is left.
  void finish(Sums& sums) noexcept {
    add_pending(0, {}, sums);
    pending_.count = 0;
  }

 private:
  const Gains& gains_;
  int chosen_ = 0;
  Pending pending_;
  // The vectors of a segment with a textured sample, and what is found of them. Other samples in them are made such
  // that their logarithms are 0: a variance of 0, a covariance of 0.
  alignas(32) std::int32_t ref_[kSegment];
  alignas(32) std::int32_t dist_[kSegment];
  alignas(32) std::int32_t both_[kSegment];
  alignas(32) std::int32_t residue_[kSegment];
  alignas(32) std::int32_t total_[kSegment];
  alignas(32) double gain_[kSegment];
  alignas(32) std::uint16_t less_index_[kSegment];
  alignas(32) std::uint16_t more_index_[kSegment];

  CINEMILL_AVX2 void keep(__m256i ref, __m256i dist, __m256i both) noexcept {
    store(ref_ + chosen_, ref);
    store(dist_ + chosen_, dist);
    store(both_ + chosen_, both);
    chosen_ += 8;
  }

  // Flat samples are done here; the others are kept, and filled up to two vectors.
  CINEMILL_AVX2 void choose(const MomentRows& rows, int count, Sums& sums) noexcept {
    const __m256i zero = _mm256_setzero_si256();
    const __m256i below = _mm256_set1_epi32(kNoise - 1);
    __m256i energy = zero;    // 4 x 64 bits
    __m256i textures = zero;  // minus the number, per lane
    chosen_ = 0;
    for (int x = 0; x < count; x += 8) {
      const __m256i ref = load(rows.ref + x);
      const __m256i dist = load(rows.dist + x);
      const __m256i both = load(rows.both + x);
      const __m256i textured = _mm256_cmpgt_epi32(ref, below);
      energy = _mm256_add_epi64(energy, widen_add_u32(_mm256_andnot_si256(textured, dist)));
      textures = _mm256_add_epi32(textures, textured);
      if (_mm256_testz_si256(textured, textured)) continue;
      const __m256i positive = _mm256_and_si256(_mm256_cmpgt_epi32(dist, zero), textured);
      keep(_mm256_and_si256(ref, textured), dist, _mm256_and_si256(_mm256_max_epi32(both, zero), positive));
    }
    sums.flat_energy += static_cast<std::int64_t>(sum_u64(energy));
    sums.flat += count + sum_i32(textures);
    if (chosen_ % 16) keep(zero, zero, zero);
  }

  // Looks up from `at` on, and adds that and what was added before.
  void add_pending(int at, Added added, Sums& sums) noexcept {
    for (; at < pending_.count; at += 8) add8(pending_, at, corrections(), added);
    sums.den_log += added.den;
    for (int i = 0; i < gains_.count; ++i) sums.num_log[i] += added.num;
  }

  // Gains, and the distorted variance in two parts: explained by the reference, and the rest. Returns the largest gain.
  // Corrections of the segment before are looked up meanwhile.
  CINEMILL_AVX2 double explain(Sums& sums) noexcept {
    const Corrections& table = corrections();
    const int waiting = pending_.count;
    Added added;
    const __m256d epsilon = _mm256_set1_pd(kEpsilon);
    const __m128i noise = _mm_set1_epi32(kNoise);
    __m256d greatest = _mm256_setzero_pd();
    for (int x = 0; x < chosen_; x += 8) {
      if (x < waiting) add8(pending_, x, table, added);
      const __m256i r8 = load(ref_ + x);
      const __m256i d8 = load(dist_ + x);
      const __m256i b8 = load(both_ + x);
      for (int half = 0; half < 2; ++half) {
        const int at = x + 4 * half;
        const __m256d r = doubles(r8, half);
        const __m256d d = doubles(d8, half);
        const __m256d b = doubles(b8, half);
        const __m256d gain = _mm256_div_pd(b, _mm256_add_pd(r, epsilon));
        const __m128i left = _mm256_cvttpd_epi32(_mm256_sub_pd(d, _mm256_mul_pd(gain, b)));
        const __m128i residue = _mm_add_epi32(_mm_max_epi32(left, _mm_setzero_si128()), noise);
        store4(residue_ + at, residue);
        store4(total_ + at, _mm_add_epi32(explained(gain, r), residue));
        _mm256_store_pd(gain_ + at, gain);
        greatest = _mm256_max_pd(greatest, gain);
      }
    }
    add_pending(chosen_, added, sums);
    alignas(32) double lane[4];
    _mm256_store_pd(lane, greatest);
    return std::max(std::max(lane[0], lane[1]), std::max(lane[2], lane[3]));
  }

  // gain^2 * variance, at most the distorted variance and what rounding adds, or what the limit leaves: < 2^31.
  CINEMILL_AVX2 static __m128i explained(__m256d gain, __m256d ref) noexcept {
    return _mm256_cvttpd_epi32(_mm256_mul_pd(_mm256_mul_pd(gain, gain), ref));
  }

  // Numbers 0, 1, 4, 5 (half 0) or 2, 3, 6, 7 of 8 that are not negative, below the exponent of 2^52. Conversions would
  // wait for the pipe that divides.
  CINEMILL_AVX2 static __m256d doubles(__m256i v, int half) noexcept {
    const __m256i exponent = _mm256_set1_epi32(0x43300000);
    const __m256i raised = half ? _mm256_unpackhi_epi32(v, exponent) : _mm256_unpacklo_epi32(v, exponent);
    return _mm256_sub_pd(_mm256_castsi256_pd(raised), _mm256_set1_pd(0x1p52));
  }

  CINEMILL_AVX2 static void store4(std::int32_t* to, __m128i v) noexcept {
    _mm_store_si128(reinterpret_cast<__m128i*>(to), v);
  }

  // The indices of 16 corrections, in any order.
  CINEMILL_AVX2 static void store_indices(std::uint16_t* to, __m256i a, __m256i b) noexcept {
    store(to, _mm256_packus_epi32(mantissa(a), mantissa(b)));
  }

  // Without a limit of the gain and without corrections. Each logarithm is below 158 * 32768: 64 of them fit 32 bits.
  CINEMILL_AVX2 void add_logarithms(Sums& sums) noexcept {
    const __m256i noise = _mm256_set1_epi32(kNoise);
    __m256i den = _mm256_setzero_si256();
    __m256i num = den;
    for (int x = 0; x < chosen_; x += 16) {
      const __m256i ref0 = parts(_mm256_add_epi32(load(ref_ + x), noise));
      const __m256i ref1 = parts(_mm256_add_epi32(load(ref_ + x + 8), noise));
      const __m256i total0 = parts(load(total_ + x));
      const __m256i total1 = parts(load(total_ + x + 8));
      const __m256i rest0 = parts(load(residue_ + x));
      const __m256i rest1 = parts(load(residue_ + x + 8));
      store_indices(pending_.den + x, ref0, ref1);
      store_indices(pending_.total + x, total0, total1);
      store_indices(pending_.residue + x, rest0, rest1);
      den = _mm256_add_epi32(den, _mm256_add_epi32(linear(ref0), linear(ref1)));
      num = _mm256_add_epi32(num, _mm256_sub_epi32(linear(total0), linear(rest0)));
      num = _mm256_add_epi32(num, _mm256_sub_epi32(linear(total1), linear(rest1)));
    }
    pending_.count = chosen_;
    sums.den_log += sum_i32(den) / 16 - std::int64_t{2048} * (127 + 17) * chosen_;
    for (int i = 0; i < gains_.count; ++i) sums.num_log[i] += sum_i32(num) / 16;
  }

  // What a limit of the gain changes in the sum of logarithms.
  CINEMILL_AVX2 std::int64_t limited(double limit) noexcept {
    const __m256d most = _mm256_set1_pd(limit);
    __m256i change = _mm256_setzero_si256();
    int count = 0;
    for (int x = 0; x < chosen_; x += 8) {
      const __m256d low = _mm256_load_pd(gain_ + x);
      const __m256d high = _mm256_load_pd(gain_ + x + 4);
      const __m256d above = _mm256_or_pd(_mm256_cmp_pd(low, most, _CMP_GT_OQ), _mm256_cmp_pd(high, most, _CMP_GT_OQ));
      if (_mm256_movemask_pd(above) == 0) continue;
      const __m256i ref = load(ref_ + x);
      const __m256i part = _mm256_set_m128i(explained(_mm256_min_pd(high, most), doubles(ref, 1)),
                                            explained(_mm256_min_pd(low, most), doubles(ref, 0)));
      const __m256i less = parts(_mm256_add_epi32(part, load(residue_ + x)));
      const __m256i total = parts(load(total_ + x));
      store_words(less_index_ + count, mantissa(less));
      store_words(more_index_ + count, mantissa(total));
      change = _mm256_add_epi32(change, _mm256_sub_epi32(linear(less), linear(total)));
      count += 8;
    }
    return sum_i32(change) / 16 + corrected(less_index_, count) - corrected(more_index_, count);
  }
};

}  // namespace cinemill::vif::avx2
