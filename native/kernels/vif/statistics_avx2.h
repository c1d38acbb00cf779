// From variances and covariances of many samples to VIF's sums, with 256-bit vectors.
#pragma once

#include <array>

#include "kernels/avx2.h"
#include "kernels/vif/constants.h"

namespace cinemill::vif::avx2 {

// Samples of a row that are taken together, so that what lies between the steps stays in the first-level cache.
inline constexpr int kSegment = 512;

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

// The integers 2^17 <= v < 2^31 as floats whose exponent and 15 highest mantissa bits are v's own: the bit below them
// is cleared, so that rounding cannot carry into them.
CINEMILL_AVX2 static inline __m256i float_bits(__m256i v) noexcept {
  return _mm256_castps_si256(_mm256_cvtepi32_ps(_mm256_andnot_si256(_mm256_srli_epi32(v, 16), v)));
}

CINEMILL_AVX2 static inline __m256i mantissa(__m256i bits) noexcept {
  return _mm256_and_si256(_mm256_srli_epi32(bits, 8), _mm256_set1_epi32(0x7fff));
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

inline std::int64_t corrected(const std::uint16_t* indices, int count) noexcept {
  const Corrections& table = corrections();
  std::int64_t sum = 0;
  for (int i = 0; i < count; ++i) sum += table[indices[i]];
  return sum;
}

// Two halves of 4 doubles.
struct Doubles {
  __m256d low;
  __m256d high;
};

CINEMILL_AVX2 static inline Doubles doubles(__m256i v) noexcept {
  return {_mm256_cvtepi32_pd(_mm256_castsi256_si128(v)), _mm256_cvtepi32_pd(_mm256_extracti128_si256(v, 1))};
}

// Towards 0; what does not fit is the smallest integer.
CINEMILL_AVX2 static inline __m256i truncated(__m256d low, __m256d high) noexcept {
  return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm256_cvttpd_epi32(low)), _mm256_cvttpd_epi32(high), 1);
}

// Sums over one segment.
class Statistics {
 public:
  CINEMILL_AVX2 explicit Statistics(const Gains& gains) noexcept : gains_(gains) {}

  // Adds `count` samples, rounded up to whole vectors; samples of zeros count as flat without energy.
  CINEMILL_AVX2 void add(const MomentRows& rows, int count, Sums& sums) noexcept {
    const __m256i zero = _mm256_setzero_si256();
    const __m256i noise = _mm256_set1_epi32(kNoise);
    __m256i energy = zero;  // 4 x 64 bits
    __m256i flat = zero;    // minus the number, per lane
    __m256i den = zero;     // exponents above 17: <= 14 each
    __m256i den_linear = zero;
    int den_count = 0;
    for (int x = 0; x < count; x += 8) {
      const __m256i ref = load(rows.ref + x);
      const __m256i dist = load(rows.dist + x);
      const __m256i both = load(rows.both + x);
      const __m256i textured = _mm256_cmpgt_epi32(ref, _mm256_set1_epi32(kNoise - 1));
      const __m256i plain = _mm256_andnot_si256(textured, dist);
      energy = _mm256_add_epi64(energy, widen_add_u32(plain));
      flat = _mm256_add_epi32(flat, _mm256_cmpeq_epi32(textured, zero));
      if (_mm256_testz_si256(textured, textured)) continue;
      const __m256i bits = float_bits(_mm256_add_epi32(ref, noise));
      const __m256i index = _mm256_and_si256(mantissa(bits), textured);
      const __m256i exponent = _mm256_sub_epi32(_mm256_srli_epi32(bits, 23), _mm256_set1_epi32(127 + 17));
      den = _mm256_add_epi32(den, _mm256_and_si256(exponent, textured));
      den_linear = _mm256_add_epi32(den_linear, _mm256_srli_epi32(index, 4));
      store_words(den_index_ + den_count, index);
      den_count += 8;
      const __m256i positive = _mm256_and_si256(_mm256_cmpgt_epi32(both, zero), _mm256_cmpgt_epi32(dist, zero));
      add_numerator(ref, dist, both, _mm256_and_si256(textured, positive), sums);
    }
    sums.flat_energy += static_cast<std::int64_t>(sum_u64(energy));
    sums.flat -= sum_i32(flat);
    sums.den_log += 2048 * sum_i32(den) + sum_i32(den_linear) + corrected(den_index_, den_count);
    finish_numerator(sums);
  }

 private:
  const Gains& gains_;
  __m256i num_ = _mm256_setzero_si256();         // differences of exponents
  __m256i num_linear_ = _mm256_setzero_si256();  // differences of mantissas / 16
  int num_count_ = 0;
  alignas(32) std::uint16_t den_index_[kSegment];
  alignas(32) std::uint16_t num_index_[kSegment];
  alignas(32) std::uint16_t residue_index_[kSegment];

