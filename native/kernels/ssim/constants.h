// Numbers and memory that the targets of SSIM share.
#pragma once

#include <algorithm>
#include <cmath>

#include "kernels/ssim/ssim.h"

namespace cinemill::ssim {

inline constexpr float kGaussian[kWindow] = {0.001028F, 0.007599F, 0.036001F, 0.109361F, 0.213006F, 0.266012F,
                                             0.213006F, 0.109361F, 0.036001F, 0.007599F, 0.001028F};

// Low-pass before halving: 9/7 biorthogonal wavelet, rounded to 6 decimals in both dimensions together.
inline constexpr int kLowPass = 9;
inline constexpr float kLow[kLowPass][kLowPass] = {
    {0.000714F, -0.000450F, -0.002090F, 0.007132F, 0.016114F, 0.007132F, -0.002090F, -0.000450F, 0.000714F},
    {-0.000450F, 0.000283F, 0.001316F, -0.004490F, -0.010146F, -0.004490F, 0.001316F, 0.000283F, -0.000450F},
    {-0.002090F, 0.001316F, 0.006115F, -0.020867F, -0.047149F, -0.020867F, 0.006115F, 0.001316F, -0.002090F},
    {0.007132F, -0.004490F, -0.020867F, 0.071207F, 0.160885F, 0.071207F, -0.020867F, -0.004490F, 0.007132F},
    {0.016114F, -0.010146F, -0.047149F, 0.160885F, 0.363505F, 0.160885F, -0.047149F, -0.010146F, 0.016114F},
    {0.007132F, -0.004490F, -0.020867F, 0.071207F, 0.160885F, 0.071207F, -0.020867F, -0.004490F, 0.007132F},
    {-0.002090F, 0.001316F, 0.006115F, -0.020867F, -0.047149F, -0.020867F, 0.006115F, 0.001316F, -0.002090F},
    {-0.000450F, 0.000283F, 0.001316F, -0.004490F, -0.010146F, -0.004490F, 0.001316F, 0.000283F, -0.000450F},
    {0.000714F, -0.000450F, -0.002090F, 0.007132F, 0.016114F, 0.007132F, -0.002090F, -0.000450F, 0.000714F},
};

// What keeps quotients finite: (0.01 * 255)^2 and (0.03 * 255)^2 in single precision.
inline constexpr float kC1 = (0.01F * 255) * (0.01F * 255);
inline constexpr float kC2 = (0.03F * 255) * (0.03F * 255);
inline constexpr float kC3 = kC2 / 2.0F;

// By how much a single scale is averaged down.
constexpr int factor(Size size) noexcept {
  const float wanted = static_cast<float>(std::min(size.width, size.height)) / 256.0F;
  const int whole = static_cast<int>(wanted);
  return std::max(1, wanted - static_cast<float>(whole) >= 0.5F ? whole + 1 : whole);
}

constexpr Size shrunk(Size size, int by) noexcept {
  return {size.width / by + (size.width & 1), size.height / by + (size.height & 1)};
}

// A place outside, mirrored with the edge sample repeated: -1 is 0.
constexpr int reflected(int i, int size) noexcept { return i < 0 ? -1 - i : i >= size ? 2 * size - 1 - i : i; }

// A sum of single-precision terms with about 40 bits. Terms are rounded to a grid and added there, which is exact; what
// rounding left is added apart.
//
// libvmaf adds terms in double precision and rounds once. So does this but for roundings of `rest`, which is at most 6
// steps of the grid: each is below 2^-21 of a step, and they matter only where a sum lies that close to the middle
// between two numbers. Double precision costs 40 % more.
struct Sum {
  float on_grid;
  float rest = 0;

  void add(float term) noexcept {
    const float sum = on_grid + term;
    rest += term - (sum - on_grid);
    on_grid = sum;
  }
};

// Where a sum begins: sums up to 2^(exponent - 1) in magnitude leave the grid as it is, one of 2^(exponent - 23).
constexpr float origin(int exponent) noexcept { return 1.5F * static_cast<float>(1 << exponent); }

// Samples of a scale are below 2^(8 + scale) in magnitude: the taps before halving have magnitudes that add up to 1.91.
constexpr float origin_of_means(int scale) noexcept { return origin(9 + scale); }
constexpr float origin_of_squares(int scale) noexcept { return origin(17 + 2 * scale); }

// A window's three terms.
struct Terms {
  float luminance;
  float contrast;
  float structure;
};

// From means (m), variances (v) of both sides and their covariance. libvmaf has double precision above the lines: that
// is some 10^-8 of a mean.
inline Terms terms(float m1, float m2, float v1, float v2, float covariance) noexcept {
  const float root = std::sqrt(v1 * v2);
  const float both = covariance < 0 && root <= 0 ? 0 : covariance;
  return {(2.0F * (m1 * m2) + kC1) / (m1 * m1 + m2 * m2 + kC1), (2.0F * root + kC2) / (v1 + v2 + kC2),
          (both + kC3) / (root + kC3)};
}

// 8 lanes each of similarity, luminance, contrast, structure: of a strip's row, and of all.
struct RowOfSums {
  float lane[4][8] = {};
};
// Sums of 8 lanes: similarity, luminance, contrast, structure.
struct Sums {
  double lane[4][8] = {};
};

inline void add(const RowOfSums& row, Sums& sums) noexcept {
  for (int i = 0; i < 4; ++i) {
    for (int lane = 0; lane < 8; ++lane) sums.lane[i][lane] += static_cast<double>(row.lane[i][lane]);
  }
}

inline Means means_of(const Sums& sums, Size windows) noexcept {
  const double count = static_cast<double>(windows.width) * windows.height;
  float mean[4];
  for (int i = 0; i < 4; ++i) {
    double sum = 0;
    for (const double lane : sums.lane[i]) sum += lane;
    mean[i] = static_cast<float>(sum / count);
  }
  return {mean[0], mean[1], mean[2], mean[3]};
}

inline constexpr std::size_t kAlign = 64;
inline constexpr int kMargin = 32;  // floats before and behind a row
constexpr int stride_of(int width) noexcept { return (width + 2 * kMargin + 15) & ~15; }
inline constexpr int kStripFloats = (kStrip + kWindow - 1 + 7 + 15) & ~15;  // under a strip, in whole vectors
inline constexpr int kStripRows = 5 * (kWindow + 1) + 3;
inline constexpr int kHalvingFloats = 2 * (kLowPass + 1) * (kLowPass / 2 + 1) * kStrip;  // sums of rows
inline constexpr int kRows = 8;
constexpr std::size_t plane_floats(Size size) noexcept {
  return static_cast<std::size_t>(stride_of(size.width)) * static_cast<std::size_t>(size.height);
}

}  // namespace cinemill::ssim
