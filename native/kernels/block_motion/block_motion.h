// What motion cannot explain between two thumbnails: each block of the newer one is looked for in the older one, a few
// cells around its place; the sum of the smallest absolute differences. High at cuts, low in pans.
//
// Contract
//   input   two thumbnails of `width` x `height` bytes without padding; width a multiple of kBlockWidth up to
//   kMaxWidth,
//           height a multiple of kBlockHeight up to kMaxHeight.
//   output  sum over blocks of the least sum of absolute differences among displacements of -kReach to kReach in both
//           directions; outside the older thumbnail its nearest sample counts. Exact; <= 64 * 63 * 255 < 2^20.
//   memory  reads width * height bytes of each.
//   threads no state: any number of threads may call at once.
//   exact   every target returns the same number; scalar.cpp is the definition.
#pragma once

#include <cstdint>

#include "kernels/target.h"

namespace cinemill::block_motion {

inline constexpr int kBlockWidth = 8;
inline constexpr int kBlockHeight = 9;
inline constexpr int kReach = 3;
inline constexpr int kMaxWidth = 64;
inline constexpr int kMaxHeight = 63;

using Kernel = std::uint32_t (*)(const std::uint8_t* current, const std::uint8_t* previous, int width,
                                 int height) noexcept;

// The function of one target. It must be available (kernels/target.h).
Kernel kernel(Target target) noexcept;

namespace scalar {
std::uint32_t u8(const std::uint8_t* current, const std::uint8_t* previous, int width, int height) noexcept;
}  // namespace scalar

namespace avx2 {
std::uint32_t u8(const std::uint8_t* current, const std::uint8_t* previous, int width, int height) noexcept;
}  // namespace avx2

}  // namespace cinemill::block_motion
