// Visual information fidelity of two luma planes at four scales: the integer sums that VMAF's `vif_scale0..3` are made
// of.
//
// Source: Sheikh & Bovik, "Image information and visual quality", IEEE TIP 2006; integer arithmetic as libvmaf 3.2
// (commit f85a853) defines it. scalar.cpp is the definition here.
//
// Contract
//   input   two planes of one size, both sides at least kMinSide; samples in [0, 2^bit_depth - 1].
//   gains   1 or 2 limits (>= 1) of the enhancement gain, all from one pass: 100 is VMAF's default, 1 is VMAF NEG.
//   result  exact integers; per scale s of (width >> s) * (height >> s) samples. Sums of logarithms are in units of
//           1/2048 bit; a sample adds at most 2^31's logarithm, 31 * 2048 < 2^16, and there are below 2^32: < 2^48.
//   memory  reads the planes' samples and nothing else; uses `workspace_bytes` of workspace, aligned to 64.
//   threads no state besides the workspace.
//   exact   every target returns the same numbers. Quotients are IEEE doubles in the order written, without fused
//           multiply-add; the table of logarithms is made by the C library's log2f.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/plane.h"
#include "kernels/target.h"

namespace cinemill::vif {

inline constexpr int kScales = 4;
inline constexpr int kMaxGains = 2;
inline constexpr int kMinSide = 17;  // the widest filter is mirrored on both sides: 8 samples and the edge

struct Gains {
  int count;
  double limit[kMaxGains];
};

// What one scale adds up to.
struct Sums {
  std::int64_t num_log[kMaxGains];  // per gain limit
  std::int64_t den_log;
  std::int64_t flat_energy;  // of samples whose reference is flat (variance below the noise): their distorted variance
  std::int64_t flat;         // how many such samples
};

// Numerator and denominator as libvmaf reports them, in its single precision.
struct Terms {
  float num;
  float den;
};
Terms terms(const Sums& sums, int gain) noexcept;

// Bytes of workspace that planes of this size need.
std::size_t workspace_bytes(Size size) noexcept;

// Writes sums[0 .. kScales).
template <class T>
using Kernel = void (*)(PlaneView<T> ref, PlaneView<T> dist, Size size, int bit_depth, const Gains& gains,
                        std::byte* workspace, Sums* sums) noexcept;

struct Table {
  Kernel<std::uint8_t> u8;
  Kernel<std::uint16_t> u16;
};

// The functions of one target. It must be available (kernels/target.h).
const Table& table(Target target) noexcept;

namespace scalar {
void u8(PlaneView<std::uint8_t> ref, PlaneView<std::uint8_t> dist, Size size, int bit_depth, const Gains& gains,
        std::byte* workspace, Sums* sums) noexcept;
void u16(PlaneView<std::uint16_t> ref, PlaneView<std::uint16_t> dist, Size size, int bit_depth, const Gains& gains,
         std::byte* workspace, Sums* sums) noexcept;
}  // namespace scalar

namespace avx2 {
void u8(PlaneView<std::uint8_t> ref, PlaneView<std::uint8_t> dist, Size size, int bit_depth, const Gains& gains,
        std::byte* workspace, Sums* sums) noexcept;
void u16(PlaneView<std::uint16_t> ref, PlaneView<std::uint16_t> dist, Size size, int bit_depth, const Gains& gains,
         std::byte* workspace, Sums* sums) noexcept;
}  // namespace avx2

}  // namespace cinemill::vif
