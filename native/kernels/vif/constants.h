// Numbers and memory that the targets of VIF share.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "kernels/vif/vif.h"

namespace cinemill::vif {

inline constexpr int kMaxTaps = 17;

// Gaussian of one scale; its taps add up to 65536.
struct Filter {
  int taps;
  std::uint16_t tap[kMaxTaps + 1];

  constexpr int radius() const noexcept { return taps / 2; }
};

inline constexpr Filter kFilters[kScales] = {
    {17, {489, 935, 1640, 2640, 3896, 5274, 6547, 7455, 7784, 7455, 6547, 5274, 3896, 2640, 1640, 935, 489}},
    {9, {1244, 3663, 7925, 12590, 14692, 12590, 7925, 3663, 1244}},
    {5, {3571, 16004, 26386, 16004, 3571}},
    {3, {10904, 43728, 10904}},
};

// Variance of the visual noise: 2 in units of 2^-16.
inline constexpr std::int32_t kNoise = 2 << 16;
inline constexpr double kEpsilon = 65536 * 1.0e-10;

// How sums over columns are rounded to 16 bits (means) and 32 bits (squares) before rows are filtered.
struct Rounding {
  int mean_shift;
  int square_shift;

  std::uint32_t mean_half() const noexcept { return std::uint32_t{1} << (mean_shift - 1); }
  std::uint32_t square_half() const noexcept { return square_shift ? std::uint32_t{1} << (square_shift - 1) : 0; }
};

constexpr Rounding rounding(int scale, int bit_depth) noexcept {
  return scale ? Rounding{16, 16} : Rounding{bit_depth, 2 * (bit_depth - 8)};
}

// 2048 * log2(i) of i in [32768, 65535], rounded, at index i - 32768: 30720 to 32768.
using LogTable = std::array<std::uint16_t, 32768>;
const LogTable& log_table() noexcept;

// The planes of scales 1 to 3 and two rows of sums, in the caller's workspace.
inline constexpr std::size_t kAlign = 64;
inline constexpr std::size_t kMargin = 64;  // samples before and behind each row of sums

constexpr std::size_t aligned(std::size_t bytes) noexcept { return (bytes + kAlign - 1) / kAlign * kAlign; }

constexpr std::size_t half_stride(Size size) noexcept {
  return aligned(sizeof(std::uint16_t) * (size.width / 2 + 32u));
}

}  // namespace cinemill::vif
