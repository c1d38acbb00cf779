// Sums of absolute differences of rows with 256-bit vectors.
#include <cstdlib>

#include "kernels/row_sad/row_sad.h"

#if CINEMILL_HAVE_AVX2
#include "kernels/avx2.h"

namespace cinemill::row_sad::avx2 {

CINEMILL_AVX2 void u8(const std::uint8_t* a, const std::uint8_t* b, std::size_t rows, int length,
                      std::uint32_t* sums) noexcept {
  const int whole = length & ~31;
  for (std::size_t row = 0; row < rows; ++row, a += length, b += length) {
    __m256i total = _mm256_setzero_si256();  // 4 x 64 bits
    for (int x = 0; x < whole; x += 32) total = _mm256_add_epi64(total, _mm256_sad_epu8(load(a + x), load(b + x)));
    std::uint32_t sum = static_cast<std::uint32_t>(sum_u64(total));
    for (int x = whole; x < length; ++x) sum += static_cast<std::uint32_t>(std::abs(a[x] - b[x]));
    sums[row] = sum;
  }
}

}  // namespace cinemill::row_sad::avx2

#endif  // CINEMILL_HAVE_AVX2
