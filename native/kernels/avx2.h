// Vocabulary of the AVX2 kernels: the few steps that all of them write. Include from avx2.cpp files only.
#pragma once

#include <immintrin.h>
#include <cstdint>

#include "kernels/target.h"

namespace cinemill {

// 32 bytes from any address: 32 samples of 8 bits, or 16 of 16 bits.
CINEMILL_AVX2 static inline __m256i load(const void* from) noexcept {
  return _mm256_loadu_si256(static_cast<const __m256i*>(from));
}

// 32 bytes to any address.
CINEMILL_AVX2 static inline void store(void* to, __m256i v) noexcept {
  _mm256_storeu_si256(static_cast<__m256i*>(to), v);
}

// Eight samples from any address, as lanes of 32 bits.
CINEMILL_AVX2 static inline __m256i eight_samples(const std::uint8_t* from) noexcept {
  return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)));
}

CINEMILL_AVX2 static inline __m256i eight_samples(const std::uint16_t* from) noexcept {
  return _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
}

// Nothing happens, but the vectors are in registers here. Without it GCC adds up an unrolled loop in an order of its
// own, for which registers do not suffice, or loads again what it holds.
CINEMILL_AVX2 static inline void in_register(__m256i& v) noexcept { asm("" : "+x"(v)); }

template <class... Vectors>
CINEMILL_AVX2 static inline void in_registers(Vectors&... v) noexcept {
  (in_register(v), ...);
}

// |a - b| of unsigned lanes: one of the two saturating differences is zero, the other is the answer.
CINEMILL_AVX2 static inline __m256i abs_diff_u8(__m256i a, __m256i b) noexcept {
  return _mm256_or_si256(_mm256_subs_epu8(a, b), _mm256_subs_epu8(b, a));
}

CINEMILL_AVX2 static inline __m256i abs_diff_u16(__m256i a, __m256i b) noexcept {
  return _mm256_or_si256(_mm256_subs_epu16(a, b), _mm256_subs_epu16(b, a));
}

// Adds neighbours: 16 lanes of unsigned 16 bits to 8 lanes of 32 bits, each in [0, 131070].
CINEMILL_AVX2 static inline __m256i widen_add_u16(__m256i v) noexcept {
  return _mm256_add_epi32(_mm256_and_si256(v, _mm256_set1_epi32(0xFFFF)), _mm256_srli_epi32(v, 16));
}

// Adds neighbours: 8 lanes of unsigned 32 bits to 4 lanes of 64 bits, each in [0, 2^33 - 2].
CINEMILL_AVX2 static inline __m256i widen_add_u32(__m256i v) noexcept {
  return _mm256_add_epi64(_mm256_and_si256(v, _mm256_set1_epi64x(0xFFFFFFFF)), _mm256_srli_epi64(v, 32));
}

// The four lanes of 64 bits added up, modulo 2^64.
CINEMILL_AVX2 static inline std::uint64_t sum_u64(__m256i v) noexcept {
  const __m128i pair = _mm_add_epi64(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  return static_cast<std::uint64_t>(_mm_cvtsi128_si64(pair)) + static_cast<std::uint64_t>(_mm_extract_epi64(pair, 1));
}

}  // namespace cinemill
