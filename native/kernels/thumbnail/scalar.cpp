// The definition of a thumbnail: cell by cell. Other targets are tested against it.
#include "kernels/thumbnail/thumbnail.h"

namespace cinemill::thumbnail::scalar {
namespace {

template <class T>
void thumbnail(PlaneView<T> plane, Size size, Grid grid, std::uint8_t* out) noexcept {
  const int step = row_step(size.height, grid.rows);
  for (int r = 0; r < grid.rows; ++r) {
    const int top = edge(r, size.height, grid.rows);
    const int bottom = std::max(top + 1, edge(r + 1, size.height, grid.rows));
    for (int c = 0; c < grid.columns; ++c) {
      const int left = edge(c, size.width, grid.columns);
      const int right = std::max(left + 1, edge(c + 1, size.width, grid.columns));
      std::uint64_t sum = 0;
      std::uint64_t count = 0;
      for (int y = top; y < bottom; y += step) {
        for (int x = left; x < right; ++x) sum += plane.row(y)[x];
        count += static_cast<std::uint64_t>(right - left);
      }
      *out++ = mean(sum, count, grid.shift);
    }
  }
}

}  // namespace

void u8(PlaneView<std::uint8_t> plane, Size size, Grid grid, std::uint8_t* out) noexcept {
  thumbnail(plane, size, grid, out);
}

void u16(PlaneView<std::uint16_t> plane, Size size, Grid grid, std::uint8_t* out) noexcept {
  thumbnail(plane, size, grid, out);
}

}  // namespace cinemill::thumbnail::scalar
