// Motion in single precision with 256-bit vectors. Rows are filtered as they come; the sums of 8 rows are formed
// together, since each must go from left to right.
#include "kernels/float_motion/float_motion.h"

#if CINEMILL_HAVE_AVX2
#include <algorithm>

#include "kernels/avx2.h"
#include "kernels/float_motion/rows.h"
#include "kernels/mirror.h"

namespace cinemill::float_motion::avx2 {
namespace {

struct Work {
  float* memory;
  int stride;

  float* row(int i) const noexcept { return memory + std::ptrdiff_t{i} * stride + kMargin; }
  float* sample_row(int side, int y) const noexcept { return row(side * kRing + y % kRing); }
  float* filtered(int side) const noexcept { return row(2 * kRing + side); }
  float* difference(int i) const noexcept { return row(2 * kRing + 2 + i); }
};

template <class T>
CINEMILL_AVX2 void convert(const T* from, int width, float unit, float* to) noexcept {
  int x = 0;
  for (; x + 8 <= width; x += 8) {
    const __m256 value = _mm256_mul_ps(_mm256_cvtepi32_ps(eight_samples(from + x)), _mm256_set1_ps(unit));
    _mm256_storeu_ps(to + x, _mm256_sub_ps(value, _mm256_set1_ps(kMiddle)));
  }
  for (; x < width; ++x) to[x] = static_cast<float>(from[x]) * unit - kMiddle;
  std::fill_n(to + width, kMargin, 0.0F);
}

CINEMILL_AVX2 static inline __m256 filter5(const float* const (&from)[kTaps], int x) noexcept {
  __m256 sum = _mm256_mul_ps(_mm256_loadu_ps(from[0] + x), _mm256_set1_ps(kTap[0]));
#pragma GCC unroll 4
  for (int k = 1; k < kTaps; ++k) {
    sum = _mm256_add_ps(sum, _mm256_mul_ps(_mm256_loadu_ps(from[k] + x), _mm256_set1_ps(kTap[k])));
  }
  return sum;
}

// The columns around row y, with the ends that rows are filtered beyond.
CINEMILL_AVX2 void filter_columns(const Work& work, int side, int y, Size size) noexcept {
  const float* from[kTaps];
  for (int k = 0; k < kTaps; ++k) from[k] = work.sample_row(side, mirror(y - kTaps / 2 + k, size.height));
  float* const to = work.filtered(side);
  for (int x = 0; x < size.width; x += 8) _mm256_storeu_ps(to + x, filter5(from, x));
  for (int i = 1; i <= kTaps / 2; ++i) {
    to[-i] = to[i];
    to[size.width - 1 + i] = to[size.width - 1 - i];
  }
}

CINEMILL_AVX2 void subtract(const Work& work, int width, float* to) noexcept {
  const float* from[2][kTaps];
  for (int side = 0; side < 2; ++side) {
    for (int k = 0; k < kTaps; ++k) from[side][k] = work.filtered(side) + k - kTaps / 2;
  }
  const __m256 sign = _mm256_set1_ps(-0.0F);
  for (int x = 0; x < width; x += 8) {
    _mm256_storeu_ps(to + x, _mm256_andnot_ps(sign, _mm256_sub_ps(filter5(from[0], x), filter5(from[1], x))));
  }
}

void add_rows(const Work& work, int rows, int width, float& sum) noexcept {
  float of_row[kBand] = {};
  const float* const first = work.difference(0);
  for (int x = 0; x < width; ++x) {
    for (int i = 0; i < kBand; ++i) of_row[i] += first[std::ptrdiff_t{i} * work.stride + x];
  }
  for (int i = 0; i < rows; ++i) sum += of_row[i];
}

template <class T>
float motion(PlaneView<T> previous, PlaneView<T> current, Size size, int bit_depth, std::byte* workspace) noexcept {
  const Work work{reinterpret_cast<float*>(workspace), stride_of(size.width)};
  const float unit = 1.0F / static_cast<float>(1 << (bit_depth - 8));
  for (int i = 0; i < kBand; ++i) std::fill_n(work.difference(i), size.width, 0.0F);
  int converted = 0;
  float sum = 0;
  for (int y = 0; y < size.height; ++y) {
    for (; converted < std::min(y + kTaps / 2 + 1, size.height); ++converted) {
      convert(previous.row(converted), size.width, unit, work.sample_row(0, converted));
      convert(current.row(converted), size.width, unit, work.sample_row(1, converted));
    }
    for (int side = 0; side < 2; ++side) filter_columns(work, side, y, size);
    subtract(work, size.width, work.difference(y % kBand));
    if (y % kBand == kBand - 1 || y == size.height - 1) add_rows(work, y % kBand + 1, size.width, sum);
  }
  return mean_of(sum, size);
}

}  // namespace

float u8(PlaneView<std::uint8_t> previous, PlaneView<std::uint8_t> current, Size size, int bit_depth,
         std::byte* workspace) noexcept {
  return motion(previous, current, size, bit_depth, workspace);
}

float u16(PlaneView<std::uint16_t> previous, PlaneView<std::uint16_t> current, Size size, int bit_depth,
          std::byte* workspace) noexcept {
  return motion(previous, current, size, bit_depth, workspace);
}

}  // namespace cinemill::float_motion::avx2
#endif
