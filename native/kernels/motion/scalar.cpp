// The definition of the motion sum: as plain as it can be written. Other targets are tested against it.
#include "kernels/motion/row.h"

namespace cinemill::motion::scalar {
namespace {

template <class T>
std::uint64_t motion(PlaneView<T> previous, PlaneView<T> current, Size size, int bit_depth,
                     std::byte* workspace) noexcept {
  auto* const row = reinterpret_cast<std::int32_t*>(workspace);
  std::uint64_t total = 0;
  for (int y = 0; y < size.height; ++y) {
    total += row_sum(previous, current, size, bit_depth, y, row);
  }
  return total;
}

}  // namespace

std::uint64_t u8(PlaneView<std::uint8_t> previous, PlaneView<std::uint8_t> current, Size size, int bit_depth,
                 std::byte* workspace) noexcept {
  return motion(previous, current, size, bit_depth, workspace);
}

std::uint64_t u16(PlaneView<std::uint16_t> previous, PlaneView<std::uint16_t> current, Size size, int bit_depth,
                  std::byte* workspace) noexcept {
  return motion(previous, current, size, bit_depth, workspace);
}

}  // namespace cinemill::motion::scalar
