// Numbers that the targets of single-precision VIF share.
#pragma once

#include <cstddef>

#include "kernels/float_vif/float_vif.h"

namespace cinemill::float_vif {

inline constexpr int kMostTaps = 17;
inline constexpr int kKinds = 5;  // what is filtered: ref, dist, their squares, their product

// Gaussians of 2^(4 - scale) + 1 taps, of a fifth of that as deviation; a scale is halved by the filter of the next
// one.
constexpr int taps_of(int scale) noexcept { return (16 >> scale) + 1; }
inline constexpr float kTaps[kScales][kMostTaps] = {
    {0.00745626912F, 0.0142655009F, 0.0250313189F, 0.0402820669F, 0.059452612F, 0.0804750994F, 0.0999041051F,
     0.113746069F, 0.118773833F, 0.113746069F, 0.0999041051F, 0.0804750994F, 0.059452612F, 0.0402820669F, 0.0250313189F,
     0.0142655009F, 0.00745626912F},
    {0.0189780816F, 0.0558981709F, 0.120920911F, 0.192116067F, 0.224173561F, 0.192116067F, 0.120920911F, 0.0558981709F,
     0.0189780816F},
    {0.0544886813F, 0.244201332F, 0.402619928F, 0.244201332F, 0.0544886813F},
    {0.166378513F, 0.667242944F, 0.166378513F},
};

inline constexpr float kMiddle = 128.0F;  // taken off samples of 8 bits, so that squares are small
inline constexpr float kNoise = 2.0F;     // variance of the visual noise
inline constexpr float kEpsilon = 1.0e-10F;
inline constexpr float kFlatWeight = static_cast<float>(4.0 / (255.0 * 255.0));  // of flat samples' variance

// log2 of [1, 2) by powers of x - 1, falling: libvmaf's own numbers, good for 6 digits.
inline constexpr int kLogTerms = 9;
inline constexpr float kLog[kLogTerms] = {-0.012671635276421F, 0.064841182402670F,  -0.157048836463065F,
                                          0.257167726303123F,  -0.353800560300520F, 0.480131410397451F,
                                          -0.721314327952201F, 1.442694803896991F,  0.0F};

inline constexpr int kMargin = 32;  // floats before and behind a row
constexpr int stride_of(int width) noexcept { return (width + 2 * kMargin + 15) & ~15; }
constexpr std::size_t plane_floats(Size size) noexcept {
  return static_cast<std::size_t>(stride_of(size.width)) * static_cast<std::size_t>(size.height);
}
constexpr Size half(Size size) noexcept { return {size.width / 2, size.height / 2}; }

}  // namespace cinemill::float_vif
