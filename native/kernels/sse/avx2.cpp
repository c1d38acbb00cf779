// Sum of squared error with 256-bit vectors. Every comment on a range says why nothing overflows: keep them true.
#include "kernels/sse/sse.h"

#if CINEMILL_HAVE_AVX2
#include "kernels/avx2.h"

namespace cinemill::sse::avx2 {
namespace {

// What is left of a row behind the last whole vector. Masked or overlapping loads would save at most a few
// nanoseconds a row and would have to be argued about; this cannot read outside the row.
template <class T>
std::uint64_t tail(const T* a, const T* b, int begin, int end) noexcept {
  std::uint64_t sum = 0;
  for (int x = begin; x < end; ++x) {
    const std::int64_t d = std::int64_t{a[x]} - b[x];
    sum += static_cast<std::uint64_t>(d * d);
  }
  return sum;
}

// Squares of 32 differences of bytes, added up in 8 lanes of 32 bits.
// Output of one call in [0, 4 * 255^2 = 260100] per lane.
CINEMILL_AVX2 static inline __m256i squares(__m256i a, __m256i b) noexcept {
  const __m256i zero = _mm256_setzero_si256();
  const __m256i d = abs_diff_u8(a, b);                  // [0, 255]
  const __m256i low = _mm256_unpacklo_epi8(d, zero);    // 16 bits each; the order of lanes is lost, a sum has none
  const __m256i high = _mm256_unpackhi_epi8(d, zero);   //
  return _mm256_add_epi32(_mm256_madd_epi16(low, low),  // madd: x0^2 + x1^2 <= 130050, signed 16-bit input is fine
                          _mm256_madd_epi16(high, high));
}

// Squares of 16 differences of words, added up in 4 lanes of 64 bits.
// Output of one call in [0, 4 * 65535^2 < 2^34] per lane.
CINEMILL_AVX2 static inline __m256i squares_u16(__m256i a, __m256i b) noexcept {
  const __m256i d = abs_diff_u16(a, b);          // [0, 65535]: does not fit the signed input of madd
  const __m256i low = _mm256_mullo_epi16(d, d);  // so the 32-bit product is made of its two halves
  const __m256i high = _mm256_mulhi_epu16(d, d);
  return _mm256_add_epi64(widen_add_u32(_mm256_unpacklo_epi16(low, high)),
                          widen_add_u32(_mm256_unpackhi_epi16(low, high)));
}

}  // namespace

CINEMILL_AVX2 std::uint64_t u8(PlaneView<std::uint8_t> a, PlaneView<std::uint8_t> b, Size size) noexcept {
  const int whole = size.width & ~31;
  std::uint64_t sum = 0;
  __m256i total = _mm256_setzero_si256();  // 4 x 64 bits
  for (int y = 0; y < size.height; ++y) {
    const std::uint8_t* pa = a.row(y);
    const std::uint8_t* pb = b.row(y);
    __m256i row = _mm256_setzero_si256();  // 8 x 32 bits; a row of 65535 has 2047 vectors: <= 2047 * 260100 < 2^30
    for (int x = 0; x < whole; x += 32) row = _mm256_add_epi32(row, squares(load(pa + x), load(pb + x)));
    total = _mm256_add_epi64(total, widen_add_u32(row));
    sum += tail(pa, pb, whole, size.width);
  }
  return sum + sum_u64(total);
}

CINEMILL_AVX2 std::uint64_t u16(PlaneView<std::uint16_t> a, PlaneView<std::uint16_t> b, Size size) noexcept {
  const int whole = size.width & ~15;
  std::uint64_t sum = 0;
  __m256i total = _mm256_setzero_si256();  // 4 x 64 bits: parts of a sum that fits 64 bits
  for (int y = 0; y < size.height; ++y) {
    const std::uint16_t* pa = a.row(y);
    const std::uint16_t* pb = b.row(y);
    for (int x = 0; x < whole; x += 16) total = _mm256_add_epi64(total, squares_u16(load(pa + x), load(pb + x)));
    sum += tail(pa, pb, whole, size.width);
  }
  return sum + sum_u64(total);
}

}  // namespace cinemill::sse::avx2

#endif  // CINEMILL_HAVE_AVX2
