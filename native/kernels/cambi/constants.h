// Numbers, memory and small steps that the targets of CAMBI share.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "kernels/cambi/cambi.h"

namespace cinemill::cambi {

inline constexpr int kMask = 7;  // side of the square in which flat samples are counted
inline constexpr int kReach = kMask / 2;

// How strongly a step of i + 1 levels is felt.
inline constexpr int kWeight[kMaxSteps] = {1, 2, 3, 4, 4, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7, 8,
                                           8, 8, 8, 8, 8, 8, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9};

constexpr Size halved(Size size) noexcept { return {(size.width + 1) / 2, (size.height + 1) / 2}; }

// Size of the finest scale.
constexpr Size finest(const Options& options) noexcept { return options.halve ? halved(options.size) : options.size; }

// More flat samples than this in the square around a sample make it a candidate.
constexpr int flat_enough(Size size) noexcept {
  const int blocks = (size.width >> 6) * (size.height >> 6);
  int bits = 0;
  while ((std::int64_t{1} << bits) < blocks) ++bits;
  return (kMask * kMask + 3 * ((blocks ? bits : 0) - 11) - 1) >> 1;
}

// Levels that can matter: those of a sample with a visible step, and what they are compared with. The first can be
// below 0: a level that no sample has.
struct Band {
  int first;
  int last;
};
constexpr Band band(const Options& options) noexcept {
  return {options.dark - 3 * options.steps + 1, options.highest[options.steps - 1] + options.steps};
}

// The first step (counted from 0) that is visible at a level; `steps` if none is. Later ones are visible as well.
constexpr int first_visible(const Options& options, int level) noexcept {
  int step = 0;
  while (step < options.steps && (level > options.highest[step] || level + options.steps + step + 1 <= options.dark)) {
    ++step;
  }
  return step;
}

// Sample of the source at place i of `to`, where there are `from` samples. Positions add up in single precision, as the
// original's do.
class Nearest {
 public:
  Nearest(int from, int to) noexcept
      : last_(from - 1),
        ratio_(static_cast<float>(from) / static_cast<float>(to)),
        at_(static_cast<float>(static_cast<double>(ratio_ / 2) - 0.5)) {}

  int next() noexcept {
    const int found = std::clamp(static_cast<int>(static_cast<double>(at_) + 0.5), 0, last_);
    at_ += ratio_;
    return found;
  }

 private:
  int last_;
  float ratio_;
  float at_;
};

// 1 / i of i in [1, 65025], to 9 decimal digits before it is rounded to a float: so the original's table was printed,
// which ends at 4225, with windows of 65 samples.
inline constexpr int kMostCounted = kMaxWindow * kMaxWindow;
const float* reciprocals() noexcept;

// Contrast of a sample that `here` samples around it share its level, and `there` are a step away: the product, at most
// 9 * 32513 * 32512, is rounded once.
inline float contrast(int weight, int here, int there) noexcept {
  return static_cast<float>(std::int64_t{weight} * here * there) * reciprocals()[here + there];
}

// Mean of the largest `top` of `all` contrasts, of which those that are not 0 are among the first `count` of the list.
// Places of `counts` are work.
double pooled(const float* contrasts, std::int64_t count, std::int64_t all, double top, std::uint32_t* counts) noexcept;

inline constexpr std::size_t kAlign = 64;
constexpr std::size_t aligned(std::size_t bytes) noexcept { return (bytes + kAlign - 1) / kAlign * kAlign; }
inline constexpr std::size_t kCounts = 1 << 16;

}  // namespace cinemill::cambi
