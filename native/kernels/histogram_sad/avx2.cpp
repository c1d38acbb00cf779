// Histogram and sum of absolute differences from the same loads.
#include <cstdlib>

#include "kernels/histogram_sad/histogram_sad.h"

#if CINEMILL_HAVE_AVX2
#include "kernels/histogram/counters.h"

namespace cinemill::histogram_sad::avx2 {

using histogram::ByteCounters;
using histogram::load_word;
using histogram::WordCounters;

CINEMILL_AVX2 std::uint64_t u8(PlaneView<std::uint8_t> current, PlaneView<std::uint8_t> previous, Size size, Bins bins,
                               std::uint32_t* counts) noexcept {
  ByteCounters counters;
  const int whole = size.width & ~31;
  std::uint64_t sum = 0;
  __m256i total = _mm256_setzero_si256();  // 4 x 64 bits, as in kernels/sad
  for (int y = 0; y < size.height; ++y) {
    const std::uint8_t* pc = current.row(y);
    const std::uint8_t* pp = previous.row(y);
    for (int x = 0; x < whole; x += 32) {
      total = _mm256_add_epi64(total, _mm256_sad_epu8(load(pc + x), load(pp + x)));
      for (int i = 0; i < 32; i += 8) counters.add8(load_word(pc + x + i));  // in the first-level cache by now
    }
    for (int x = whole; x < size.width; ++x) {
      counters.add(pc[x]);
      sum += static_cast<std::uint64_t>(std::abs(pc[x] - pp[x]));
    }
  }
  counters.fold(bins, counts);
  return sum + sum_u64(total);
}

CINEMILL_AVX2 std::uint64_t u16(PlaneView<std::uint16_t> current, PlaneView<std::uint16_t> previous, Size size,
                                Bins bins, std::uint32_t* counts) noexcept {
  WordCounters counters(bins);
  const int whole = size.width & ~15;
  std::uint64_t sum = 0;
  __m256i total = _mm256_setzero_si256();  // 4 x 64 bits
  for (int y = 0; y < size.height; ++y) {
    const std::uint16_t* pc = current.row(y);
    const std::uint16_t* pp = previous.row(y);
    __m256i row = _mm256_setzero_si256();  // 8 x 32 bits, < 2^30 as in kernels/sad
    for (int x = 0; x < whole; x += 16) {
      const __m256i samples = load(pc + x);
      row = _mm256_add_epi32(row, widen_add_u16(abs_diff_u16(samples, load(pp + x))));
      counters.add16(samples);
    }
    total = _mm256_add_epi64(total, widen_add_u32(row));
    for (int x = whole; x < size.width; ++x) {
      counters.add(pc[x]);
      sum += static_cast<std::uint64_t>(std::abs(pc[x] - pp[x]));
    }
  }
  counters.fold(counts);
  return sum + sum_u64(total);
}

}  // namespace cinemill::histogram_sad::avx2

#endif  // CINEMILL_HAVE_AVX2
