// SpEED-QA of two chroma planes: how much information the distortion changes, in blocks of 5x5 of a plane that is
// filtered, made 16 times smaller, and freed of its local mean. VMAF v1's `speed_chroma` is the mean of two planes.
//
// Source: Bampis et al., "SpEED-QA: Spatial efficient entropic differencing for image and video quality", IEEE SPL
// 2017; arithmetic as libvmaf 3.2 (commit f85a853) defines it, in single precision in a fixed order. scalar.cpp is the
// definition here; estimate.cpp, what follows the reduction, is the same for all targets but for its covariances.
//
// Contract
//   input   two planes of one size; samples in [0, 2^bit_depth - 1].
//   sizes   the plane is first resized (bilinear) to `size`; both sides of that at least kMinSide.
//   result  the score, and whether a covariance matrix was singular (a flat plane), as `Result` says.
//   memory  reads the planes' samples and nothing else; uses `workspace_bytes` of workspace, aligned to 64.
//   threads no state besides the workspace.
//   exact   every target returns the same number; no fused multiply-add. Logarithms are the C library's.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/plane.h"
#include "kernels/target.h"

namespace cinemill::speed {

inline constexpr int kBlock = 5;
inline constexpr int kElements = kBlock * kBlock;
inline constexpr int kShrink = 16;
inline constexpr int kMinSide = kBlock * kShrink;
inline constexpr int kWeightings = 7;

struct Options {
  Size size;          // to which planes are resized first; their own for not
  float noise;        // of neurons: sigma
  float noise_floor;  // share of the noise below which nothing is seen
  int weighting;      // of the variances, 0 to 6; the v1 models use 5
};

struct Result {
  float score;    // 0 if only one of the planes was singular
  bool singular;  // at least one was
};

std::size_t workspace_bytes(Size source, const Options& options) noexcept;

template <class T>
using Kernel = Result (*)(PlaneView<T> ref, PlaneView<T> dist, Size source, int bit_depth, const Options& options,
                          std::byte* workspace) noexcept;

struct Table {
  Kernel<std::uint8_t> u8;
  Kernel<std::uint16_t> u16;
};

// The functions of one target. It must be available (kernels/target.h).
const Table& table(Target target) noexcept;

namespace scalar {
Result u8(PlaneView<std::uint8_t> ref, PlaneView<std::uint8_t> dist, Size source, int bit_depth, const Options& options,
          std::byte* workspace) noexcept;
Result u16(PlaneView<std::uint16_t> ref, PlaneView<std::uint16_t> dist, Size source, int bit_depth,
           const Options& options, std::byte* workspace) noexcept;
}  // namespace scalar

namespace avx2 {
Result u8(PlaneView<std::uint8_t> ref, PlaneView<std::uint8_t> dist, Size source, int bit_depth, const Options& options,
          std::byte* workspace) noexcept;
Result u16(PlaneView<std::uint16_t> ref, PlaneView<std::uint16_t> dist, Size source, int bit_depth,
           const Options& options, std::byte* workspace) noexcept;
}  // namespace avx2

}  // namespace cinemill::speed
