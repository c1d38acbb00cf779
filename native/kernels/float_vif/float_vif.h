// Visual information fidelity of two luma planes at four scales, in single precision: the sums that VMAF's float models
// take `vif_scale0..3` from.
//
// Source: Sheikh & Bovik, "Image information and visual quality", IEEE TIP 2006; arithmetic as libvmaf 3.2 (commit
// f85a853) defines `float_vif`. scalar.cpp is the definition here.
//
// Contract
//   input   two planes of one size, both sides at least kMinSide; samples in [0, 2^bit_depth - 1].
//   gains   1 or 2 limits (>= 1) of the enhancement gain, all from one pass: 100 is VMAF's default, 1 is VMAF NEG.
//   result  per scale s sums over (width >> s) * (height >> s) samples. All values and sums have single precision:
//           filters add their taps in rising order, columns first; a row's terms are added from left to right, then
//           rows from top to bottom. Equal to libvmaf's to the last bit.
//   memory  reads the planes' samples and nothing else; uses `workspace_bytes` of workspace, aligned to 64.
//   threads no state besides the workspace.
//   exact   every target returns the same numbers; no fused multiply-add.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/plane.h"
#include "kernels/target.h"

namespace cinemill::float_vif {

inline constexpr int kScales = 4;
inline constexpr int kMaxGains = 2;
inline constexpr int kMinSide = 17;  // the widest filter is mirrored on both sides: 8 samples and the edge

struct Gains {
  int count;
  float limit[kMaxGains];
};

// What one scale adds up to, bits: of information that is left, per gain limit, and of that in the reference.
struct Sums {
  float num[kMaxGains];
  float den;
};

// Writes sums[0 .. kScales).
template <class T>
using Kernel = void (*)(PlaneView<T> ref, PlaneView<T> dist, Size size, int bit_depth, const Gains& gains,
                        std::byte* workspace, Sums* sums) noexcept;

struct Table {
  Kernel<std::uint8_t> u8;
  Kernel<std::uint16_t> u16;
  std::size_t (*workspace_bytes)(Size size) noexcept;
};

// The functions of one target. It must be available (kernels/target.h).
const Table& table(Target target) noexcept;

namespace scalar {
void u8(PlaneView<std::uint8_t> ref, PlaneView<std::uint8_t> dist, Size size, int bit_depth, const Gains& gains,
        std::byte* workspace, Sums* sums) noexcept;
void u16(PlaneView<std::uint16_t> ref, PlaneView<std::uint16_t> dist, Size size, int bit_depth, const Gains& gains,
         std::byte* workspace, Sums* sums) noexcept;
std::size_t workspace_bytes(Size size) noexcept;
}  // namespace scalar

namespace avx2 {
void u8(PlaneView<std::uint8_t> ref, PlaneView<std::uint8_t> dist, Size size, int bit_depth, const Gains& gains,
        std::byte* workspace, Sums* sums) noexcept;
void u16(PlaneView<std::uint16_t> ref, PlaneView<std::uint16_t> dist, Size size, int bit_depth, const Gains& gains,
         std::byte* workspace, Sums* sums) noexcept;
std::size_t workspace_bytes(Size size) noexcept;
}  // namespace avx2

}  // namespace cinemill::float_vif
