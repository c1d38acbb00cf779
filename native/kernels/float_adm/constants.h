// Numbers that the targets of single-precision ADM share.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "kernels/float_adm/float_adm.h"

namespace cinemill::float_adm {

// Wavelet of Daubechies with two vanishing moments.
inline constexpr float kLow[4] = {0.482962913144690F, 0.836516303737469F, 0.224143868041857F, -0.129409522550921F};
inline constexpr float kHigh[4] = {-0.129409522550921F, -0.224143868041857F, 0.836516303737469F, -0.482962913144690F};

inline constexpr float kMiddle = 128.0F;        // taken off samples of 8 bits
inline constexpr float kTiny = 1e-30F;          // keeps quotients finite
inline constexpr float kCosine = 0.99969542F;   // squared, of 1 degree
inline constexpr float kAround = 1.0F / 30.0F;  // share of neighbours in the masking threshold
inline constexpr float kCentre = 1.0F / 15.0F;

constexpr Size halved(Size size) noexcept { return {(size.width + 1) / 2, (size.height + 1) / 2}; }

// What is counted of a band.
struct Window {
  int left;
  int top;
  int right;
  int bottom;
};

constexpr Window window(Size band) noexcept {
  const int left = static_cast<int>(band.width * 0.1 - 0.5);
  const int top = static_cast<int>(band.height * 0.1 - 0.5);
  return {left, top, band.width - left, band.height - top};
}

// Places outside a plane that is split into bands: -1 is 1, size is size - 1.
constexpr int folded(int i, int size) noexcept { return i < 0 ? -i : i >= size ? 2 * size - 1 - i : i; }

inline constexpr int kMargin = 32;  // floats before and behind a row
constexpr int stride_of(int width) noexcept { return (width + 2 * kMargin + 15) & ~15; }
constexpr std::size_t plane_floats(Size size) noexcept {
  return static_cast<std::size_t>(stride_of(size.width)) * static_cast<std::size_t>(size.height);
}

}  // namespace cinemill::float_adm
