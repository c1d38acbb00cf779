// What does not depend on the target: weights of the bands, shifts, and the last step in floating point.
#include <cmath>
#include <numbers>

#include "kernels/adm/constants.h"

namespace cinemill::adm {
namespace {

// Visibility of wavelet quantization noise of luma, Watson et al. 1997: formulas 1, 7 and 9, tables IV and V. `theta`
// is 1 for horizontal and vertical detail, 2 for diagonal.
float quantization_step(const Viewing& viewing, int scale, int theta) noexcept {
  constexpr float kG[4] = {1.501F, 1.0F, 0.534F, 1.0F};
  constexpr float kAmplitude[kScales][4] = {{0.62171F, 0.67234F, 0.72709F, 0.67234F},
                                            {0.34537F, 0.41317F, 0.49428F, 0.41317F},
                                            {0.18004F, 0.22727F, 0.28688F, 0.22727F},
                                            {0.091401F, 0.11792F, 0.15214F, 0.11792F}};
  constexpr float kA = 0.495F;
  constexpr float kK = 0.466F;
  constexpr float kF0 = 0.401F;
  const auto pixels_per_degree = static_cast<float>(viewing.distance * viewing.lines * std::numbers::pi / 180.0);
  const auto log =
      static_cast<float>(std::log10(std::pow(2.0, scale + 1) * static_cast<double>(kF0) *
                                    static_cast<double>(kG[theta]) / static_cast<double>(pixels_per_degree)));
  return static_cast<float>(2.0 * static_cast<double>(kA) * std::pow(10.0, static_cast<double>(kK * log * log)) /
                            static_cast<double>(kAmplitude[scale][theta]));
}

// Weights of horizontal and vertical detail, and of diagonal detail, of one display at one distance.
struct Blended {
  double distance;
  int lines;
  float weight[2][kScales];
};

// Source: the blend of Barten's and Watson's sensitivity of libvmaf 3.2 (`adm_csf_mode` 2).
constexpr Blended kBlended[] = {
    {3.0, 1080, {{0.01183F, 0.025026F, 0.04295F, 0.058621F}, {0.004302F, 0.011778F, 0.023918F, 0.035901F}}},
    {5.0, 1080, {{0.004212F, 0.014809F, 0.029642F, 0.047464F}, {0.000984F, 0.005852F, 0.0146F, 0.027574F}}},
    {1.5, 2160, {{0.01183F, 0.025026F, 0.04295F, 0.058621F}, {0.004302F, 0.011778F, 0.023918F, 0.035901F}}},
    {3.0, 2160, {{0.00226F, 0.01183F, 0.025026F, 0.04295F}, {0.000479F, 0.004302F, 0.011778F, 0.023918F}}},
    {5.0, 2160, {{0.000092F, 0.004212F, 0.014809F, 0.029642F}, {0.000050F, 0.000984F, 0.005852F, 0.0146F}}},
};

const Blended* blended(double distance, int lines) noexcept {
  for (const Blended& entry : kBlended) {
    if (entry.distance == distance && entry.lines == lines) return &entry;
  }
  return nullptr;
}

}  // namespace

float weight(const Viewing& viewing, int scale, int band) noexcept {
  const bool diagonal = band == 2;
  if (viewing.csf == Csf::kBlended) return blended(viewing.distance, viewing.lines)->weight[diagonal][scale];
  return 1.0F / quantization_step(viewing, scale, diagonal ? 2 : 1);
}

namespace {

bool is_default(const Viewing& viewing) noexcept {
  return viewing.csf == Csf::kWatson && std::fabs(viewing.distance * viewing.lines - kLeastLines) < 1e-8;
}

// Weights of scale 0 have 16 bits; those of the default are rounded otherwise than the rest.
Sensitivity finest(const Viewing& viewing) noexcept {
  Sensitivity made{{36453, 36453, 49417}, {15, 15, 17}, {16384, 16384, 65535}};
  if (is_default(viewing)) return made;
  constexpr double kUnit[kBands] = {1 << 21, 1 << 21, 1 << 23};
  for (int band = 0; band < kBands; ++band) {
    made.factor[band] = static_cast<std::uint16_t>(static_cast<double>(weight(viewing, 0, band)) * kUnit[band]);
  }
  return made;
}

float cube_root(float value) noexcept { return std::pow(value, 1.0F / 3.0F); }

float noise(double noise_weight, Size band) noexcept {
  const Window counted = window(band);
  const int samples = (counted.bottom - counted.top) * (counted.right - counted.left);
  return cube_root(static_cast<float>(samples * noise_weight));
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

float denominator(const Sums& sums, const Viewing& viewing, int scale, Size band) noexcept {
  const DenominatorShift shift = denominator_shift(scale, band);
  constexpr int kUnit[kScales] = {18, 32, 27, 23};
  float root[kBands];
  for (int i = 0; i < kBands; ++i) {
    const double unit = std::pow(2.0, kUnit[scale] - shift.row - shift.cube);
    const double cubed = std::pow(static_cast<double>(weight(viewing, scale, i)), 3);
    const double sum = static_cast<double>(sums.den[i]) / unit * cubed;
    root[i] = cube_root(static_cast<float>(sum)) + noise(viewing.noise_weight, band);
  }
  return root[0] + root[1] + root[2];
}

}  // namespace

bool has_blended(double distance, int lines) noexcept { return blended(distance, lines) != nullptr; }

Sensitivity sensitivity(const Viewing& viewing, int scale) noexcept {
  if (scale == 0) return finest(viewing);
  Sensitivity made{};
  for (int band = 0; band < kBands; ++band) {
    made.factor[band] = static_cast<std::uint32_t>(static_cast<double>(weight(viewing, scale, band)) * 4294967296.0);
    made.shift[band] = 28;
    made.half[band] = half_of(28);
  }
  return made;
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

Terms terms(const Sums& sums, const Viewing& viewing, int scale, int gain, Size size) noexcept {
  Size band = size;
  for (int i = 0; i <= scale; ++i) band = halved(band);
  return {numerator(sums.num[gain], scale, band, noise(viewing.noise_weight, band)),
          denominator(sums, viewing, scale, band), numerator(sums.aim[gain], scale, band, 0.0F)};
}

}  // namespace cinemill::adm
