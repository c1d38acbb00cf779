// Detail loss of a distorted luma plane at four scales: the integer sums that VMAF's `adm2` and `adm_scale0..3` are
// made of, and, where asked for, those of `aim` (what the distortion added).
//
// Source: Li et al., "Image quality assessment by separately evaluating detail losses and additive impairments", IEEE
// TMM 2011; visibility thresholds of Watson et al., IEEE TIP 1997; integer arithmetic as libvmaf 3.2 (commit f85a853)
// defines it in C (its AVX2 code differs for coefficients from 15360 on). scalar.cpp is the definition here.
//
// Contract
//   input   two planes of one size, both sides at least kMinSide; samples in [0, 2^bit_depth - 1].
//   gains   1 or 2 limits (>= 1) of the enhancement gain, all from one pass: 100 is VMAF's default, 1 is VMAF NEG.
//   viewing what weighs the bands: see Viewing. kWatson at 1080 lines from 3 heights is that of all v0 models.
//   result  exact integers; the width of each sum is argued in scalar.cpp.
//   edges   below kExactSide libvmaf reads memory in front of its planes at the coarsest scale; mirrored here.
//   memory  reads the planes' samples and nothing else; uses `workspace` bytes of workspace, aligned to 64.
//   threads no state besides the workspace.
//   exact   every target returns the same numbers; no fused multiply-add.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/plane.h"
#include "kernels/target.h"

namespace cinemill::adm {

inline constexpr int kScales = 4;
inline constexpr int kMaxGains = 2;
inline constexpr int kBands = 3;     // horizontal, vertical, diagonal
inline constexpr int kMinSide = 17;  // two samples remain at the coarsest scale
inline constexpr int kExactSide = 33;

// Contrast sensitivity by which bands are weighted.
enum class Csf {
  kWatson = 0,   // Watson 1997
  kBlended = 2,  // Barten and Watson blended, as the v1 models are trained; for the displays of `has_blended` only
};

// How far away which display is. distance * lines must be at least kLeastLines: coefficients of scale 0 have 16 bits.
struct Viewing {
  Csf csf = Csf::kWatson;
  double distance = 3.0;  // in heights of the display
  int lines = 1080;
  double noise_weight = 0.03125;
};
inline constexpr double kLeastLines = 3.0 * 1080;
bool has_blended(double distance, int lines) noexcept;

// By what coefficients of a band are multiplied before they are compared with what is visible.
float weight(const Viewing& viewing, int scale, int band) noexcept;

struct Options {
  int gains;
  double gain_limit[kMaxGains];
  bool aim;
  Viewing viewing = {};
};

// What one scale adds up to; cubes of coefficients.
struct Sums {
  std::uint64_t den[kBands];
  std::int64_t num[kMaxGains][kBands];
  std::int64_t aim[kMaxGains][kBands];  // zeros unless asked for
};

// Numerators and denominator of one scale as libvmaf reports them, in its single precision.
struct Terms {
  float num;
  float den;
  float aim;
};

// `size` is that of the planes.
Terms terms(const Sums& sums, const Viewing& viewing, int scale, int gain, Size size) noexcept;

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

}  // namespace cinemill::adm
