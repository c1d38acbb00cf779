// The definition of the reduction: as plain as it can be written. Other targets are tested against it.
#include "kernels/speed/local_mean.h"

namespace cinemill::speed::scalar {
namespace {

// A plane about 0 in steps of 8 bits, resized.
template <class T>
class Resized {
 public:
  Resized(PlaneView<T> plane, Size source, int bit_depth, Size size) noexcept
      : plane_(plane), source_(source), size_(size), unit_(static_cast<float>(1 << (bit_depth - 8))) {}

  float at(int x, int y) const noexcept {
    if (size_.width == source_.width && size_.height == source_.height) return original(x, y);
    const Between across = between(x, source_.width, size_.width);
    const Between down = between(y, source_.height, size_.height);
    const float dx = across.part;
    const float dy = down.part;
    return (1 - dy) * (1 - dx) * original(across.first, down.first) +
           (1 - dy) * dx * original(across.second, down.first) + dy * (1 - dx) * original(across.first, down.second) +
           dy * dx * original(across.second, down.second);
  }

 private:
  PlaneView<T> plane_;
  Size source_;
  Size size_;
  float unit_;

  float original(int x, int y) const noexcept { return static_cast<float>(plane_.row(y)[x]) / unit_ - 128; }
};

// Every 16th sample of the filtered plane: columns first, then rows.
template <class T>
void shrink(const Resized<T>& plane, Size size, int stride, float* out) noexcept {
  const Filter<kShrinkTaps>& filter = shrinking();
  constexpr int kRadius = kShrinkTaps / 2;
  const Size small = reduced(size);
  for (int y = 0; y < small.height; ++y) {
    for (int x = 0; x < small.width; ++x) {
      float sum = 0;
      for (int k = 0; k < kShrinkTaps; ++k) {
        const int column = mirror(kShrink * x + k - kRadius, size.width);
        float inner = 0;
        for (int i = 0; i < kShrinkTaps; ++i) {
          inner += filter.tap[i] * plane.at(column, mirror(kShrink * y + i - kRadius, size.height));
        }
        sum += filter.tap[k] * inner;
      }
      out[std::ptrdiff_t{y} * stride + x] = sum;
    }
  }
}

double covariance(const float* a, const float* b, int stride, Size size, double mean_a, double mean_b) noexcept {
  double lane[8] = {};
  double rest = 0;
  for (int y = 0; y < size.height; ++y) {
    const float* const row_a = a + std::ptrdiff_t{y} * stride;
    const float* const row_b = b + std::ptrdiff_t{y} * stride;
    const int fours = size.width / 4 * 4;
    for (int x = 0; x < size.width; ++x) {
      const double product = (static_cast<double>(row_a[x]) - mean_a) * (static_cast<double>(row_b[x]) - mean_b);
      (x < fours ? lane[x % 8] : rest) += product;
    }
  }
  double four[4];
  for (int k = 0; k < 4; ++k) four[k] = lane[k] + lane[4 + k];
  return four[0] + four[1] + four[2] + four[3] + rest;
}

template <class T>
Result speed(PlaneView<T> ref, PlaneView<T> dist, Size source, int bit_depth, const Options& options,
             std::byte* workspace) noexcept {
  const Size small = reduced(options.size);
  const int stride = stride_of(small.width);
  const std::ptrdiff_t area = std::ptrdiff_t{stride} * small.height;
  auto* const planes = reinterpret_cast<float*>(workspace);
  float* const work = planes + 2 * area;
  for (int side = 0; side < 2; ++side) {
    const Resized<T> plane(side ? dist : ref, source, bit_depth, options.size);
    shrink(plane, options.size, stride, planes + side * area);
    subtract_local_mean(planes + side * area, small, stride, work);
  }
  return estimate({planes, small, stride}, {planes + area, small, stride}, options, covariance, work);
}

}  // namespace

Result u8(PlaneView<std::uint8_t> ref, PlaneView<std::uint8_t> dist, Size source, int bit_depth, const Options& options,
          std::byte* workspace) noexcept {
  return speed(ref, dist, source, bit_depth, options, workspace);
}

Result u16(PlaneView<std::uint16_t> ref, PlaneView<std::uint16_t> dist, Size source, int bit_depth,
           const Options& options, std::byte* workspace) noexcept {
  return speed(ref, dist, source, bit_depth, options, workspace);
}

}  // namespace cinemill::speed::scalar
