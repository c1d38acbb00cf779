// Decoupling of detail from what was added, and contrast masking, with 256-bit vectors: 8 coefficients at a time, in
// doubles where a product does not fit 32 bits and its rounding does not matter.
#pragma once

#include "kernels/adm/wavelet_avx2.h"

namespace cinemill::adm::avx2 {

// 8 coefficients.
CINEMILL_AVX2 static inline __m256i coefficients(const std::int16_t* from) noexcept {
  return _mm256_cvtepi16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
}

CINEMILL_AVX2 static inline __m256i coefficients(const std::int32_t* from) noexcept { return load(from); }

struct Doubles {
  __m256d low;
  __m256d high;
};

CINEMILL_AVX2 static inline Doubles doubles(__m256i v) noexcept {
  return {_mm256_cvtepi32_pd(_mm256_castsi256_si128(v)), _mm256_cvtepi32_pd(_mm256_extracti128_si256(v, 1))};
}

CINEMILL_AVX2 static inline __m256i integers(__m256d low, __m256d high) noexcept {
  return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm256_cvttpd_epi32(low)), _mm256_cvttpd_epi32(high), 1);
}

// --- direction -------------------------------------------------------------------------------------------------------

CINEMILL_AVX2 static inline __m256d within(__m128 product, __m128 ref, __m128 dist) noexcept {
  const __m256d p = _mm256_cvtps_pd(product);
  const __m256d limit = _mm256_mul_pd(
      _mm256_mul_pd(_mm256_set1_pd(static_cast<double>(kCos1Squared)), _mm256_cvtps_pd(ref)), _mm256_cvtps_pd(dist));
  return _mm256_and_pd(_mm256_cmp_pd(p, _mm256_setzero_pd(), _CMP_GE_OQ),
                       _mm256_cmp_pd(_mm256_mul_pd(p, p), limit, _CMP_GE_OQ));
}

// Lanes of 64 bits of the two halves as one mask of 8 lanes of 32 bits.
CINEMILL_AVX2 static inline __m256i joined_mask(__m256d low, __m256d high) noexcept {
  const __m256 both = _mm256_shuffle_ps(_mm256_castpd_ps(low), _mm256_castpd_ps(high), _MM_SHUFFLE(2, 0, 2, 0));
  return _mm256_permute4x64_epi64(_mm256_castps_si256(both), 0xD8);
}

// (h0, v0, h1, v1, ...) of 8 coefficients.
CINEMILL_AVX2 static inline __m256i side_by_side(const std::int16_t* horizontal,
                                                 const std::int16_t* vertical) noexcept {
  const __m128i h = _mm_loadu_si128(reinterpret_cast<const __m128i*>(horizontal));
  const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(vertical));
  return _mm256_set_m128i(_mm_unpackhi_epi16(h, v), _mm_unpacklo_epi16(h, v));
}

// Scale 0: products of 16 bits, |.| <= 2 * 22840^2 < 2^31, become floats as the original's do. A common factor of the
// original (1 / 4096) is left out: it is a power of two.
CINEMILL_AVX2 static inline __m256i same_direction(const std::int16_t* oh, const std::int16_t* ov,
                                                   const std::int16_t* th, const std::int16_t* tv) noexcept {
  const __m256i o = side_by_side(oh, ov);
  const __m256i t = side_by_side(th, tv);
  const __m256 product = _mm256_cvtepi32_ps(_mm256_madd_epi16(o, t));
  const __m256 ref = _mm256_cvtepi32_ps(_mm256_madd_epi16(o, o));
  const __m256 dist = _mm256_cvtepi32_ps(_mm256_madd_epi16(t, t));
  return joined_mask(
      within(_mm256_castps256_ps128(product), _mm256_castps256_ps128(ref), _mm256_castps256_ps128(dist)),
      within(_mm256_extractf128_ps(product, 1), _mm256_extractf128_ps(ref, 1), _mm256_extractf128_ps(dist, 1)));
}

// Scales 1 to 3, one by one: sums of 64 bits, for whose rounding to floats there is no vector instruction.
CINEMILL_AVX2 static inline __m256i same_direction_exactly(const std::int32_t* oh, const std::int32_t* ov,
                                                           const std::int32_t* th, const std::int32_t* tv) noexcept {
  alignas(32) std::int32_t flags[8];
  for (int i = 0; i < 8; ++i) {
    const std::int64_t o[2] = {oh[i], ov[i]};
    const std::int64_t t[2] = {th[i], tv[i]};
    const auto product = static_cast<double>(static_cast<float>(o[0] * t[0] + o[1] * t[1]));
    const auto ref = static_cast<double>(static_cast<float>(o[0] * o[0] + o[1] * o[1]));
    const auto dist = static_cast<double>(static_cast<float>(t[0] * t[0] + t[1] * t[1]));
    const bool same = product >= 0.0 && product * product >= static_cast<double>(kCos1Squared) * ref * dist;
    flags[i] = same ? -1 : 0;
  }
  return load(flags);
}

