// Structural similarity of two luma planes, at one scale or at five.
//
// Source: Wang et al., "Image quality assessment: from error visibility to structural similarity", IEEE TIP 2004, and
// "Multiscale structural similarity for image quality assessment", Asilomar 2003; arithmetic as libvmaf 3.2 (commit
// f85a853) defines `float_ssim` and `float_ms_ssim`. scalar.cpp is the definition here.
//
// Contract
//   input   two planes of one size; samples in [0, 2^bit_depth - 1]; both sides at least `least_side`.
//   scales  1: planes are first averaged down so that the shorter side has about 256 samples; or kMostScales, each half
//           the one before.
//   result  means over all windows of 11x11 that lie inside, per scale. Samples and what is filtered have single
//           precision, and so have the taps' products; they are added as `Sum` (constants.h) does, which rounds as
//           libvmaf's sums of doubles do but for rare ones, by the last place. Quotients have single precision, and so
//           have the sums of a strip's row (kStrip columns) in 8 lanes (column % 8); all else is added in double.
//   memory  reads the planes' samples and nothing else; uses `workspace_bytes` of workspace, aligned to 64.
//   threads no state besides the workspace.
//   exact   every target returns the same numbers; no fused multiply-add.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/plane.h"
#include "kernels/target.h"

namespace cinemill::ssim {

inline constexpr int kMostScales = 5;
inline constexpr int kWindow = 11;
inline constexpr int kStrip = 64;
constexpr int least_side(int scales) noexcept { return kWindow << (scales - 1); }

struct Means {
  float similarity;  // of the product of the others
  float luminance;
  float contrast;
  float structure;
};

std::size_t workspace_bytes(Size size) noexcept;

// Writes means[0 .. scales).
template <class T>
using Kernel = void (*)(PlaneView<T> ref, PlaneView<T> dist, Size size, int bit_depth, int scales, std::byte* workspace,
                        Means* means) noexcept;

struct Table {
  Kernel<std::uint8_t> u8;
  Kernel<std::uint16_t> u16;
};

// The functions of one target. It must be available (kernels/target.h).
const Table& table(Target target) noexcept;

namespace scalar {
void u8(PlaneView<std::uint8_t> ref, PlaneView<std::uint8_t> dist, Size size, int bit_depth, int scales,
        std::byte* workspace, Means* means) noexcept;
void u16(PlaneView<std::uint16_t> ref, PlaneView<std::uint16_t> dist, Size size, int bit_depth, int scales,
         std::byte* workspace, Means* means) noexcept;
}  // namespace scalar

namespace avx2 {
void u8(PlaneView<std::uint8_t> ref, PlaneView<std::uint8_t> dist, Size size, int bit_depth, int scales,
        std::byte* workspace, Means* means) noexcept;
void u16(PlaneView<std::uint16_t> ref, PlaneView<std::uint16_t> dist, Size size, int bit_depth, int scales,
         std::byte* workspace, Means* means) noexcept;
}  // namespace avx2

}  // namespace cinemill::ssim
