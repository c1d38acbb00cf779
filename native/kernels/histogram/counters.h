// Counting for the AVX2 targets of `histogram` and `histogram_sad`. Include from avx2.cpp files only.
//
// There is no vector instruction that counts. What slows the plain loop is a chain: neighbours are often equal, and an
// increment has to wait until the one before it has reached memory and come back (about 5 cycles). So neighbours go to
// different tables, which are added up at the end; the vectors do the shifting and clipping.
#pragma once

#include <immintrin.h>
#include <algorithm>
#include <cstdint>
#include <cstring>

#include "kernels/avx2.h"
#include "kernels/histogram/histogram.h"

namespace cinemill::histogram {

inline constexpr int kTables = 4;

// Counters of 8-bit samples. They count all 256 values and fold them into `bins` at the end, which is cheaper than
// shifting every sample.
struct ByteCounters {
  std::uint32_t tables[kTables][256] = {};

  void add(std::uint8_t sample) noexcept { ++tables[0][sample]; }

  // Eight samples, packed in one word: one load instead of eight.
  CINEMILL_AVX2 inline void add8(std::uint64_t word) noexcept {
    for (int i = 0; i < 8; ++i) ++tables[i % kTables][static_cast<std::uint8_t>(word >> (8 * i))];
  }

  void fold(Bins bins, std::uint32_t* counts) const noexcept {
    std::fill_n(counts, bins.count, 0U);
    for (int value = 0; value < 256; ++value) {
      for (const auto& table : tables) counts[value >> bins.shift] += table[value];
    }
  }
};

// Counters of 16-bit samples; samples are turned into bins first.
struct WordCounters {
  explicit WordCounters(Bins chosen) noexcept : bins(chosen) {
    for (auto& table : tables) std::fill_n(table, bins.count, 0U);
  }

  Bins bins;
  std::uint32_t tables[kTables][kMaxBins];

  void add(std::uint16_t sample) noexcept { ++tables[0][std::min(sample >> bins.shift, bins.count - 1)]; }

  // Sixteen samples. The bins are stored and read back: extracting lanes one by one costs two operations each.
  CINEMILL_AVX2 inline void add16(__m256i samples) noexcept {
    const __m256i shifted = _mm256_srl_epi16(samples, _mm_cvtsi32_si128(bins.shift));
    const __m256i clipped = _mm256_min_epu16(shifted, _mm256_set1_epi16(static_cast<short>(bins.count - 1)));
    alignas(32) std::uint16_t bin[16];
    _mm256_store_si256(reinterpret_cast<__m256i*>(bin), clipped);
    for (int i = 0; i < 16; ++i) ++tables[i % kTables][bin[i]];
  }

  void fold(std::uint32_t* counts) const noexcept {
    for (int bin = 0; bin < bins.count; ++bin) {
      counts[bin] = tables[0][bin] + tables[1][bin] + tables[2][bin] + tables[3][bin];
    }
  }
};

// Eight bytes from any address.
static inline std::uint64_t load_word(const std::uint8_t* from) noexcept {
  std::uint64_t word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

}  // namespace cinemill::histogram
