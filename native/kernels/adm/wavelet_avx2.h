// One row of one level of the wavelet, with 256-bit vectors: columns first, then the row itself.
//
// Rows of work have kMargin elements in front and behind, so that whole vectors and mirrored samples need no care.
#pragma once

#include <type_traits>

#include "kernels/adm/constants.h"
#include "kernels/avx2.h"

namespace cinemill::adm::avx2 {

inline constexpr int kMargin = 32;

// Bands of one row.
template <class C>
struct Bands {
  C* low;
  C* band[kBands];
};

// Low- and high-passed columns of one row.
template <class C>
struct Columns {
  C* low;
  C* high;
};

CINEMILL_AVX2 static inline __m256i pair_of(const std::int32_t* taps, int at) noexcept {
  return _mm256_set1_epi32(
      static_cast<std::int32_t>(static_cast<std::uint16_t>(taps[at]) | static_cast<std::uint32_t>(taps[at + 1]) << 16));
}

CINEMILL_AVX2 static inline __m256i centred(const std::uint8_t* samples, __m256i middle) noexcept {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(samples));
  return _mm256_sub_epi16(_mm256_cvtepu8_epi16(bytes), middle);
}

CINEMILL_AVX2 static inline __m256i centred(const std::uint16_t* samples, __m256i middle) noexcept {
  return _mm256_sub_epi16(load(samples), middle);
}

CINEMILL_AVX2 static inline __m256i centred(const std::int16_t* samples, __m256i) noexcept { return load(samples); }

// Products of 4 rows with 4 taps, 8 columns: |sum| <= 54822 * 32768 < 2^31.
CINEMILL_AVX2 static inline __m256i sum4(__m256i first, __m256i second, const std::int32_t* taps) noexcept {
  return _mm256_add_epi32(_mm256_madd_epi16(first, pair_of(taps, 0)), _mm256_madd_epi16(second, pair_of(taps, 2)));
}

CINEMILL_AVX2 static inline __m256i rounded32(__m256i sum, int shift) noexcept {
  return _mm256_sra_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(1 << (shift - 1))), _mm_cvtsi32_si128(shift));
}

// 16 columns of 4 rows of 16 bits; 16 bits out where `Out` has 16 (scale 0), else the whole sums (scale 1).
template <class In, class Out>
CINEMILL_AVX2 static inline void columns16(const In* const* rows, int x, int shift, __m256i middle,
                                           Columns<Out> out) noexcept {
  const __m256i a = centred(rows[0] + x, middle);
  const __m256i b = centred(rows[1] + x, middle);
  const __m256i c = centred(rows[2] + x, middle);
  const __m256i d = centred(rows[3] + x, middle);
  const __m256i ab0 = _mm256_unpacklo_epi16(a, b);
  const __m256i ab1 = _mm256_unpackhi_epi16(a, b);
  const __m256i cd0 = _mm256_unpacklo_epi16(c, d);
  const __m256i cd1 = _mm256_unpackhi_epi16(c, d);
  const __m256i low0 = sum4(ab0, cd0, kLow);
  const __m256i low1 = sum4(ab1, cd1, kLow);
  const __m256i high0 = sum4(ab0, cd0, kHigh);
  const __m256i high1 = sum4(ab1, cd1, kHigh);
  if constexpr (sizeof(Out) == 2) {  // |.| <= 27394: the pack does not saturate, and undoes the order of the unpack
    store(out.low + x, _mm256_packs_epi32(rounded32(low0, shift), rounded32(low1, shift)));
    store(out.high + x, _mm256_packs_epi32(rounded32(high0, shift), rounded32(high1, shift)));
  } else {
    store(out.low + x, _mm256_permute2x128_si256(low0, low1, 0x20));
    store(out.low + x + 8, _mm256_permute2x128_si256(low0, low1, 0x31));
    store(out.high + x, _mm256_permute2x128_si256(high0, high1, 0x20));
    store(out.high + x + 8, _mm256_permute2x128_si256(high0, high1, 0x31));
  }
}

// Sums of products of 32 bits: of the even lanes, of the odd ones.
struct Wide {
  __m256i even;
  __m256i odd;
};

// The 32 bits of 8 sums from bit `shift` on, shift <= 32.
CINEMILL_AVX2 static inline __m256i narrowed(Wide sums, std::int64_t half, int shift) noexcept {
  const __m128i by = _mm_cvtsi32_si128(shift);
  const __m128i back = _mm_cvtsi32_si128(32 - shift);
  const __m256i add = _mm256_set1_epi64x(half);
  const __m256i even = _mm256_srl_epi64(_mm256_add_epi64(sums.even, add), by);
  const __m256i odd = _mm256_sll_epi64(_mm256_add_epi64(sums.odd, add), back);
  return _mm256_blend_epi32(even, odd, 0xAA);
}

