// The definition of the sum of absolute differences.
#include <cstdlib>

#include "kernels/sad/sad.h"

namespace cinemill::sad::scalar {
namespace {

template <class T>
std::uint64_t sad(PlaneView<T> a, PlaneView<T> b, Size size) noexcept {
  std::uint64_t sum = 0;
  for (int y = 0; y < size.height; ++y) {
    const T* pa = a.row(y);
    const T* pb = b.row(y);
    for (int x = 0; x < size.width; ++x) sum += static_cast<std::uint64_t>(std::abs(pa[x] - pb[x]));
  }
  return sum;
}

}  // namespace

std::uint64_t u8(PlaneView<std::uint8_t> a, PlaneView<std::uint8_t> b, Size size) noexcept { return sad(a, b, size); }

std::uint64_t u16(PlaneView<std::uint16_t> a, PlaneView<std::uint16_t> b, Size size) noexcept {
  return sad(a, b, size);
}

}  // namespace cinemill::sad::scalar
