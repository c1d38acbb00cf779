// Symmetric matrix -> tridiagonal by Householder reflections -> diagonal by implicit QR steps.
#include <cstring>

#include "kernels/speed/matrix.h"

namespace cinemill::speed {
namespace {

constexpr double kEpsilon = 1e-6;
constexpr int kMostSteps = 500;

double wide(float value) noexcept { return static_cast<double>(value); }

// Square root of a sum of single precision.
float root(float value) noexcept { return static_cast<float>(std::sqrt(wide(value))); }

float hypotenuse(float x, float y) noexcept { return root(x * x + y * y); }

// Reflection that clears column `at` below row `start`; leaves its vector there. Returns its factor, 0 for none.
float reflection(Square& a, int at, int start) noexcept {
  float square = 0;
  for (int i = start + 1; i < kSide; ++i) square += a[i][at] * a[i][at];
  const float norm = start + 1 < kSide ? root(square) : 0;
  if (norm == 0.0F) return 0;
  const float alpha = a[start][at];
  const float beta = (alpha >= 0 ? -1.0F : 1.0F) * hypotenuse(alpha, norm);
  const float tau = (beta - alpha) / beta;
  const float scale = alpha - beta;
  if (scale != 0.0F) {
    for (int i = start; i < kSide; ++i) a[i][at] /= scale;
    a[start][at] = beta;
  }
  return tau;
}

// a -= v x' + x v' with x = tau a v - (tau / 2)(x v) v, in rows and columns from `start` on.
void reflect(Square& a, const float* v, float tau, int start) noexcept {
  float x[kSide];
  for (int i = start; i < kSide; ++i) {
    x[i] = 0;
    for (int j = start; j < kSide; ++j) x[i] += tau * a[i][j] * v[j];
  }
  float dot = 0;
  for (int i = start; i < kSide; ++i) dot += x[i] * v[i];
  const auto alpha = static_cast<float>(-0.5 * wide(tau) * wide(dot));
  for (int i = start; i < kSide; ++i) x[i] += alpha * v[i];
  for (int i = start; i < kSide; ++i) {
    for (int j = start; j < kSide; ++j) a[i][j] -= x[i] * v[j] + v[i] * x[j];
  }
}

void tridiagonal(Square& a, float* diagonal, float* beside) noexcept {
  for (int i = 0; i < kSide - 2; ++i) {
    const float tau = reflection(a, i, i + 1);
    if (tau == 0.0F) continue;
    float v[kSide];
    for (int j = i + 1; j < kSide; ++j) v[j] = a[j][i];
    v[i + 1] = 1;
    reflect(a, v, tau, i + 1);
  }
  for (int i = 0; i < kSide; ++i) diagonal[i] = a[i][i];
  for (int i = 0; i < kSide - 1; ++i) beside[i] = a[i + 1][i];
}

// Clears what is small beside its neighbours on the diagonal.
void chop(const float* diagonal, float* beside, int size) noexcept {
  for (int i = 0; i < size - 1; ++i) {
    const float neighbours = std::fabs(diagonal[i]) + std::fabs(diagonal[i + 1]);
    if (wide(std::fabs(beside[i])) < kEpsilon * wide(neighbours)) beside[i] = 0;
  }
}

// The eigenvalue of the last 2x2 block that is nearer to its last element.
float shift_of(const float* diagonal, const float* beside, int size) noexcept {
  const float last = diagonal[size - 1];
  const float side = beside[size - 2];
  const auto half = static_cast<float>(wide(diagonal[size - 2] - last) / 2.0);
  if (half > 0) return last - side * (side / (half + hypotenuse(half, side)));
  if (half == 0) return last - std::fabs(side);
  return last + side * (side / (-half + hypotenuse(half, side)));
}

struct Rotation {
  float c;
  float s;
};

Rotation rotation(float a, float b) noexcept {
  if (b == 0) return {1, 0};
  const bool steep = std::fabs(b) > std::fabs(a);
  const float t = steep ? -a / b : -b / a;
  const auto one = static_cast<float>(1.0 / std::sqrt(wide(1 + t * t)));
  return steep ? Rotation{one * t, one} : Rotation{one, one * t};
}

// The 2x2 block (p b; b q) turned.
struct Block {
  float p;
  float b;
  float q;
};

Block turned(Rotation r, float p, float b, float q) noexcept {
  const auto [c, s] = r;
  return {c * (c * p - s * b) + s * (s * q - c * b), c * (s * p + c * b) - s * (s * b + c * q),
          s * (s * p + c * b) + c * (s * b + c * q)};
}

void qr_step(float* d, float* e, int n) noexcept {
  float mu = shift_of(d, e, n);
  if (kEpsilon * wide(std::fabs(mu)) > wide(std::fabs(d[0]) + std::fabs(e[0]))) mu = 0;
  float x = d[0] - mu;
  float z = e[0];
  if (n == 2) {
    const Block made = turned(rotation(x, z), d[0], e[0], d[1]);
    d[0] = made.p;
    e[0] = made.b;
    d[1] = made.q;
    return;
  }
  float before = 0;  // the element beside the block, in front of it
  float outside = 0;
  float p = d[0];
  float b = e[0];
  float q = d[1];
  float behind = e[1];
  float last = 0;
  for (int k = 0; k < n - 1; ++k) {
    const Rotation r = rotation(x, z);
    const float front = r.c * before - r.s * outside;
    const Block made = turned(r, p, b, q);
    outside = -r.s * behind;
    b = r.c * behind;
    before = last = made.b;
    p = made.q;
    if (k < n - 2) q = d[k + 2];
    if (k < n - 3) behind = e[k + 2];
    d[k] = made.p;
    if (k > 0) e[k - 1] = front;
    if (k < n - 2) e[k + 1] = b;
    x = before;
    z = outside;
  }
  d[n - 1] = p;
  e[n - 2] = last;
}

}  // namespace

void eigenvalues(const Square& matrix, float* values) noexcept {
  Square a;
  float beside[kSide] = {};
  std::memcpy(a, matrix, sizeof a);
  tridiagonal(a, values, beside);
  chop(values, beside, kSide);
  int end = kSide - 1;
  for (int step = 0; end > 0 && step < kMostSteps;) {
    if (beside[end - 1] == 0.0F) {
      --end;
      continue;
    }
    int begin = end - 1;
    while (begin > 0 && beside[begin - 1] != 0.0F) --begin;
    qr_step(values + begin, beside + begin, end - begin + 1);
    chop(values + begin, beside + begin, end - begin + 1);
    ++step;
  }
}

}  // namespace cinemill::speed
