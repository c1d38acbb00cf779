// The definition of motion in single precision: as plain as it can be written. Other targets are tested against it.
#include <cmath>

#include "kernels/float_motion/rows.h"
#include "kernels/mirror.h"

namespace cinemill::float_motion {

std::size_t workspace_bytes(Size size) noexcept {
  return sizeof(float) * kRows * static_cast<std::size_t>(stride_of(size.width));
}

namespace scalar {
namespace {

// Five values around place i weighted.
template <class Value>
float filtered(int i, int size, const Value& value) noexcept {
  float sum = 0;
  for (int k = 0; k < kTaps; ++k) sum += kTap[k] * value(mirror(i - kTaps / 2 + k, size));
  return sum;
}

// The columns of a plane around row y.
template <class T>
void filter_columns(PlaneView<T> plane, Size size, int y, float unit, float* row) noexcept {
  for (int x = 0; x < size.width; ++x) {
    row[x] = filtered(y, size.height, [&](int at) { return static_cast<float>(plane.row(at)[x]) / unit - kMiddle; });
  }
}

template <class T>
float motion(PlaneView<T> previous, PlaneView<T> current, Size size, int bit_depth, std::byte* workspace) noexcept {
  const auto unit = static_cast<float>(1 << (bit_depth - 8));
  auto* const before = reinterpret_cast<float*>(workspace);
  float* const now = before + stride_of(size.width);
  float sum = 0;
  for (int y = 0; y < size.height; ++y) {
    filter_columns(previous, size, y, unit, before);
    filter_columns(current, size, y, unit, now);
    float row = 0;
    for (int x = 0; x < size.width; ++x) {
      row += std::fabs(filtered(x, size.width, [before](int at) { return before[at]; }) -
                       filtered(x, size.width, [now](int at) { return now[at]; }));
    }
    sum += row;
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

}  // namespace scalar
}  // namespace cinemill::float_motion
