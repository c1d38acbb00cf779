// Contrast-aware multiscale banding index: how visible the steps are that coarse quantization leaves in flat areas of
// one luma plane. VMAF v1's `cambi` is a weighted mean of its five scales.
//
// Source: Tandon et al., "CAMBI: Contrast-aware multiscale banding index", PCS 2021; arithmetic as libvmaf 3.2 (commit
// f85a853) defines it. scalar.cpp is the definition here.
//
// Contract
//   input   a luma plane; samples in [0, 2^bit_depth - 1]. It is brought to 10 bits, so to values in [0, 1024].
//   sizes   `size` is that of the encode, at which banding is looked for; a plane of another size is sampled at its
//           nearest samples. Windows are cut at the edges of the picture at every scale.
//   result  per scale the mean of the largest `top` of the contrasts. A contrast is a float made of integers as written
//           down in scalar.cpp; it is 0 or in [0.5, 146307), a multiple of 2^-24, and sums in that unit are exact in
//           128 bits (2^32 samples of 2^42), so that the order of adding does not matter.
//   memory  reads the plane's samples and nothing else; uses `workspace_bytes` of workspace, aligned to 64.
//   threads no state besides the workspace.
//   exact   every target returns the same numbers.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/plane.h"
#include "kernels/target.h"

namespace cinemill::cambi {

inline constexpr int kScales = 5;
inline constexpr int kMaxSteps = 32;
inline constexpr int kMaxWindow = 255;  // counts in a window fit 16 bits: 255 * 255 = 65025
inline constexpr int kLevels = 1025;    // of 10 bits, and 1024, to which 16 bits can be rounded
inline constexpr int kMinSide = 16;     // one sample remains at the coarsest scale

struct Options {
  Size size;                         // of the encode
  bool smooth;                       // averages 2x2 samples first: encodes of less than 10 bits are often dithered
  bool halve;                        // begins at half the size
  int window;                        // side of the window in which levels are counted, odd
  int steps;                         // steps of brightness up to this are banding
  std::uint16_t highest[kMaxSteps];  // level up to which a step of i + 1 is visible, rising
  int dark;                          // level up to which nothing is visible
  double top;                        // share of the contrasts that counts
};

// Writes scores[0 .. kScales).
template <class T>
using Kernel = void (*)(PlaneView<T> plane, Size source, int bit_depth, const Options& options, std::byte* workspace,
                        double* scores) noexcept;

struct Table {
  Kernel<std::uint8_t> u8;
  Kernel<std::uint16_t> u16;
  std::size_t (*workspace_bytes)(const Options& options) noexcept;
};

// The functions of one target. It must be available (kernels/target.h).
const Table& table(Target target) noexcept;

namespace scalar {
void u8(PlaneView<std::uint8_t> plane, Size source, int bit_depth, const Options& options, std::byte* workspace,
        double* scores) noexcept;
void u16(PlaneView<std::uint16_t> plane, Size source, int bit_depth, const Options& options, std::byte* workspace,
         double* scores) noexcept;
std::size_t workspace_bytes(const Options& options) noexcept;
}  // namespace scalar

namespace avx2 {
void u8(PlaneView<std::uint8_t> plane, Size source, int bit_depth, const Options& options, std::byte* workspace,
        double* scores) noexcept;
void u16(PlaneView<std::uint16_t> plane, Size source, int bit_depth, const Options& options, std::byte* workspace,
         double* scores) noexcept;
std::size_t workspace_bytes(const Options& options) noexcept;
}  // namespace avx2

}  // namespace cinemill::cambi