CINEMILL_AVX2 static inline Wide product32(__m256i a, __m256i b) noexcept {
  return {_mm256_mul_epi32(a, b), _mm256_mul_epi32(_mm256_srli_epi64(a, 32), _mm256_srli_epi64(b, 32))};
}

CINEMILL_AVX2 static inline Wide sum4(const __m256i* rows, const std::int32_t* taps) noexcept {
  const __m256i zero = _mm256_setzero_si256();
  Wide sum{zero, zero};
  for (int k = 0; k < kTaps; ++k) {
    const Wide product = product32(rows[k], _mm256_set1_epi32(taps[k]));
    sum = {_mm256_add_epi64(sum.even, product.even), _mm256_add_epi64(sum.odd, product.odd)};
  }
  return sum;
}

// 8 columns of 4 rows of 32 bits (scales 2 and 3).
CINEMILL_AVX2 static inline void columns8(const std::int32_t* const* rows, int x, int shift,
                                          Columns<std::int32_t> out) noexcept {
  const __m256i row[kTaps] = {load(rows[0] + x), load(rows[1] + x), load(rows[2] + x), load(rows[3] + x)};
  store(out.low + x, narrowed(sum4(row, kLow), half_of(shift), shift));
  store(out.high + x, narrowed(sum4(row, kHigh), half_of(shift), shift));
}

// All columns of one row. A caller's plane (`padded` false) ends with its last sample.
template <class In, class Out>
CINEMILL_AVX2 void filter_columns(const In* const* rows, int width, bool padded, int shift, int middle,
                                  Columns<Out> out) noexcept {
  if constexpr (sizeof(In) == 4) {
    for (int x = 0; x < width; x += 8) columns8(rows, x, shift, out);
  } else {
    const __m256i centre = _mm256_set1_epi16(static_cast<std::int16_t>(middle));
    int x = 0;
    for (; x + 16 <= width; x += 16) columns16(rows, x, shift, centre, out);
    if (x < width) columns16(rows, padded ? x : width - 16, shift, centre, out);
  }
}

// 8 filtered, halved samples of a row of 16 bits from output j on; |.| <= 22915.
CINEMILL_AVX2 static inline __m256i halved8(const std::int16_t* row, int j, const std::int32_t* taps,
                                            int shift) noexcept {
  const std::int16_t* const at = row + std::ptrdiff_t{2} * j - 1;
  return rounded32(sum4(load(at), load(at + 2), taps), shift);
}

// 8 of a row of 32 bits: even lanes of 4 loads are the taps.
CINEMILL_AVX2 static inline __m256i halved8(const std::int32_t* row, int j, const std::int32_t* taps,
                                            int shift) noexcept {
  __m256i half[2];
  for (int part = 0; part < 2; ++part) {
    const std::int32_t* const at = row + std::ptrdiff_t{2} * (j + 4 * part) - 1;
    __m256i sum = _mm256_set1_epi64x(half_of(shift));
    for (int k = 0; k < kTaps; ++k) {
      sum = _mm256_add_epi64(sum, _mm256_mul_epi32(load(at + k), _mm256_set1_epi32(taps[k])));
    }
    half[part] = _mm256_srl_epi64(sum, _mm_cvtsi32_si128(shift));
  }
  const __m256i even = _mm256_castps_si256(
      _mm256_shuffle_ps(_mm256_castsi256_ps(half[0]), _mm256_castsi256_ps(half[1]), _MM_SHUFFLE(2, 0, 2, 0)));
  return _mm256_permute4x64_epi64(even, 0xD8);
}

CINEMILL_AVX2 static inline void keep8(std::int32_t* out, __m256i v) noexcept { store(out, v); }

CINEMILL_AVX2 static inline void keep8(std::int16_t* out, __m256i v) noexcept {
  const __m256i packed = _mm256_permute4x64_epi64(_mm256_packs_epi32(v, v), 0x08);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm256_castsi256_si128(packed));
}

// What stands in front of a row of columns and behind it.
template <class C>
void mirror_ends(C* row, int width) noexcept {
  row[-1] = row[1];
  row[width] = row[width - 1];
  row[width + 1] = row[width - 2];
}

// Rows of the bands from filtered columns; the detail bands only where `detail`, the low band only where it is not
// null.
template <class C>
CINEMILL_AVX2 void filter_row(Columns<C> columns, int count, int shift, bool detail, Bands<C> out) noexcept {
  for (int j = 0; j < count; j += 8) {
    if (out.low) keep8(out.low + j, halved8(columns.low, j, kLow, shift));
    if (!detail) continue;
    keep8(out.band[0] + j, halved8(columns.high, j, kLow, shift));
    keep8(out.band[1] + j, halved8(columns.low, j, kHigh, shift));
    keep8(out.band[2] + j, halved8(columns.high, j, kHigh, shift));
  }
}

}  // namespace cinemill::adm::avx2
