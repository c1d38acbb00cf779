// Scale 0 of 8 bits: columns, then rows, up to the moments of a row.
//
// Multiplications are what binds, so that samples with the same tap are added before they are multiplied, which takes
// one bit of room. Products have it once they are centred: with x in [0, 255],
//   x^2 = p + 255 x - 16256 with p = (x - 128)(x - 127) in [0, 16256], and 8128 less is within +-8128;
//   r d = q + 128 (r + d) - 16384 with q = (r - 128)(d - 128) in [-16256, 16384], and 64 less is within +-16320.
// Sums of x over columns are 256 times the rounded mean, and a rest that goes with the sums of products; the means are
// given back after the rows, where their sums are known as well. Sums of the squares of one row so have 30 bits signed
// and go into two halves of 15; those of r d have 31 bits and go into a high half with room and a low one without.
#pragma once

#include "kernels/mirror.h"
#include "kernels/vif/rows_avx2.h"
#include "kernels/vif/statistics_avx2.h"

namespace cinemill::vif::avx2 {

// --- columns ---------------------------------------------------------------------------------------------------------

inline constexpr int kBatch = 12;  // rows of output that share a strip
inline constexpr int kStrip = 64;  // columns: what a batch needs of them fits the first-level cache
inline constexpr int kSpan = kBatch + kMaxTaps - 1;
inline constexpr int kSquareOffset = 8128;
inline constexpr int kProductOffset = 64;

// Samples of a strip and their products, of 16 bits.
struct Strip {
  alignas(64) std::int16_t ref[kSpan][kStrip];  // 0 to 255
  alignas(64) std::int16_t dist[kSpan][kStrip];
  alignas(64) std::int16_t rr[kSpan][kStrip];  // p - 8128
  alignas(64) std::int16_t dd[kSpan][kStrip];
  alignas(64) std::int16_t rd[kSpan][kStrip];  // q - 64
};

CINEMILL_AVX2 static inline __m256i widened(const std::uint8_t* from) noexcept {
  return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
}

// 16 columns of one row, to place `at` of row `to`.
CINEMILL_AVX2 static inline void prepare16(const std::uint8_t* ref, const std::uint8_t* dist, int to, int at,
                                           Strip& strip) noexcept {
  const __m256i r = widened(ref);
  const __m256i d = widened(dist);
  const __m256i middle = _mm256_set1_epi16(128);
  const __m256i below = _mm256_set1_epi16(127);
  const __m256i offset = _mm256_set1_epi16(kSquareOffset);
  const __m256i cr = _mm256_sub_epi16(r, middle);
  const __m256i cd = _mm256_sub_epi16(d, middle);
  store(strip.ref[to] + at, r);
  store(strip.dist[to] + at, d);
  store(strip.rr[to] + at, _mm256_sub_epi16(_mm256_mullo_epi16(cr, _mm256_sub_epi16(r, below)), offset));
  store(strip.dd[to] + at, _mm256_sub_epi16(_mm256_mullo_epi16(cd, _mm256_sub_epi16(d, below)), offset));
  store(strip.rd[to] + at, _mm256_sub_epi16(_mm256_mullo_epi16(cr, cd), _mm256_set1_epi16(kProductOffset)));
}

// Sums of 16 columns in two halves, in the order that unpacking gives: 0-3, 8-11 and 4-7, 12-15.
struct Halves {
  __m256i low;
  __m256i high;
};

CINEMILL_AVX2 static inline __m256i folded(const std::int16_t (*rows)[kStrip], int k, int at) noexcept {
  return _mm256_add_epi16(load(rows[k] + at), load(rows[kMaxTaps - 1 - k] + at));
}

// 17 rows times the filter; |sum| <= 2^15 * 36660 < 2^31.
CINEMILL_AVX2 static inline Halves filtered17(const std::int16_t (*rows)[kStrip], int at) noexcept {
  constexpr const std::uint16_t* kTap = kFilters[0].tap;
  const __m256i zero = _mm256_setzero_si256();
  const __m256i middle = load(rows[kMaxTaps / 2] + at);
  const __m256i last = _mm256_set1_epi32(kTap[8]);
  Halves sum = {_mm256_madd_epi16(_mm256_unpacklo_epi16(middle, zero), last),
                _mm256_madd_epi16(_mm256_unpackhi_epi16(middle, zero), last)};
#pragma GCC unroll 4
  for (int k = 0; k < 8; k += 2) {
    const __m256i a = folded(rows, k, at);
    const __m256i b = folded(rows, k + 1, at);
    const __m256i taps = _mm256_set1_epi32(two(kTap[k], kTap[k + 1]));
    sum.low = fma16(sum.low, _mm256_unpacklo_epi16(a, b), taps);
    sum.high = fma16(sum.high, _mm256_unpackhi_epi16(a, b), taps);
    in_registers(sum.low, sum.high);
  }
  return sum;
}

// The rounded means of 16 columns, flipped; what rounding adds or takes goes to `rest`, plus 128: 0 to 255.
CINEMILL_AVX2 static inline Halves store_means(std::uint16_t* out, Halves sums) noexcept {
  const __m256i half = _mm256_set1_epi32(128);
  const __m256i mask = _mm256_set1_epi32(255);
  const Halves raised = {_mm256_add_epi32(sums.low, half), _mm256_add_epi32(sums.high, half)};
  store(out, flip16(_mm256_packus_epi32(_mm256_srli_epi32(raised.low, 8), _mm256_srli_epi32(raised.high, 8))));
  return {_mm256_and_si256(raised.low, mask), _mm256_and_si256(raised.high, mask)};
}

// Sums of squares and 255 times the rest, in halves of 15 bits: |sum| <= 8128 * 65536 + 65025, so that the high half is
// within +-16258; the low one is made signed.
CINEMILL_AVX2 static inline void store_squares(std::uint16_t* high, std::uint16_t* low, Halves sums,
                                               Halves rest) noexcept {
  const __m256i mask = _mm256_set1_epi32(0x7fff);
  const __m256i a = _mm256_add_epi32(sums.low, _mm256_sub_epi32(_mm256_slli_epi32(rest.low, 8), rest.low));
  const __m256i b = _mm256_add_epi32(sums.high, _mm256_sub_epi32(_mm256_slli_epi32(rest.high, 8), rest.high));
  const __m256i packed = _mm256_packus_epi32(_mm256_and_si256(a, mask), _mm256_and_si256(b, mask));
  store(low, _mm256_sub_epi16(packed, _mm256_set1_epi16(1 << 14)));
  store(high, _mm256_packs_epi32(_mm256_srai_epi32(a, 15), _mm256_srai_epi32(b, 15)));
}

// Sums of ref * dist and 128 times both rests, in halves of 16 bits: the high one is within +-16320, the low one
// flipped.
CINEMILL_AVX2 static inline void store_products(std::uint16_t* high, std::uint16_t* low, Halves sums, Halves r,
                                                Halves d) noexcept {
  const __m256i mask = _mm256_set1_epi32(0xffff);
  const __m256i a = _mm256_add_epi32(sums.low, _mm256_slli_epi32(_mm256_add_epi32(r.low, d.low), 7));
  const __m256i b = _mm256_add_epi32(sums.high, _mm256_slli_epi32(_mm256_add_epi32(r.high, d.high), 7));
  store(low, flip16(_mm256_packus_epi32(_mm256_and_si256(a, mask), _mm256_and_si256(b, mask))));
  store(high, _mm256_packs_epi32(_mm256_srai_epi32(a, 16), _mm256_srai_epi32(b, 16)));
}

// 16 columns of output row `j` of a batch.
CINEMILL_AVX2 static inline void columns16(const Strip& strip, int j, int at, int x, const Row& out) noexcept {
  const Halves r = store_means(out.mean[0] + x, filtered17(strip.ref + j, at));
  const Halves d = store_means(out.mean[1] + x, filtered17(strip.dist + j, at));
  store_squares(out.high[0] + x, out.low[0] + x, filtered17(strip.rr + j, at), r);
  store_squares(out.high[1] + x, out.low[1] + x, filtered17(strip.dd + j, at), d);
  store_products(out.high[2] + x, out.low[2] + x, filtered17(strip.rd + j, at), r, d);
}

// All columns of `count` rows from y on. Planes end with their last sample: the last 16 columns overlap those before.
CINEMILL_AVX2 inline void batch(PlaneView<std::uint8_t> ref, PlaneView<std::uint8_t> dist, Size size, int y, int count,
                                const Row* out) noexcept {
  Strip strip;
  for (int begin = 0; begin < size.width; begin += kStrip) {
    const int columns = std::min(kStrip, size.width - begin);
    for (int t = 0; t < count + kMaxTaps - 1; ++t) {
      const int row = mirror(y - kMaxTaps / 2 + t, size.height);
      for (int at = 0; at < columns; at += 16) {
        const int x = std::min(begin + at, size.width - 16);
        prepare16(ref.row(row) + x, dist.row(row) + x, t, at, strip);
      }
    }
    for (int j = 0; j < count; ++j) {
      for (int at = 0; at < columns; at += 16) {
        columns16(strip, j, at, std::min(begin + at, size.width - 16), out[j]);
      }
    }
  }
}

// --- rows ------------------------------------------------------------------------------------------------------------

// Filtered samples of a segment; of each 16 first those at even places, then those at odd ones.
using FilteredRow = std::int32_t[kSegment];

// Neighbours change places.
CINEMILL_AVX2 static inline __m256i swapped(__m256i v) noexcept {
  constexpr std::int64_t kLow = 0x0504070601000302;
  constexpr std::int64_t kHigh = 0x0d0c0f0e09080b0a;
  return _mm256_shuffle_epi8(v, _mm256_setr_epi64x(kLow, kHigh, kLow, kHigh));
}

// One row of samples within +-2^14. With the pairs before a place swapped, they lie as the pairs behind it do, and both
// are added before they are multiplied. Tap 8, the middle one, is halved where its sample is added to itself.
CINEMILL_AVX2 __attribute__((noinline)) inline void filter_folded(const std::uint16_t* from, int count,
                                                                  std::int32_t* to) noexcept {
  constexpr const std::uint16_t* kTap = kFilters[0].tap;
  constexpr std::int32_t kEven[5] = {two(kTap[8], 0), two(kTap[9], kTap[10]), two(kTap[11], kTap[12]),
                                     two(kTap[13], kTap[14]), two(kTap[15], kTap[16])};
  constexpr std::int32_t kOdd[5] = {two(kTap[8] / 2, kTap[9]), two(kTap[10], kTap[11]), two(kTap[12], kTap[13]),
                                    two(kTap[14], kTap[15]), two(kTap[16], 0)};
  for (int x = 0; x < count; x += 16) {
    const __m256i middle = load(from + x);
    __m256i e = _mm256_madd_epi16(middle, _mm256_set1_epi32(kEven[0]));
    __m256i o = _mm256_setzero_si256();
    __m256i before = swapped(middle);
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k) {
      __m256i behind = load(from + x + 2 * k + 1);
      in_registers(behind);
      o = fma16(o, _mm256_add_epi16(behind, before), _mm256_set1_epi32(kOdd[k]));
      before = swapped(load(from + x - 2 * k - 2));
      e = fma16(e, _mm256_add_epi16(behind, before), _mm256_set1_epi32(kEven[k + 1]));
    }
    o = fma16(o, _mm256_add_epi16(load(from + x + 9), before), _mm256_set1_epi32(kOdd[4]));
    store(to + x, e);
    store(to + x + 8, o);
  }
}

