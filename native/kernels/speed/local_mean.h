// Frees a reduced plane of its local mean.
#pragma once

#include "kernels/speed/constants.h"

namespace cinemill::speed {

const Filter<kMeanTaps>& averaging() noexcept;

// `work` has room for the plane.
void subtract_local_mean(float* samples, Size size, int stride, float* work) noexcept;

}  // namespace cinemill::speed
