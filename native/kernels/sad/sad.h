// Sum of absolute differences of two planes: sum over all samples of |a - b|. The cheapest measure of change.
//
// Contract
//   input   two planes of one size and one sample type; the full range of the type, whatever the bit depth says.
//   output  exact: at most 65535^3 < 2^48.
//   memory  reads the `width` samples of each row and nothing else; writes nothing; the planes may overlap.
//   threads no state: any number of threads may call at once.
//   exact   every target returns the same number; scalar.cpp is the definition.
#pragma once

#include <cstdint>

#include "kernels/plane.h"
#include "kernels/target.h"

namespace cinemill::sad {

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

}  // namespace cinemill::sad
