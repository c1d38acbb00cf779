// Numbers that the targets of ADM share.
#pragma once

#include <cstdint>

#include "kernels/adm/adm.h"

namespace cinemill::adm {

// Daubechies-2 wavelet in 2^-15; the low-pass adds up to 46342, the high-pass to 0.
inline constexpr int kTaps = 4;
inline constexpr std::int32_t kLow[kTaps] = {15826, 27411, 7345, -4240};
inline constexpr std::int32_t kHigh[kTaps] = {-4240, -7345, 27411, -15826};

// Source sample of tap k of coefficient i: 2 i - 1 + k, mirrored about sample 0 in front and about the edge behind.
constexpr int source(int i, int k, int size) noexcept {
  const int at = 2 * i - 1 + k;
  return at < 0 ? -at : at >= size ? 2 * size - 1 - at : at;
}

constexpr int halved(int side) noexcept { return (side + 1) / 2; }
constexpr Size halved(Size size) noexcept { return {halved(size.width), halved(size.height)}; }

// Shifts that follow the two passes of the wavelet at each scale; those of scale 0 are for its bit depth and 16.
struct WaveletShift {
  int columns;
  int rows;
};
inline constexpr WaveletShift kWaveletShift[kScales] = {{0, 16}, {0, 15}, {16, 16}, {16, 15}};

// Whether libvmaf's AVX2 code (what everybody on x86 gets, and what the golden scores come from) filters the last
// column of a level with what lies behind the row instead of mirrored samples: it takes columns 1, 2, ... in whole
// vectors, and its tail begins behind them. It takes the first level of 8 bits in another way.
constexpr bool overruns(Size source, int scale, int bit_depth) noexcept {
  const int columns = (source.width + 1) / 2 - 1;
  return scale ? columns % 4 == 0 : bit_depth > 8 && columns % 16 == 0;
}

constexpr std::int64_t half_of(int shift) noexcept { return shift ? std::int64_t{1} << (shift - 1) : 0; }

// The part of a band that counts: a tenth on every side is left out.
struct Window {
  int left, top, right, bottom;  // half open
};
constexpr Window window(Size band) noexcept {
  const int left = static_cast<int>(band.width * 0.1 - 0.5);
  const int top = static_cast<int>(band.height * 0.1 - 0.5);
  return {left, top, band.width - left, band.height - top};
}

// ceil(log2(n)) of n >= 1.
constexpr int log2_up(int n) noexcept {
  int bits = 0;
  while ((std::int64_t{1} << bits) < n) ++bits;
  return bits;
}

constexpr int at_least_0(int n) noexcept { return n < 0 ? 0 : n; }

// Contrast sensitivity of the bands in fixed point: units of 2^-21, 2^-21, 2^-23 at scale 0, of 2^-32 at the others.
struct Sensitivity {
  std::int64_t factor[kBands];
  int shift[kBands];          // behind the product
  std::int64_t half[kBands];  // before it
};
Sensitivity sensitivity(const Viewing& viewing, int scale) noexcept;

// How the cube of a masked coefficient is shifted on its way into the sum of a row, and a row into the sum of the
// scale.
struct CubeShift {
  int mask[kBands];  // left shift of the masking threshold
  int square[kBands];
  int cube[kBands];
  int row;
};
CubeShift cube_shift(int scale, Size band) noexcept;

// The same of the denominator, whose coefficients are not weighted.
struct DenominatorShift {
  int square;
  int cube;
  int row;
};
DenominatorShift denominator_shift(int scale, Size band) noexcept;

// Square of the cosine of 1 degree: coefficients within it only differ by contrast.
inline constexpr float kCos1Squared = 0.999695413509547865F;

}  // namespace cinemill::adm
