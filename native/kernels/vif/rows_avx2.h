// Rows of filtered columns: what all depths share.
#pragma once

#include "kernels/avx2.h"
#include "kernels/vif/constants.h"

namespace cinemill::vif::avx2 {

inline constexpr int kMaxPairs = 9;

// Two taps as a multiply-add takes them.
constexpr std::int32_t two(int first, int second) noexcept { return first | second << 16; }

// Taps of a filter for pairs of neighbours (at, at + 1), for the output at 0 and the output at 1.
struct Pair {
  int at;
  std::int32_t even;
  std::int32_t odd;
};

struct Pairs {
  int count;
  int radius;
  Pair pair[kMaxPairs];
};

constexpr Pairs pairs_of(const Filter& filter) noexcept {
  Pairs made{filter.radius() + 1, filter.radius(), {}};
  const auto tap = [&](int i) { return i >= 0 && i < filter.taps ? int{filter.tap[i]} : 0; };
  for (int k = 0; k < made.count; ++k) {
    made.pair[k] = {2 * k - filter.radius(), two(tap(2 * k), tap(2 * k + 1)), two(tap(2 * k - 1), tap(2 * k))};
  }
  return made;
}

// The middle tap of the last scale does not fit 16 signed bits and is given in two halves. 32768 * (10904 + 21864) is
// 2^30: no pair overflows.
inline constexpr Pairs kPairs[kScales] = {
    pairs_of(kFilters[0]),
    pairs_of(kFilters[1]),
    pairs_of(kFilters[2]),
    {3,
     1,
     {{-1, two(10904, 21864), two(0, 10904)},
      {1, two(10904, 0), two(21864, 10904)},
      {0, two(21864, 0), two(0, 21864)}}},
};

CINEMILL_AVX2 static inline __m256i flip16(__m256i v) noexcept {
  return _mm256_xor_si256(v, _mm256_set1_epi16(INT16_MIN));
}

CINEMILL_AVX2 static inline __m256i flip32(__m256i v) noexcept {
  return _mm256_xor_si256(v, _mm256_set1_epi32(INT32_MIN));
}

// sum + a * b of pairs.
CINEMILL_AVX2 static inline __m256i fma16(__m256i sum, __m256i a, __m256i b) noexcept {
  return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
}

// Filtered columns of one row; all of 16 bits, with the highest bit flipped. kMargin samples in front and behind.
struct Row {
  std::uint16_t* mean[2];
  std::uint16_t* high[3];  // of ref^2, dist^2, ref * dist
  std::uint16_t* low[3];
};

// (sum + half) >> shift; a sum is at most 65535 * 65536, half at most 2^15.
CINEMILL_AVX2 static inline __m256i rounded(__m256i sum, int shift) noexcept {
  const __m256i half = _mm256_set1_epi32(1 << (shift - 1));
  return _mm256_srl_epi32(_mm256_add_epi32(sum, half), _mm_cvtsi32_si128(shift));
}

inline void mirror_ends(std::uint16_t* row, int width, int radius) noexcept {
  for (int i = 1; i <= radius; ++i) {
    row[-i] = row[i];
    row[width - 1 + i] = row[width - 1 - i];
  }
}

// The odd ones of 8 numbers, twice each. A shuffle: shifts have one pipe on some processors, shuffles two.
CINEMILL_AVX2 static inline __m256i odd_ones(__m256i v) noexcept { return _mm256_shuffle_epi32(v, 0xF5); }

// (a * b + 2^31) >> 32 of unsigned 32 bits.
CINEMILL_AVX2 static inline __m256i product_high(__m256i a, __m256i b) noexcept {
  const __m256i half = _mm256_set1_epi64x(std::int64_t{1} << 31);
  const __m256i even = _mm256_add_epi64(_mm256_mul_epu32(a, b), half);
  const __m256i odd = _mm256_add_epi64(_mm256_mul_epu32(odd_ones(a), odd_ones(b)), half);
  return _mm256_blend_epi32(odd_ones(even), odd, 0xAA);
}

}  // namespace cinemill::vif::avx2