  // Samples in `wanted`: without a limit of the gain first; limits add what they change.
  CINEMILL_AVX2 void add_numerator(__m256i ref, __m256i dist, __m256i both, __m256i wanted, Sums& sums) noexcept {
    if (_mm256_testz_si256(wanted, wanted)) return;
    const __m256d epsilon = _mm256_set1_pd(kEpsilon);
    const Doubles r = doubles(ref);
    const Doubles d = doubles(dist);
    const Doubles b = doubles(both);
    const Doubles gain = {_mm256_div_pd(b.low, _mm256_add_pd(r.low, epsilon)),
                          _mm256_div_pd(b.high, _mm256_add_pd(r.high, epsilon))};
    const __m256i left = truncated(_mm256_sub_pd(d.low, _mm256_mul_pd(gain.low, b.low)),
                                   _mm256_sub_pd(d.high, _mm256_mul_pd(gain.high, b.high)));
    const __m256i residue = _mm256_add_epi32(_mm256_max_epi32(left, _mm256_setzero_si256()), _mm256_set1_epi32(kNoise));
    const __m256i total = float_bits(_mm256_add_epi32(explained(gain, r), residue));
    const __m256i rest = float_bits(residue);
    const __m256i total_index = _mm256_and_si256(mantissa(total), wanted);
    const __m256i rest_index = _mm256_and_si256(mantissa(rest), wanted);
    num_ = _mm256_add_epi32(
        num_, _mm256_and_si256(_mm256_sub_epi32(_mm256_srli_epi32(total, 23), _mm256_srli_epi32(rest, 23)), wanted));
    num_linear_ = _mm256_add_epi32(
        num_linear_, _mm256_sub_epi32(_mm256_srli_epi32(total_index, 4), _mm256_srli_epi32(rest_index, 4)));
    store_words(num_index_ + num_count_, total_index);
    store_words(residue_index_ + num_count_, rest_index);
    num_count_ += 8;
    for (int i = 0; i < gains_.count; ++i) {
      const __m256d limit = _mm256_set1_pd(gains_.limit[i]);
      const __m256d above =
          _mm256_or_pd(_mm256_cmp_pd(gain.low, limit, _CMP_GT_OQ), _mm256_cmp_pd(gain.high, limit, _CMP_GT_OQ));
      if (_mm256_movemask_pd(above) == 0) continue;
      const Doubles limited = {_mm256_min_pd(gain.low, limit), _mm256_min_pd(gain.high, limit)};
      const __m256i less = float_bits(_mm256_add_epi32(explained(limited, r), residue));
      sums.num_log[i] += difference(less, total, wanted);
    }
  }

  // gain^2 * variance, at most the distorted variance and what rounding adds, or what the limit leaves: < 2^31.
  CINEMILL_AVX2 static __m256i explained(const Doubles& gain, const Doubles& ref) noexcept {
    return truncated(_mm256_mul_pd(_mm256_mul_pd(gain.low, gain.low), ref.low),
                     _mm256_mul_pd(_mm256_mul_pd(gain.high, gain.high), ref.high));
  }

  // Sum over the wanted lanes of log(a) - log(b).
  CINEMILL_AVX2 static std::int64_t difference(__m256i a, __m256i b, __m256i wanted) noexcept {
    alignas(32) std::uint16_t index[16];
    const __m256i ma = _mm256_and_si256(mantissa(a), wanted);
    const __m256i mb = _mm256_and_si256(mantissa(b), wanted);
    store_words(index, ma);
    store_words(index + 8, mb);
    const __m256i exponents =
        _mm256_and_si256(_mm256_sub_epi32(_mm256_srli_epi32(a, 23), _mm256_srli_epi32(b, 23)), wanted);
    const __m256i linear = _mm256_sub_epi32(_mm256_srli_epi32(ma, 4), _mm256_srli_epi32(mb, 4));
    const __m256i both = _mm256_add_epi32(_mm256_slli_epi32(exponents, 11), linear);
    return sum_i32(both) + corrected(index, 8) - corrected(index + 8, 8);
  }

  CINEMILL_AVX2 void finish_numerator(Sums& sums) noexcept {
    const std::int64_t unlimited = 2048 * sum_i32(num_) + sum_i32(num_linear_) + corrected(num_index_, num_count_) -
                                   corrected(residue_index_, num_count_);
    for (int i = 0; i < gains_.count; ++i) sums.num_log[i] += unlimited;
    num_ = num_linear_ = _mm256_setzero_si256();
    num_count_ = 0;
  }
};

}  // namespace cinemill::vif::avx2
