// One row of the motion sum, as plain as it can be written.
#pragma once

#include <cstdlib>

#include "kernels/mirror.h"
#include "kernels/motion/motion.h"

namespace cinemill::motion {

template <class T>
void filter_columns(PlaneView<T> previous, PlaneView<T> current, Size size, int bit_depth, int y,
                    std::int32_t* out) noexcept {
  for (int x = 0; x < size.width; ++x) {
    std::int64_t sum = std::int64_t{1} << (bit_depth - 1);
    for (int k = 0; k < kTaps; ++k) {
      const int row = mirror(y - kRadius + k, size.height);
      sum += kFilter[k] * (std::int64_t{previous.row(row)[x]} - current.row(row)[x]);
    }
    out[x] = static_cast<std::int32_t>(sum >> bit_depth);
  }
}

inline std::uint64_t filter_row(const std::int32_t* row, int width) noexcept {
  std::uint64_t total = 0;
  for (int x = 0; x < width; ++x) {
    std::int64_t sum = 1 << 15;
    for (int k = 0; k < kTaps; ++k) sum += std::int64_t{kFilter[k]} * row[mirror(x - kRadius + k, width)];
    total += static_cast<std::uint64_t>(std::abs(sum >> 16));
  }
  return total;
}

// Row y, with a row of work.
template <class T>
std::uint64_t row_sum(PlaneView<T> previous, PlaneView<T> current, Size size, int bit_depth, int y,
                      std::int32_t* work) noexcept {
  filter_columns(previous, current, size, bit_depth, y, work);
  return filter_row(work, size.width);
}

}  // namespace cinemill::motion
