// Linear algebra of small matrices in single precision, in the order of operations that the results depend on.
#pragma once

#include "kernels/speed/constants.h"

namespace cinemill::speed {

inline constexpr int kSide = kElements;
using Square = float[kSide][kSide];

inline constexpr float kTiny = 1e-6F;  // compared in double where the original does

// Eigenvalues of a symmetric matrix, unordered. Source: Golub & Van Loan, symmetric QR algorithm, as in GSL.
void eigenvalues(const Square& matrix, float* values) noexcept;

// Solves matrix * out = right (kSide x columns) by Householder's QR decomposition; false if a pivot is tiny. `work` has
// room for the right side.
bool solve(const Square& matrix, const float* right, int columns, float* out, float* work) noexcept;

}  // namespace cinemill::speed
