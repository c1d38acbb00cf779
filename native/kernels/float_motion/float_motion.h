// Mean absolute difference of two low-passed luma planes in single precision: what VMAF's float models take `motion2`
// from.
//
// Source: arithmetic as libvmaf 3.2 (commit f85a853) defines `float_motion`. scalar.cpp is the definition here.
//
// Contract
//   input   two planes of one size, both sides at least kMinSide; samples in [0, 2^bit_depth - 1].
//   result  in levels of 8 bits, [0, 255]. All values and sums have single precision: filters add their taps in rising
//           order, columns first; a row's differences are added from left to right, then rows from top to bottom. Equal
//           to libvmaf's to the last bit.
//   memory  reads the planes' samples and nothing else; uses `workspace_bytes` of workspace, aligned to 64.
//   threads no state besides the workspace.
//   exact   every target returns the same numbers; no fused multiply-add.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/plane.h"
#include "kernels/target.h"

namespace cinemill::float_motion {

inline constexpr int kMinSide = 3;  // the filter is mirrored: 2 samples and the edge
inline constexpr int kTaps = 5;
inline constexpr float kTap[kTaps] = {0.054488685F, 0.244201342F, 0.402619947F, 0.244201342F, 0.054488685F};
inline constexpr float kMiddle = 128.0F;  // taken off samples of 8 bits

// Bytes of workspace that planes of this size need.
std::size_t workspace_bytes(Size size) noexcept;

template <class T>
using Kernel = float (*)(PlaneView<T> previous, PlaneView<T> current, Size size, int bit_depth,
                         std::byte* workspace) noexcept;

struct Table {
  Kernel<std::uint8_t> u8;
  Kernel<std::uint16_t> u16;
};

// The functions of one target. It must be available (kernels/target.h).
const Table& table(Target target) noexcept;

namespace scalar {
float u8(PlaneView<std::uint8_t> previous, PlaneView<std::uint8_t> current, Size size, int bit_depth,
         std::byte* workspace) noexcept;
float u16(PlaneView<std::uint16_t> previous, PlaneView<std::uint16_t> current, Size size, int bit_depth,
          std::byte* workspace) noexcept;
}  // namespace scalar

namespace avx2 {
float u8(PlaneView<std::uint8_t> previous, PlaneView<std::uint8_t> current, Size size, int bit_depth,
         std::byte* workspace) noexcept;
float u16(PlaneView<std::uint16_t> previous, PlaneView<std::uint16_t> current, Size size, int bit_depth,
          std::byte* workspace) noexcept;
}  // namespace avx2

}  // namespace cinemill::float_motion
