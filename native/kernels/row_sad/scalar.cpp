// The definition.
#include <cstdlib>

#include "kernels/row_sad/row_sad.h"

namespace cinemill::row_sad::scalar {

void u8(const std::uint8_t* a, const std::uint8_t* b, std::size_t rows, int length, std::uint32_t* sums) noexcept {
  for (std::size_t row = 0; row < rows; ++row, a += length, b += length) {
    std::uint32_t sum = 0;
    for (int x = 0; x < length; ++x) sum += static_cast<std::uint32_t>(std::abs(a[x] - b[x]));
    sums[row] = sum;
  }
}

}  // namespace cinemill::row_sad::scalar