// Three rows of samples of 16 bits.
CINEMILL_AVX2 __attribute__((noinline)) inline void filter_wide(const std::uint16_t* const* from, int count,
                                                                FilteredRow* to) noexcept {
  const Pairs& pairs = kPairs[0];
  for (int x = 0; x < count; x += 16) {
    const __m256i zero = _mm256_setzero_si256();
    __m256i e0 = zero, e1 = zero, e2 = zero, o0 = zero, o1 = zero, o2 = zero;
#pragma GCC unroll 9
    for (int k = 0; k < kMaxPairs; ++k) {
      const __m256i even = _mm256_set1_epi32(pairs.pair[k].even);
      const __m256i odd = _mm256_set1_epi32(pairs.pair[k].odd);
      const std::ptrdiff_t at = std::ptrdiff_t{x} + pairs.pair[k].at;
      const __m256i v0 = load(from[0] + at);
      const __m256i v1 = load(from[1] + at);
      const __m256i v2 = load(from[2] + at);
      e0 = fma16(e0, v0, even);
      e1 = fma16(e1, v1, even);
      e2 = fma16(e2, v2, even);
      o0 = fma16(o0, v0, odd);
      o1 = fma16(o1, v1, odd);
      o2 = fma16(o2, v2, odd);
      in_registers(e0, e1, e2, o0, o1, o2);
    }
    store(to[0] + x, e0);
    store(to[1] + x, e1);
    store(to[2] + x, e2);
    store(to[0] + x + 8, o0);
    store(to[1] + x + 8, o1);
    store(to[2] + x + 8, o2);
  }
}

