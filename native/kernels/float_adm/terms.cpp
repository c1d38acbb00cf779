// What does not depend on the target: weights of the bands, and the last step.
#include "kernels/adm/adm.h"
#include "kernels/float_adm/constants.h"

namespace cinemill::float_adm {
namespace {

float cube_root(float value) noexcept { return std::pow(value, 1.0F / 3.0F); }

float added_up(const float (&cubes)[kBands], float noise) noexcept {
  float sum = 0;
  for (const float cube : cubes) sum += cube_root(cube) + noise;
  return sum;
}

}  // namespace

void set_weights(double distance, int lines, Options& options) noexcept {
  const adm::Viewing viewing{adm::Csf::kWatson, distance, lines, 0};
  for (int scale = 0; scale < kScales; ++scale) {
    for (int band = 0; band < kBands; ++band) options.weight[scale][band] = adm::weight(viewing, scale, band);
  }
}

Terms terms(const Sums& sums, double noise_weight, int scale, Size size) noexcept {
  Size band = size;
  for (int i = 0; i <= scale; ++i) band = halved(band);
  const Window counted = window(band);
  const int samples = (counted.right - counted.left) * (counted.bottom - counted.top);
  const float noise = cube_root(static_cast<float>(samples * noise_weight));
  return {added_up(sums.num, noise), added_up(sums.den, noise), added_up(sums.aim, 0.0F)};
}

}  // namespace cinemill::float_adm
