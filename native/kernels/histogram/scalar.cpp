// The definition of the histogram.
#include <algorithm>

#include "kernels/histogram/histogram.h"

namespace cinemill::histogram::scalar {
namespace {

template <class T>
void histogram(PlaneView<T> plane, Size size, Bins bins, std::uint32_t* counts) noexcept {
  std::fill_n(counts, bins.count, 0U);
  for (int y = 0; y < size.height; ++y) {
    const T* row = plane.row(y);
    for (int x = 0; x < size.width; ++x) ++counts[std::min(row[x] >> bins.shift, bins.count - 1)];
  }
}

}  // namespace

void u8(PlaneView<std::uint8_t> plane, Size size, Bins bins, std::uint32_t* counts) noexcept {
  histogram(plane, size, bins, counts);
}

void u16(PlaneView<std::uint16_t> plane, Size size, Bins bins, std::uint32_t* counts) noexcept {
  histogram(plane, size, bins, counts);
}

}  // namespace cinemill::histogram::scalar
