// Thumbnail of a plane: means of a grid of cells in 8-bit units, from some rows of each cell. What the shot detector
// keeps of a frame. Reading few rows matters: a decoded frame is larger than the cache, and means do not need all of
// it.
//
// Contract
//   input   a plane, and a grid of 1 to kMaxCells rows and columns. Cell (r, c) of a plane of height h and width w
//   spans
//           rows edge(r, h, rows) to edge(r + 1, h, rows) and columns likewise; where that is empty (a plane smaller
//           than the grid) it is the one row or column at its beginning. Of its rows every `row_step(h, rows)`-th is
//           read, from its first on: at most kMaxRows rows.
//   output  out[r * columns + c] = min(255, mean / 2^(bit_depth - 8) rounded half up), exact integer arithmetic.
//           Samples above the bit depth count as they are.
//   memory  reads samples of the rows named above; writes rows * columns bytes.
//   threads no state: any number of threads may call at once.
//   exact   every target returns the same bytes; scalar.cpp is the definition.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/plane.h"
#include "kernels/target.h"

namespace cinemill::thumbnail {

inline constexpr int kMaxCells = 256;
inline constexpr int kMaxRows =
    16;  // of a cell that are read: sums of a column fit 16 bits (16 * 255) or 32 (16 * 65535)

struct Grid {
  int rows;
  int columns;
  int shift;  // bit depth - 8, 0 to 8
};

// First sample of cell `cell` of `cells` along a side of `side` samples; <= 65535 * 256 < 2^31.
constexpr int edge(int cell, int side, int cells) noexcept { return cell * side / cells; }

// Distance of the rows that are read: such that cells of 8 and more rows give 4 to 8.
constexpr int row_step(int height, int rows) noexcept { return std::max(1, height / rows / 4); }

// The mean of `count` samples in 8-bit units, halves rounded up. Division in floating point is exact here, and several
// times as fast: numerator < 2^38 and divisor < 2^28 are exact doubles, and a quotient <= 2^17 that is no integer lies
// at least 2^-28 below the next one, far more than half a unit in its last place.
inline std::uint8_t mean(std::uint64_t sum, std::uint64_t count, int shift) noexcept {
  const std::uint64_t divisor = count << shift;
  const double quotient = static_cast<double>(2 * sum + divisor) / static_cast<double>(2 * divisor);
  return static_cast<std::uint8_t>(std::min(255, static_cast<int>(quotient)));
}

template <class T>
using Kernel = void (*)(PlaneView<T> plane, Size size, Grid grid, std::uint8_t* out) noexcept;

struct Table {
  Kernel<std::uint8_t> u8;
  Kernel<std::uint16_t> u16;
};

// The functions of one target. It must be available (kernels/target.h).
const Table& table(Target target) noexcept;

namespace scalar {
void u8(PlaneView<std::uint8_t> plane, Size size, Grid grid, std::uint8_t* out) noexcept;
void u16(PlaneView<std::uint16_t> plane, Size size, Grid grid, std::uint8_t* out) noexcept;
}  // namespace scalar

namespace avx2 {
void u8(PlaneView<std::uint8_t> plane, Size size, Grid grid, std::uint8_t* out) noexcept;
void u16(PlaneView<std::uint16_t> plane, Size size, Grid grid, std::uint8_t* out) noexcept;
}  // namespace avx2

}  // namespace cinemill::thumbnail
