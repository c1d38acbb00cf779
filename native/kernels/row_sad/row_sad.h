// Sums of absolute differences of many pairs of short rows of bytes, such as thumbnails: one call for all of a block.
//
// Contract
//   input   two arrays of `rows` rows of `length` bytes, without padding; length 1 to 65535.
//   output  sums[row] = sum over the row of |a - b|, exact; <= 65535 * 255 < 2^24.
//   memory  reads rows * length bytes of each, writes rows sums; a and b may overlap.
//   threads no state: any number of threads may call at once.
//   exact   every target returns the same numbers; scalar.cpp is the definition.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/target.h"

namespace cinemill::row_sad {

using Kernel = void (*)(const std::uint8_t* a, const std::uint8_t* b, std::size_t rows, int length,
                        std::uint32_t* sums) noexcept;

// The function of one target. It must be available (kernels/target.h).
Kernel kernel(Target target) noexcept;

namespace scalar {
void u8(const std::uint8_t* a, const std::uint8_t* b, std::size_t rows, int length, std::uint32_t* sums) noexcept;
}  // namespace scalar

namespace avx2 {
void u8(const std::uint8_t* a, const std::uint8_t* b, std::size_t rows, int length, std::uint32_t* sums) noexcept;
}  // namespace avx2

}  // namespace cinemill::row_sad
