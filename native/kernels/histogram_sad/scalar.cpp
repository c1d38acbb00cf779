// The definition: the two kernels it fuses, one after the other.
#include "kernels/histogram_sad/histogram_sad.h"
#include "kernels/sad/sad.h"

namespace cinemill::histogram_sad::scalar {

std::uint64_t u8(PlaneView<std::uint8_t> current, PlaneView<std::uint8_t> previous, Size size, Bins bins,
                 std::uint32_t* counts) noexcept {
  histogram::scalar::u8(current, size, bins, counts);
  return sad::scalar::u8(current, previous, size);
}

std::uint64_t u16(PlaneView<std::uint16_t> current, PlaneView<std::uint16_t> previous, Size size, Bins bins,
                  std::uint32_t* counts) noexcept {
  histogram::scalar::u16(current, size, bins, counts);
  return sad::scalar::u16(current, previous, size);
}

}  // namespace cinemill::histogram_sad::scalar
