// What does not depend on the target: the table of reciprocals, and the mean of the largest contrasts, exactly.
#include <array>
#include <bit>
#include <cmath>

#include "kernels/cambi/constants.h"

namespace cinemill::cambi {
namespace {

using Reciprocals = std::array<float, kMostCounted + 1>;

Reciprocals make_reciprocals() noexcept {
  Reciprocals made{};
  double unit = 1e8;  // 9 digits: those of unit / i
  for (int i = 1; i <= kMostCounted; ++i) {
    while (unit / i < 1e8) unit *= 10;
    made[static_cast<std::size_t>(i)] = static_cast<float>(std::rint(unit / i) / unit);
  }
  return made;
}

constexpr double kUnit = 1 << 24;  // contrasts are multiples of 1 / kUnit

std::uint32_t bits(float value) noexcept { return std::bit_cast<std::uint32_t>(value); }

// Sums over a picture of 2^32 samples, each below 2^42.
using Wide = __int128;

std::int64_t units(float value) noexcept { return static_cast<std::int64_t>(static_cast<double>(value) * kUnit); }

// Sums of up to 1024 contrasts are below 2^28 and exact in doubles.
Wide sum_of(const float* contrasts, std::int64_t count) noexcept {
  constexpr std::int64_t kBlock = 1024;
  Wide sum = 0;
  for (std::int64_t start = 0; start < count; start += kBlock) {
    const std::int64_t end = std::min(count, start + kBlock);
    double lane[4] = {};
    std::int64_t i = start;
    for (; i + 4 <= end; i += 4) {
      for (int k = 0; k < 4; ++k) lane[k] += static_cast<double>(contrasts[i + k]);
    }
    for (; i < end; ++i) lane[0] += static_cast<double>(contrasts[i]);
    sum += static_cast<std::int64_t>((lane[0] + lane[1] + lane[2] + lane[3]) * kUnit);
  }
  return sum;
}

// The place in `counts` at which `wanted` are reached from the top, and how many are left to be taken there.
struct Place {
  std::uint32_t at;
  std::int64_t left;
};

Place from_the_top(const std::uint32_t* counts, std::int64_t wanted) noexcept {
  std::uint32_t at = kCounts - 1;
  while (counts[at] < wanted) wanted -= counts[at--];
  return {at, wanted};
}

// The sum of the largest `wanted`. Contrasts are not negative: their order is that of their bits. First the upper
// halves are looked at, then the lower ones.
Wide sum_of_largest(const float* contrasts, std::int64_t count, std::int64_t wanted, std::uint32_t* counts) noexcept {
  std::fill_n(counts, kCounts, 0U);
  for (std::int64_t i = 0; i < count; ++i) ++counts[bits(contrasts[i]) >> 16];
  const Place high = from_the_top(counts, wanted);
  std::fill_n(counts, kCounts, 0U);
  Wide sum = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::uint32_t value = bits(contrasts[i]);
    if (value >> 16 > high.at) sum += units(contrasts[i]);
    if (value >> 16 == high.at) ++counts[value & 0xFFFF];
  }
  const Place low = from_the_top(counts, high.left);
  for (std::uint32_t at = kCounts - 1; at > low.at; --at) {
    if (counts[at]) sum += Wide{units(std::bit_cast<float>(high.at << 16 | at))} * counts[at];
  }
  return sum + Wide{units(std::bit_cast<float>(high.at << 16 | low.at))} * low.left;
}

}  // namespace

const float* reciprocals() noexcept {
  static const Reciprocals table = make_reciprocals();
  return table.data();
}

double pooled(const float* contrasts, std::int64_t count, std::int64_t all, double top,
              std::uint32_t* counts) noexcept {
  const auto share = static_cast<std::int64_t>(top * static_cast<double>(all));
  const std::int64_t wanted = std::clamp<std::int64_t>(share, 1, all);
  const Wide sum = count <= wanted ? sum_of(contrasts, count) : sum_of_largest(contrasts, count, wanted, counts);
  return static_cast<double>(sum) / kUnit / static_cast<double>(wanted);
}

}  // namespace cinemill::cambi
