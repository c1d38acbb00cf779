// Sum of absolute differences with 256-bit vectors.
#include <cstdlib>

#include "kernels/sad/sad.h"

#if CINEMILL_HAVE_AVX2
#include "kernels/avx2.h"

namespace cinemill::sad::avx2 {
namespace {

// What is left of a row behind the last whole vector.
template <class T>
std::uint64_t tail(const T* a, const T* b, int begin, int end) noexcept {
  std::uint64_t sum = 0;
  for (int x = begin; x < end; ++x) sum += static_cast<std::uint64_t>(std::abs(a[x] - b[x]));
  return sum;
}

}  // namespace

CINEMILL_AVX2 std::uint64_t u8(PlaneView<std::uint8_t> a, PlaneView<std::uint8_t> b, Size size) noexcept {
  const int whole = size.width & ~31;
  std::uint64_t sum = 0;
  __m256i total = _mm256_setzero_si256();  // 4 x 64 bits; psadbw adds eight differences into each: <= 2040 a vector
  for (int y = 0; y < size.height; ++y) {
    const std::uint8_t* pa = a.row(y);
    const std::uint8_t* pb = b.row(y);
    for (int x = 0; x < whole; x += 32) {
      total = _mm256_add_epi64(total, _mm256_sad_epu8(load(pa + x), load(pb + x)));
    }
    sum += tail(pa, pb, whole, size.width);
  }
  return sum + sum_u64(total);
}

CINEMILL_AVX2 std::uint64_t u16(PlaneView<std::uint16_t> a, PlaneView<std::uint16_t> b, Size size) noexcept {
  const int whole = size.width & ~15;
  std::uint64_t sum = 0;
  __m256i total = _mm256_setzero_si256();  // 4 x 64 bits
  for (int y = 0; y < size.height; ++y) {
    const std::uint16_t* pa = a.row(y);
    const std::uint16_t* pb = b.row(y);
    __m256i row = _mm256_setzero_si256();  // 8 x 32 bits; 4095 vectors a row at most: <= 4095 * 131070 < 2^30
    for (int x = 0; x < whole; x += 16) {
      row = _mm256_add_epi32(row, widen_add_u16(abs_diff_u16(load(pa + x), load(pb + x))));
    }
    total = _mm256_add_epi64(total, widen_add_u32(row));
    sum += tail(pa, pb, whole, size.width);
  }
  return sum + sum_u64(total);
}

}  // namespace cinemill::sad::avx2

#endif  // CINEMILL_HAVE_AVX2
