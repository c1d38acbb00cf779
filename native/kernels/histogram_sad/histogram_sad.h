// Histogram of a plane and its sum of absolute differences to the plane before it, in one pass over the memory.
// It is what the shot detector asks of every frame; decoded frames are larger than the cache, so reading once counts.
//
// Contract
//   result  the same counts as kernels/histogram of `current`, and the same sum as kernels/sad of both planes:
//           their headers hold for ranges, bins, memory, threads and exactness.
#pragma once

#include <cstdint>

#include "kernels/histogram/histogram.h"
#include "kernels/plane.h"
#include "kernels/target.h"

namespace cinemill::histogram_sad {

using histogram::Bins;

// Overwrites counts[0 .. bins.count) and returns the sum of absolute differences.
template <class T>
using Kernel = std::uint64_t (*)(PlaneView<T> current, PlaneView<T> previous, Size size, Bins bins,
                                 std::uint32_t* counts) noexcept;

struct Table {
  Kernel<std::uint8_t> u8;
  Kernel<std::uint16_t> u16;
};

// The functions of one target. It must be available (kernels/target.h).
const Table& table(Target target) noexcept;

namespace scalar {
std::uint64_t u8(PlaneView<std::uint8_t> current, PlaneView<std::uint8_t> previous, Size size, Bins bins,
                 std::uint32_t* counts) noexcept;
std::uint64_t u16(PlaneView<std::uint16_t> current, PlaneView<std::uint16_t> previous, Size size, Bins bins,
                  std::uint32_t* counts) noexcept;
}  // namespace scalar

namespace avx2 {
std::uint64_t u8(PlaneView<std::uint8_t> current, PlaneView<std::uint8_t> previous, Size size, Bins bins,
                 std::uint32_t* counts) noexcept;
std::uint64_t u16(PlaneView<std::uint16_t> current, PlaneView<std::uint16_t> previous, Size size, Bins bins,
                  std::uint32_t* counts) noexcept;
}  // namespace avx2

}  // namespace cinemill::histogram_sad
