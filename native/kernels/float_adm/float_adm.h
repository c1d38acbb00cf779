// Detail loss of a distorted luma plane at four scales, in single precision: the sums that VMAF's float models take
// `adm2` from, and those of `aim` (what the distortion added).
//
// Source: Li et al., "Image quality assessment by separately evaluating detail losses and additive impairments", IEEE
// TMM 2011; visibility thresholds of Watson et al., IEEE TIP 1997; arithmetic as libvmaf 3.2 (commit f85a853) defines
// `float_adm`, but for its quotients: it multiplies by a reciprocal that processors approximate, each in its own way.
// scalar.cpp is the definition here.
//
// Contract
//   input   two planes of one size, both sides at least kMinSide; samples in [0, 2^bit_depth - 1].
//   result  per scale sums of cubes over the middle of the bands (a tenth is left out on every side). All values and
//           sums have single precision: a row's terms are added from left to right, then rows from top to bottom.
//   memory  reads the planes' samples and nothing else; uses `workspace_bytes` of workspace, aligned to 64.
//   threads no state besides the workspace.
//   exact   every target returns the same numbers; no fused multiply-add.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/plane.h"
#include "kernels/target.h"

namespace cinemill::float_adm {

inline constexpr int kScales = 4;
inline constexpr int kBands = 3;     // horizontal, vertical, diagonal
inline constexpr int kMinSide = 17;  // two samples remain at the coarsest scale

struct Options {
  float gain_limit;               // of the enhancement gain: 100 is VMAF's default, 1 is VMAF NEG
  bool aim;                       // also what was added
  float weight[kScales][kBands];  // see `weights`
};

// What one scale adds up to.
struct Sums {
  float den[kBands];
  float num[kBands];
  float aim[kBands];  // zeros unless asked for
};

// Numerators and denominator of one scale as libvmaf reports them.
struct Terms {
  float num;
  float den;
  float aim;
};

// Sets the weights for a display of so many lines, seen from so many of its heights (Watson 1997).
void set_weights(double distance, int lines, Options& options) noexcept;

// `size` is that of the planes.
Terms terms(const Sums& sums, double noise_weight, int scale, Size size) noexcept;

// Writes sums[0 .. kScales).
template <class T>
using Kernel = void (*)(PlaneView<T> ref, PlaneView<T> dist, Size size, int bit_depth, const Options& options,
                        std::byte* workspace, Sums* sums) noexcept;

struct Table {
  Kernel<std::uint8_t> u8;
  Kernel<std::uint16_t> u16;
  std::size_t (*workspace_bytes)(Size size) noexcept;
};

// The functions of one target. It must be available (kernels/target.h).
const Table& table(Target target) noexcept;

namespace scalar {
void u8(PlaneView<std::uint8_t> ref, PlaneView<std::uint8_t> dist, Size size, int bit_depth, const Options& options,
        std::byte* workspace, Sums* sums) noexcept;
void u16(PlaneView<std::uint16_t> ref, PlaneView<std::uint16_t> dist, Size size, int bit_depth, const Options& options,
         std::byte* workspace, Sums* sums) noexcept;
std::size_t workspace_bytes(Size size) noexcept;
}  // namespace scalar

namespace avx2 {
void u8(PlaneView<std::uint8_t> ref, PlaneView<std::uint8_t> dist, Size size, int bit_depth, const Options& options,
        std::byte* workspace, Sums* sums) noexcept;
void u16(PlaneView<std::uint16_t> ref, PlaneView<std::uint16_t> dist, Size size, int bit_depth, const Options& options,
         std::byte* workspace, Sums* sums) noexcept;
std::size_t workspace_bytes(Size size) noexcept;
}  // namespace avx2

}  // namespace cinemill::float_adm
