// What does not depend on the target: weights of the bands, shifts, and the last step in floating point.
#include <cmath>
#include <numbers>

#include "kernels/adm/constants.h"

namespace cinemill::adm {
namespace {

constexpr double kNoiseWeight = 0.03125;

// Visibility of wavelet quantization noise of luma, Watson et al. 1997: formulas 1, 7 and 9, tables IV and V. `theta`
// is 1 for horizontal and vertical detail, 2 for diagonal.
float quantization_step(int scale, int theta) noexcept {
  constexpr float kG[4] = {1.501F, 1.0F, 0.534F, 1.0F};
  constexpr float kAmplitude[kScales][4] = {{0.62171F, 0.67234F, 0.72709F, 0.67234F},
                                            {0.34537F, 0.41317F, 0.49428F, 0.41317F},
                                            {0.18004F, 0.22727F, 0.28688F, 0.22727F},
                                            {0.091401F, 0.11792F, 0.15214F, 0.11792F}};
  constexpr float kA = 0.495F;
  constexpr float kK = 0.466F;
  constexpr float kF0 = 0.401F;
  const auto pixels_per_degree = static_cast<float>(3.0 * 1080 * std::numbers::pi / 180.0);
  const auto log =
      static_cast<float>(std::log10(std::pow(2.0, scale + 1) * static_cast<double>(kF0) *
                                    static_cast<double>(kG[theta]) / static_cast<double>(pixels_per_degree)));
  return static_cast<float>(2.0 * static_cast<double>(kA) * std::pow(10.0, static_cast<double>(kK * log * log)) /
                            static_cast<double>(kAmplitude[scale][theta]));
}

float weight(int scale, int band) noexcept { return 1.0F / quantization_step(scale, band == 2 ? 2 : 1); }

Sensitivity make_sensitivity(int scale) noexcept {
  if (scale == 0) return {{36453, 36453, 49417}, {15, 15, 17}, {16384, 16384, 65535}};
  Sensitivity made{};
  for (int band = 0; band < kBands; ++band) {
    made.factor[band] = static_cast<std::uint32_t>(static_cast<double>(weight(scale, band)) * 4294967296.0);
    made.shift[band] = 28;
    made.half[band] = half_of(28);
  }
  return made;
}

float cube_root(float value) noexcept { return std::pow(value, 1.0F / 3.0F); }

float noise(Size band) noexcept {
  const Window counted = window(band);
  const int samples = (counted.bottom - counted.top) * (counted.right - counted.left);
  return cube_root(static_cast<float>(samples * kNoiseWeight));
}

float numerator(const std::int64_t* sums, int scale, Size band, float add) noexcept {
  const CubeShift shift = cube_shift(scale, band);
  constexpr int kUnit[kScales][kBands] = {{52, 52, 57}, {45, 45, 45}, {39, 39, 39}, {36, 36, 36}};
  float root[kBands];
  for (int i = 0; i < kBands; ++i) {
    const double unit = std::pow(2.0, kUnit[scale][i] - shift.cube[i] - shift.row);
    // Scale 0 divides doubles, the others floats.
    const float sum = scale == 0 ? static_cast<float>(static_cast<double>(sums[i]) / unit)
                                 : static_cast<float>(sums[i]) / static_cast<float>(unit);
    root[i] = cube_root(sum) + add;
  }
  return root[0] + root[1] + root[2];
}

float denominator(const Sums& sums, int scale, Size band) noexcept {
  const DenominatorShift shift = denominator_shift(scale, band);
  constexpr int kUnit[kScales] = {18, 32, 27, 23};
  float root[kBands];
  for (int i = 0; i < kBands; ++i) {
    const double unit = std::pow(2.0, kUnit[scale] - shift.row - shift.cube);
    const double sum = static_cast<double>(sums.den[i]) / unit * std::pow(static_cast<double>(weight(scale, i)), 3);
    root[i] = cube_root(static_cast<float>(sum)) + noise(band);
  }
  return root[0] + root[1] + root[2];
}

}  // namespace

const Sensitivity& sensitivity(int scale) noexcept {
  static const Sensitivity all[kScales] = {make_sensitivity(0), make_sensitivity(1), make_sensitivity(2),
                                           make_sensitivity(3)};
  return all[scale];
}

CubeShift cube_shift(int scale, Size band) noexcept {
  const int width = log2_up(band.width);
  const int height = log2_up(band.height);
  if (scale) return {{0, 0, 0}, {30, 30, 30}, {width, width, width}, height};
  return {{10, 10, 12}, {29, 29, 30}, {at_least_0(width - 4), at_least_0(width - 4), at_least_0(width - 3)}, height};
}

DenominatorShift denominator_shift(int scale, Size band) noexcept {
  const Window counted = window(band);
  const int width = counted.right - counted.left;
  const int height = counted.bottom - counted.top;
  constexpr int kSquare[kScales] = {0, 31, 30, 31};
  if (scale) return {kSquare[scale], log2_up(width), log2_up(height)};
  return {0, 0, at_least_0(static_cast<int>(std::ceil(std::log2(height * width) - 20)))};
}

Terms terms(const Sums& sums, int scale, int gain, Size size) noexcept {
  Size band = size;
  for (int i = 0; i <= scale; ++i) band = halved(band);
  return {numerator(sums.num[gain], scale, band, noise(band)), denominator(sums, scale, band),
          numerator(sums.aim[gain], scale, band, 0.0F)};
}

}  // namespace cinemill::adm
