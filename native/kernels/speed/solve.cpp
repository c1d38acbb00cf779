// Linear equations by Householder's QR decomposition. Steps k multiply matrices whose first k rows and columns are
// those of the identity: what adds nothing but zeros is left out.
#include <cstring>

#include "kernels/speed/matrix.h"

namespace cinemill::speed {
namespace {

float root(float value) noexcept { return static_cast<float>(std::sqrt(static_cast<double>(value))); }

float norm(const float* v, int from) noexcept {
  float sum = 0;
  for (int i = from; i < kSide; ++i) sum += v[i] * v[i];
  return root(sum);
}

// Rows from k on of (I - 2 v v') * matrix, columns from `column` on.
void reflect(const float* v, int k, Square& matrix, int column) noexcept {
  Square out = {};
  for (int i = k; i < kSide; ++i) {
    for (int j = k; j < kSide; ++j) {
      const float factor = -2 * v[i] * v[j] + (i == j ? 1.0F : 0.0F);
      for (int c = column; c < kSide; ++c) out[i][c] += factor * matrix[j][c];
    }
  }
  for (int i = k; i < kSide; ++i) std::memcpy(&matrix[i][column], &out[i][column], sizeof(float) * (kSide - column));
}

// The transpose of Q of matrix = Q R.
void decompose(const Square& matrix, Square& q) noexcept {
  Square rest;
  std::memcpy(rest, matrix, sizeof rest);
  std::memset(q, 0, sizeof q);
  for (int i = 0; i < kSide; ++i) q[i][i] = 1;
  for (int k = 0; k < kSide - 1; ++k) {
    float v[kSide];
    for (int i = k; i < kSide; ++i) v[i] = rest[i][k];
    const float length = norm(v, k);
    v[k] += matrix[k][k] >= 0 ? length : -length;
    const float whole = norm(v, k);
    for (int i = k; i < kSide; ++i) v[i] /= whole;
    reflect(v, k, rest, k);
    reflect(v, k, q, 0);
  }
}

// out = a * b, b of `columns` columns.
void multiply(const Square& a, const float* b, int columns, float* out) noexcept {
  std::fill_n(out, std::ptrdiff_t{kSide} * columns, 0.0F);
  for (int i = 0; i < kSide; ++i) {
    for (int k = 0; k < kSide; ++k) {
      for (int j = 0; j < columns; ++j) out[i * columns + j] += a[i][k] * b[k * columns + j];
    }
  }
}

}  // namespace

bool solve(const Square& matrix, const float* right, int columns, float* out, float* work) noexcept {
  Square q;
  Square r;
  decompose(matrix, q);
  multiply(q, &matrix[0][0], kSide, &r[0][0]);
  multiply(q, right, columns, work);
  for (int i = kSide - 1; i >= 0; --i) {
    if (static_cast<double>(std::fabs(r[i][i])) < 1e-6) return false;
    float* const row = out + std::ptrdiff_t{i} * columns;
    std::memcpy(row, work + std::ptrdiff_t{i} * columns, sizeof(float) * static_cast<std::size_t>(columns));
    for (int k = i + 1; k < kSide; ++k) {
      for (int j = 0; j < columns; ++j) row[j] -= out[std::ptrdiff_t{k} * columns + j] * r[i][k];
    }
    for (int j = 0; j < columns; ++j) row[j] /= r[i][i];
  }
  return true;
}

}  // namespace cinemill::speed
