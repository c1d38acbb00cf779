// The definition of the sum of squared error: as plain as it can be written. Other targets are tested against it.
#include "kernels/sse/sse.h"

namespace cinemill::sse::scalar {
namespace {

template <class T>
std::uint64_t sse(PlaneView<T> a, PlaneView<T> b, Size size) noexcept {
  std::uint64_t sum = 0;
  for (int y = 0; y < size.height; ++y) {
    const T* pa = a.row(y);
    const T* pb = b.row(y);
    for (int x = 0; x < size.width; ++x) {
      // 64 bits before the product: 65535^2 does not fit a signed 32-bit integer.
      const std::int64_t d = std::int64_t{pa[x]} - pb[x];
      sum += static_cast<std::uint64_t>(d * d);
    }
  }
  return sum;
}

}  // namespace

std::uint64_t u8(PlaneView<std::uint8_t> a, PlaneView<std::uint8_t> b, Size size) noexcept { return sse(a, b, size); }

std::uint64_t u16(PlaneView<std::uint16_t> a, PlaneView<std::uint16_t> b, Size size) noexcept {
  return sse(a, b, size);
}

}  // namespace cinemill::sse::scalar
