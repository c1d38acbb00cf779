// Filters, memory and the part of SpEED-QA that the targets share.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "kernels/mirror.h"
#include "kernels/speed/speed.h"

namespace cinemill::speed {

// Gaussians: before shrinking, and that of the local mean afterwards.
inline constexpr int kShrinkTaps = 9;
inline constexpr int kMeanTaps = 3;
template <int kTaps>
struct Filter {
  float tap[kTaps];
};
const Filter<kShrinkTaps>& shrinking() noexcept;

// The reduced plane: rows of `stride` floats, of which the last ones may be no data.
struct Reduced {
  const float* samples;
  Size size;
  int stride;
};

constexpr Size reduced(Size size) noexcept { return {size.width / kShrink, size.height / kShrink}; }
constexpr Size blocks(Size reduced) noexcept { return {reduced.width / kBlock, reduced.height / kBlock}; }

// Sum of (a - mean_a) * (b - mean_b) over rows of `width`: columns are added in 8 lanes (column % 8), those behind the
// last whole 4 one by one; see `covariance` in scalar.cpp.
using Covariance = double (*)(const float* a, const float* b, int stride, Size size, double mean_a,
                              double mean_b) noexcept;

// Sample of the original between two of which a resized one lies, and where.
struct Between {
  int first;
  int second;
  float part;
};
Between between(int at, int from, int to) noexcept;

// Work of the estimates, in floats: entropies and variances of both planes, and matrices.
std::size_t estimate_floats(Size reduced) noexcept;
Result estimate(const Reduced& ref, const Reduced& dist, const Options& options, Covariance covariance,
                float* work) noexcept;

inline constexpr std::size_t kAlign = 64;
inline constexpr int kMargin = 16;  // floats before and behind a row
constexpr int stride_of(int width) noexcept { return (width + 2 * kMargin + 15) & ~15; }

}  // namespace cinemill::speed