CINEMILL_AVX2 static inline __m256d inner(__m256d a, __m256d b, __m256d c, __m256d d) noexcept {
  return _mm256_add_pd(_mm256_mul_pd(a, b), _mm256_mul_pd(c, d));
}

// Whether doubles tell the direction for sure: rounding to floats moves either side by less than 2^-21 of its size.
struct Verdict {
  __m256d same;
  __m256d open;
};

CINEMILL_AVX2 static inline Verdict judged(__m256d oh, __m256d ov, __m256d th, __m256d tv) noexcept {
  constexpr double kDoubt = 1e-6;
  const __m256d product = inner(oh, th, ov, tv);
  const __m256d square = _mm256_mul_pd(product, product);
  const __m256d limit = _mm256_mul_pd(
      _mm256_mul_pd(_mm256_set1_pd(static_cast<double>(kCos1Squared)), inner(oh, oh, ov, ov)), inner(th, th, tv, tv));
  const __m256d above = _mm256_cmp_pd(square, _mm256_mul_pd(limit, _mm256_set1_pd(1 + kDoubt)), _CMP_GE_OQ);
  const __m256d not_below = _mm256_cmp_pd(square, _mm256_mul_pd(limit, _mm256_set1_pd(1 - kDoubt)), _CMP_GE_OQ);
  const __m256d positive = _mm256_cmp_pd(product, _mm256_setzero_pd(), _CMP_GE_OQ);
  return {_mm256_and_pd(above, positive), _mm256_andnot_pd(above, not_below)};
}

CINEMILL_AVX2 static inline __m256i same_direction(const std::int32_t* oh, const std::int32_t* ov,
                                                   const std::int32_t* th, const std::int32_t* tv) noexcept {
  const Doubles a = doubles(load(oh));
  const Doubles b = doubles(load(ov));
  const Doubles c = doubles(load(th));
  const Doubles d = doubles(load(tv));
  const Verdict low = judged(a.low, b.low, c.low, d.low);
  const Verdict high = judged(a.high, b.high, c.high, d.high);
  if (_mm256_movemask_pd(_mm256_or_pd(low.open, high.open))) return same_direction_exactly(oh, ov, th, tv);
  return joined_mask(low.same, high.same);
}

// --- decoupling ------------------------------------------------------------------------------------------------------

// dist / ref in units of 2^-15, limited to [0, 1], as doubles that are integers. Every step is exact: the reciprocal is
// below 2^30, and a product that matters (for a quotient up to 1) below 2^(30 + shift), shift <= 16.
template <bool kShifts>
CINEMILL_AVX2 static inline __m256d ratio(__m256d ref, __m256d dist) noexcept {
  const __m256d sign = _mm256_set1_pd(-0.0);
  const __m256d size = _mm256_andnot_pd(sign, ref);
  __m256d top = size;
  __m256d unit = _mm256_set1_pd(1.0 / 32768);
  if constexpr (kShifts) {  // only the 15 highest bits, rounded
    const __m256i above =
        _mm256_sub_epi64(_mm256_srli_epi64(_mm256_castpd_si256(size), 52), _mm256_set1_epi64x(1023 + 14));
    const __m256i shift = _mm256_max_epi32(above, _mm256_setzero_si256());
    const __m256d scale = _mm256_castsi256_pd(_mm256_slli_epi64(_mm256_sub_epi64(_mm256_set1_epi64x(1023), shift), 52));
    top = _mm256_floor_pd(_mm256_add_pd(_mm256_mul_pd(size, scale), _mm256_set1_pd(0.5)));
    unit = _mm256_mul_pd(unit, scale);
  }
  const __m256d reciprocal = _mm256_floor_pd(_mm256_div_pd(_mm256_set1_pd(1073741824.0), top));
  const __m256d signed_dist = _mm256_xor_pd(dist, _mm256_and_pd(sign, ref));
  const __m256d quotient =
      _mm256_add_pd(_mm256_mul_pd(_mm256_mul_pd(reciprocal, signed_dist), unit), _mm256_set1_pd(0.5));
  const __m256d one = _mm256_set1_pd(32768.0);
  const __m256d limited = _mm256_min_pd(_mm256_max_pd(_mm256_floor_pd(quotient), _mm256_setzero_pd()), one);
  return _mm256_blendv_pd(limited, one, _mm256_cmp_pd(ref, _mm256_setzero_pd(), _CMP_EQ_OQ));
}

// (ratio * ref + 2^14) >> 15: below 2^(15 + 31), exact.
CINEMILL_AVX2 static inline __m256d kept(__m256d part, __m256d ref) noexcept {
  return _mm256_floor_pd(
      _mm256_add_pd(_mm256_mul_pd(_mm256_mul_pd(part, ref), _mm256_set1_pd(1.0 / 32768)), _mm256_set1_pd(0.5)));
}

