// Memory that the targets of single-precision motion share, and their last step.
#pragma once

#include <cstddef>

#include "kernels/float_motion/float_motion.h"

namespace cinemill::float_motion {

inline constexpr int kBand = 8;  // rows whose sums are formed together
inline constexpr int kRing = 8;  // rows of samples that are floats: the five under a filter, and those until they are
inline constexpr int kRows = 2 * kRing + 2 + kBand;
inline constexpr int kMargin = 32;  // floats before and behind a row
constexpr int stride_of(int width) noexcept { return (width + 2 * kMargin + 15) & ~15; }

// The number of samples has single precision as well, as libvmaf divides.
inline float mean_of(float sum, Size size) noexcept {
  return sum / static_cast<float>(static_cast<std::int64_t>(size.width) * size.height);
}

}  // namespace cinemill::float_motion