// A segment of all sums over a row.
struct Segment {
  alignas(32) FilteredRow wide[3];  // means of ref and dist, low halves of ref * dist: all less 2^31
  alignas(32) FilteredRow high[3];
  alignas(32) FilteredRow low[2];
};

// (sum of squares + 2^15) >> 16, for the sum s = 2^15 high + low + 2^30 + 65280 m - (8128 * 65536 + 255 * 128) * 2^16
// with m the sum of means. What is below 2^16 is high + g over 2, for which g takes m less 2^31 - 2^23: high is at most
// 16258 * 65536, g about 2^24.
CINEMILL_AVX2 static inline __m256i square(__m256i mean, __m256i high, __m256i low) noexcept {
  constexpr std::int32_t kRest = -kSquareOffset * 65536 - 255 * 128 + (1 << 14) + (1 << 15) - (1 << 23);
  const __m256i centred = _mm256_add_epi32(mean, _mm256_set1_epi32(1 << 23));
  const __m256i part = _mm256_srai_epi32(_mm256_add_epi32(low, _mm256_set1_epi32(1 << 15)), 8);
  const __m256i g = _mm256_srai_epi32(_mm256_sub_epi32(part, centred), 7);
  const __m256i half = _mm256_srai_epi32(_mm256_add_epi32(high, g), 1);
  return _mm256_add_epi32(_mm256_add_epi32(flip32(mean), half), _mm256_set1_epi32(kRest));
}