// Kept detail with its gain, no further than the distorted coefficient. Where `part` or `ref` is 0, it stays 0: then
// the distorted one is 0 as well or points elsewhere, and `value` is 0.
CINEMILL_AVX2 static inline __m256d enhanced(__m256d value, __m256d ref, __m256d dist, __m256d gain) noexcept {
  const __m256d more = _mm256_mul_pd(value, gain);
  const __m256d negative = _mm256_cmp_pd(ref, _mm256_setzero_pd(), _CMP_LT_OQ);
  const __m256d limited = _mm256_blendv_pd(_mm256_min_pd(more, dist), _mm256_max_pd(more, dist), negative);
  return _mm256_blendv_pd(limited, value, _mm256_cmp_pd(value, _mm256_setzero_pd(), _CMP_EQ_OQ));
}

// --- masking ---------------------------------------------------------------------------------------------------------

// What 3 rows around a row keep until it can be masked: slot y % 3 is row y's.
struct Lane {
  std::int32_t* coefficient[kBands][3];
  std::int32_t* near[3];    // what a row's maskers hide of its neighbours, all bands
  std::int32_t* centre[3];  // and of itself
};

// Weighted maskers become thresholds; see Masking in scalar.cpp.
struct Hidden {
  __m256i near;
  __m256i centre;
};

// a * b of the low 16 bits of lanes whose high 16 bits are 0 in b, a in [0, 32767].
CINEMILL_AVX2 static inline __m256i scaled16(__m256i a, std::int32_t b) noexcept {
  return _mm256_madd_epi16(a, _mm256_set1_epi32(b));
}

// Scale 0: |weight| <= 25408, so that near (<= 27101) fits 16 bits and the centre wraps from 15360 on.
CINEMILL_AVX2 static inline Hidden hidden16(__m256i masker, const Sensitivity& weights, int band) noexcept {
  const __m256i product =
      _mm256_mullo_epi32(masker, _mm256_set1_epi32(static_cast<std::int32_t>(weights.factor[band])));
  const __m256i sum = _mm256_add_epi32(product, _mm256_set1_epi32(static_cast<std::int32_t>(weights.half[band])));
  const __m256i size = _mm256_abs_epi32(_mm256_sra_epi32(sum, _mm_cvtsi32_si128(weights.shift[band])));
  const __m256i half = _mm256_set1_epi32(2048);
  const __m256i near = _mm256_srai_epi32(_mm256_add_epi32(scaled16(size, 4369), half), 12);
  const __m256i centre = _mm256_srai_epi32(_mm256_add_epi32(scaled16(size, 8738), half), 12);
  return {near, _mm256_srai_epi32(_mm256_slli_epi32(centre, 16), 16)};
}

// (a * b - 2^31) >> 32 of a >= 0.
CINEMILL_AVX2 static inline __m256i scaled32(__m256i a, std::int32_t b) noexcept {
  const Wide product = product32(a, _mm256_set1_epi32(b));
  return narrowed(product, -(std::int64_t{1} << 31), 32);
}

CINEMILL_AVX2 static inline __m256i weighted32(__m256i value, std::int64_t factor) noexcept {
  return narrowed(product32(value, _mm256_set1_epi32(static_cast<std::int32_t>(factor))), half_of(28), 28);
}

CINEMILL_AVX2 static inline Hidden hidden32(__m256i masker, const Sensitivity& weights, int band) noexcept {
  const __m256i size = _mm256_abs_epi32(weighted32(masker, weights.factor[band]));
  return {scaled32(size, 143165577), scaled32(size, 286331153)};
}

// (left^2 * left) of masked coefficients, shifted on the way. 2^63 is added before the last shift, which has no signed
// form, and comes off the sum of the row: exact modulo 2^64.
CINEMILL_AVX2 static inline __m256i cubes(__m256i left, int square_shift, int cube_shift) noexcept {
  const __m256i square = narrowed(product32(left, left), half_of(square_shift), square_shift);
  const Wide cube = product32(square, left);
  const __m256i add = _mm256_set1_epi64x(
      static_cast<std::int64_t>(static_cast<std::uint64_t>(half_of(cube_shift)) + (std::uint64_t{1} << 63)));
  const __m128i by = _mm_cvtsi32_si128(cube_shift);
  return _mm256_add_epi64(_mm256_srl_epi64(_mm256_add_epi64(cube.even, add), by),
                          _mm256_srl_epi64(_mm256_add_epi64(cube.odd, add), by));
}

// Each sample and its neighbours on both sides.
CINEMILL_AVX2 static inline __m256i three(const std::int32_t* row) noexcept {
  return _mm256_add_epi32(_mm256_add_epi32(load(row - 1), load(row)), load(row + 1));
}

// Thresholds of 8 samples of row y from column x on.
CINEMILL_AVX2 static inline __m256i thresholds(const Lane& lane, int up, int here, int down, int x) noexcept {
  const __m256i sides = _mm256_add_epi32(load(lane.near[here] + x - 1), load(lane.near[here] + x + 1));
  const __m256i rows = _mm256_add_epi32(three(lane.near[up] + x), three(lane.near[down] + x));
  return _mm256_add_epi32(_mm256_add_epi32(sides, rows), load(lane.centre[here] + x));
}

}  // namespace cinemill::adm::avx2
