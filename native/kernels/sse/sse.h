// Sum of squared error of two planes: sum over all samples of (a - b)^2. What PSNR and MSE are made of.
//
// This folder is the one to copy for a new kernel; kernels/README.md walks through it file by file.
//
// Contract
//   input   two planes of one size and one sample type. Full range of the type, whatever the bit depth says: a 10-bit
//           plane that holds 65535 is summed like any other.
//   output  exact, no rounding: at most 65535^4 < 2^64 (see kMaxSide), so std::uint64_t never overflows.
//   memory  reads the `width` samples of each row and nothing else; writes nothing; the planes may overlap.
//   threads no state: any number of threads may call at once.
//   exact   every target returns the same number; scalar.cpp is the definition.
#pragma once

#include <cstdint>

#include "kernels/plane.h"
#include "kernels/target.h"

namespace cinemill::sse {

template <class T>
using Kernel = std::uint64_t (*)(PlaneView<T> a, PlaneView<T> b, Size size) noexcept;

struct Table {
  Kernel<std::uint8_t> u8;
  Kernel<std::uint16_t> u16;
};

// The functions of one target. It must be available (kernels/target.h).
const Table& table(Target target) noexcept;

namespace scalar {
std::uint64_t u8(PlaneView<std::uint8_t> a, PlaneView<std::uint8_t> b, Size size) noexcept;
std::uint64_t u16(PlaneView<std::uint16_t> a, PlaneView<std::uint16_t> b, Size size) noexcept;
}  // namespace scalar

namespace avx2 {
std::uint64_t u8(PlaneView<std::uint8_t> a, PlaneView<std::uint8_t> b, Size size) noexcept;
std::uint64_t u16(PlaneView<std::uint16_t> a, PlaneView<std::uint16_t> b, Size size) noexcept;
}  // namespace avx2

}  // namespace cinemill::sse
