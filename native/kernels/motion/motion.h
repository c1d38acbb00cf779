// Motion between two luma planes: sum of absolute differences of the low-passed difference. VMAF's `motion` feature is
// this sum / 256 / (width * height).
//
// Contract
//   input   two planes of one size, at least 3x3; samples in [0, 2^bit_depth - 1].
//   result  the integer arithmetic of libvmaf 3.2 (commit f85a853), which filters the difference and not the planes:
//             v[y][x] = (sum of filter[k] * (previous - current)[y + k - 2][x] + 2^(b-1)) >> b     b = bit depth
//             s[y][x] = (sum of filter[k] * v[y][x + k - 2]            + 2^15)    >> 16
//             result  = sum of |s|
//           outside the plane samples are mirrored about the edge sample (-1 is 1, height is height - 2).
//           |v| <= 65535 * 65536 >> 16 and |s| <= 65535, so the sum is below 2^48.
//   memory  reads the planes' samples and nothing else; uses `workspace_bytes` of workspace, aligned to 64.
//   threads no state besides the workspace.
//   exact   every target returns the same number; scalar.cpp is the definition.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/plane.h"
#include "kernels/target.h"

namespace cinemill::motion {

inline constexpr int kTaps = 5;
inline constexpr int kRadius = kTaps / 2;
inline constexpr int kMinSide = 3;
inline constexpr std::int32_t kFilter[kTaps] = {3571, 16004, 26386, 16004, 3571};  // adds up to 65536

// Bytes of workspace that a plane of this width needs.
std::size_t workspace_bytes(Size size) noexcept;

template <class T>
using Kernel = std::uint64_t (*)(PlaneView<T> previous, PlaneView<T> current, Size size, int bit_depth,
                                 std::byte* workspace) noexcept;

struct Table {
  Kernel<std::uint8_t> u8;
  Kernel<std::uint16_t> u16;
};

// The functions of one target. It must be available (kernels/target.h).
const Table& table(Target target) noexcept;

namespace scalar {
std::uint64_t u8(PlaneView<std::uint8_t> previous, PlaneView<std::uint8_t> current, Size size, int bit_depth,
                 std::byte* workspace) noexcept;
std::uint64_t u16(PlaneView<std::uint16_t> previous, PlaneView<std::uint16_t> current, Size size, int bit_depth,
                  std::byte* workspace) noexcept;
}  // namespace scalar

namespace avx2 {
std::uint64_t u8(PlaneView<std::uint8_t> previous, PlaneView<std::uint8_t> current, Size size, int bit_depth,
                 std::byte* workspace) noexcept;
std::uint64_t u16(PlaneView<std::uint16_t> previous, PlaneView<std::uint16_t> current, Size size, int bit_depth,
                  std::byte* workspace) noexcept;
}  // namespace avx2

}  // namespace cinemill::motion
