// Inspection of a picture: in one pass over luma (and the luma before it), the sums from which its per-frame features
// follow; in one pass over chroma, those of its colours. Features are made of sums in Python: what a sum means is not
// the kernel's business.
//
// Contract
//   input   planes of kMinSide to kMaxWidth samples width and height, at most kMaxArea samples; `previous` of the same
//           size, or without samples. Samples above the bit depth count as they are.
//   output  `Luma` and `Chroma` below, all exact but for `edge` and `gamut`, whose arithmetic is IEEE single precision
//           in the order of the formulas, without fused multiply-adds: every target returns the same bits.
//   range   16-bit samples: a square of a gradient is <= 2 * (4 * 65535)^2 < 2^38, times 2^26 samples < 2^64.
//   memory  reads every sample of the planes; writes the result, and `workspace` (kWorkspace bytes of the caller's).
//   threads no state: any number of threads may call at once.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/plane.h"
#include "kernels/target.h"

namespace cinemill::inspect {

inline constexpr int kMinSide = 3;
inline constexpr int kMaxWidth = 16384;
inline constexpr int kMaxArea = 1 << 26;
inline constexpr int kBins = 256;     // of the histogram: 8-bit units
inline constexpr int kPhases = 8;     // of the block grid
inline constexpr int kSpots = 16;     // that are listed; all are counted
inline constexpr int kEdgeUnit = 16;  // `edge` is in sixteenths of a sample unit
inline constexpr std::size_t kWorkspace = 8 * kBins * sizeof(std::uint32_t) + 2 * kMaxWidth;

struct LumaSettings {
  int shift;  // bit depth - 8
  int dark;   // largest sample of a bar
  int spot;   // by how much a lone sample stands out of its eight neighbours
};

// c is the sample at (x, y), p the one before it in time, l r u d its neighbours. Where not said otherwise, sums run
// over all samples; "inner" leaves out the outermost rows and columns.
struct Luma {
  std::uint64_t sum, squares;       // of c, of c^2
  std::uint64_t least, most;        // of all c
  std::int64_t laplacian;           // inner: l + r + u + d - 4 c
  std::uint64_t laplacian_squares;  // inner
  std::uint64_t noise;              // inner: |c convolved with (1 -2 1; -2 4 -2; 1 -2 1)|
  std::uint64_t edge,
      edge_squares;  // inner: of the Sobel gradient: 16 sqrt(gx^2 + gy^2) to the nearest, halves to even; gx^2 + gy^2
  std::uint64_t across[2];      // |r - c|: where x mod 8 is not 7; where it is
  std::uint64_t down[kPhases];  // |d - c|, by y mod 8
  std::uint64_t spots;          // inner: samples that stand out of all eight neighbours by more than `spot`
  std::uint64_t spot_x[kSpots], spot_y[kSpots];  // the first of them, row by row
  std::uint64_t bars[4];         // rows at the top and bottom, columns left and right with no sample > `dark`
  std::uint64_t change;          // |c - p|
  std::int64_t drift;            // c - p
  std::uint64_t change_squares;  // (c - p)^2
  std::uint64_t changed;         // samples with c != p
  // Over pairs of rows y = 2 and 3 mod 8 that are not the last, [y mod 2]: how rows of one field lie between those of
  // another.
  std::uint64_t comb[2];           // |u + d - 2 c|
  std::uint64_t comb_before[2];    // |u + d - 2 p|: this picture's rows around the earlier one's
  std::uint64_t comb_after[2];     // |u' + d' - 2 c|: the earlier picture's rows around this one's
  std::uint64_t field_change[2];   // |c - p| of these rows
  std::uint64_t comb_samples;      // samples of these rows, of each parity
  std::uint32_t histogram[kBins];  // min(c >> shift, 255) of rows 0, 2, 4 ...
};

struct ChromaSettings {
  int x_shift, y_shift;                          // log2 subsampling of chroma
  float luma_zero, chroma_zero;                  // samples that stand for black and for grey
  float luma, red, green_blue, green_red, blue;  // R = luma y + red v; G = luma y - green_blue u - green_red v; ...
};

// a is a sample of Cb, b of Cr.
struct Chroma {
  std::uint64_t sum_a, sum_b, squares_a, squares_b, products;
  std::uint64_t least_a, most_a, least_b, most_b;
  std::uint64_t gamut;  // samples whose R, G or B, with the luma sample at their top left, lies outside [-0.05, 1.05]
};

// Three rows of a plane.
template <class T>
struct Rows {
  const T* up;
  const T* here;
  const T* down;
};

template <class T>
using LumaKernel = void (*)(PlaneView<T> current, PlaneView<T> previous, Size size, LumaSettings settings,
                            std::byte* workspace, Luma* out) noexcept;
template <class T>
using ChromaKernel = void (*)(PlaneView<T> luma, PlaneView<T> cb, PlaneView<T> cr, Size chroma_size,
                              ChromaSettings settings, Chroma* out) noexcept;

struct Table {
  LumaKernel<std::uint8_t> luma_u8;
  LumaKernel<std::uint16_t> luma_u16;
  ChromaKernel<std::uint8_t> chroma_u8;
  ChromaKernel<std::uint16_t> chroma_u16;
};

// The functions of one target. It must be available (kernels/target.h).
const Table& table(Target target) noexcept;

namespace scalar {
extern const Table kTable;
}  // namespace scalar

namespace avx2 {
extern const Table kTable;
}  // namespace avx2

}  // namespace cinemill::inspect