// (sum of products + 2^15) >> 16, for the sum 2^16 high + low + 2^31 + 2^15 (m + n) - (2^15 + 16320 * 65536) * 2^16.
CINEMILL_AVX2 static inline __m256i product(__m256i m, __m256i n, __m256i high, __m256i low) noexcept {
  constexpr std::int32_t kRest = -(16384 - kProductOffset) * 65536;
  const __m256i differ = _mm256_xor_si256(m, n);
  const __m256i average = _mm256_add_epi32(_mm256_and_si256(m, n), _mm256_srli_epi32(differ, 1));
  const __m256i part = _mm256_srai_epi32(_mm256_add_epi32(low, _mm256_set1_epi32(1 << 15)), 15);
  const __m256i odd = _mm256_and_si256(differ, _mm256_set1_epi32(1));
  const __m256i half = _mm256_srai_epi32(_mm256_add_epi32(part, odd), 1);
  return _mm256_add_epi32(_mm256_add_epi32(high, _mm256_set1_epi32(kRest)), _mm256_add_epi32(average, half));
}

// Moments of a segment, 8 at a time.
CINEMILL_AVX2 static inline void combine(const Segment& sums, int count, MomentRows& out) noexcept {
  for (int i = 0; i < count; i += 8) {
    const __m256i m = load(sums.wide[0] + i);
    const __m256i n = load(sums.wide[1] + i);
    const __m256i mean_r = flip32(m);
    const __m256i mean_d = flip32(n);
    const __m256i rr = square(m, load(sums.high[0] + i), load(sums.low[0] + i));
    const __m256i dd = square(n, load(sums.high[1] + i), load(sums.low[1] + i));
    const __m256i rd = product(mean_r, mean_d, load(sums.high[2] + i), load(sums.wide[2] + i));
    const __m256i spread_d = _mm256_sub_epi32(dd, product_high(mean_d, mean_d));
    store(out.ref + i, _mm256_sub_epi32(rr, product_high(mean_r, mean_r)));
    store(out.dist + i, _mm256_max_epi32(spread_d, _mm256_setzero_si256()));
    store(out.both + i, _mm256_sub_epi32(rd, product_high(mean_r, mean_d)));
  }
}

// Moments of `count` samples from x on, as `moments` in avx2.cpp gives them.
CINEMILL_AVX2 inline void byte_moments(const Row& row, int x, int count, MomentRows& out) noexcept {
  Segment sums;
  const std::uint16_t* const wide[3] = {row.mean[0] + x, row.mean[1] + x, row.low[2] + x};
  filter_wide(wide, count, sums.wide);
  for (int i = 0; i < 3; ++i) filter_folded(row.high[i] + x, count, sums.high[i]);
  for (int i = 0; i < 2; ++i) filter_folded(row.low[i] + x, count, sums.low[i]);
  combine(sums, (count + 15) & ~15, out);
}

}  // namespace cinemill::vif::avx2
