// Histogram of one plane: how many samples fall into each of `bins` equal ranges of values.
//
// Contract
//   bins    a power of two, 2 to kMaxBins. Bin of a sample = min(sample >> shift, bins - 1), where the caller gives
//           shift = bit depth - log2(bins), 0 to 15: samples above the bit depth's peak count in the last bin.
//   input   one plane; the full range of the type. For 8-bit samples bins << shift is 256, so nothing is clipped.
//   output  counts[0 .. bins), overwritten. Their sum is width * height < 2^32: no counter overflows.
//   memory  reads the `width` samples of each row and nothing else; writes `bins` counters and nothing else.
//   threads no state: any number of threads may call at once, with counts of their own.
//   exact   every target writes the same counts; scalar.cpp is the definition.
#pragma once

#include <cstdint>

#include "kernels/plane.h"
#include "kernels/target.h"

namespace cinemill::histogram {

inline constexpr int kMaxBins = 1024;  // tables of the fast targets stay in the first-level cache

struct Bins {
  int count;
  int shift;
};

template <class T>
using Kernel = void (*)(PlaneView<T> plane, Size size, Bins bins, std::uint32_t* counts) noexcept;

struct Table {
  Kernel<std::uint8_t> u8;
  Kernel<std::uint16_t> u16;
};

// The functions of one target. It must be available (kernels/target.h).
const Table& table(Target target) noexcept;

namespace scalar {
void u8(PlaneView<std::uint8_t> plane, Size size, Bins bins, std::uint32_t* counts) noexcept;
void u16(PlaneView<std::uint16_t> plane, Size size, Bins bins, std::uint32_t* counts) noexcept;
}  // namespace scalar

namespace avx2 {
void u8(PlaneView<std::uint8_t> plane, Size size, Bins bins, std::uint32_t* counts) noexcept;
void u16(PlaneView<std::uint16_t> plane, Size size, Bins bins, std::uint32_t* counts) noexcept;
}  // namespace avx2

}  // namespace cinemill::histogram
