// The definition of SSIM: as plain as it can be written. Other targets are tested against it.
#include "kernels/ssim/constants.h"

namespace cinemill::ssim {

// Two planes and those of the next scale, and rows of work.
std::size_t workspace_bytes(Size size) noexcept {
  const auto row = static_cast<std::size_t>(stride_of(size.width));
  return sizeof(float) *
         (4 * plane_floats(size) + kRows * row + std::size_t{kStripRows} * kStripFloats + kHalvingFloats);
}

namespace scalar {
namespace {

struct Plane {
  float* samples;
  int stride;

  float& at(int x, int y) const noexcept { return samples[std::ptrdiff_t{y} * stride + x]; }
};

template <class T>
void copy(PlaneView<T> from, Size size, int bit_depth, const Plane& out) noexcept {
  const auto unit = static_cast<float>(1 << (bit_depth - 8));
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) out.at(x, y) = static_cast<float>(from.row(y)[x]) / unit;
  }
}

// Means of by x by samples.
void average(const Plane& plane, Size size, int by, const Plane& out) noexcept {
  const Size small = shrunk(size, by);
  const float part = 1.0F / static_cast<float>(by * by);
  for (int y = 0; y < small.height; ++y) {
    for (int x = 0; x < small.width; ++x) {
      double sum = 0;
      for (int v = 0; v < by; ++v) {
        for (int u = 0; u < by; ++u) {
          const int a = reflected(x * by + u - by / 2, size.width);
          const int b = reflected(y * by + v - by / 2, size.height);
          sum += static_cast<double>(plane.at(a, b) * part);
        }
      }
      out.at(x, y) = static_cast<float>(sum);
    }
  }
}

// Every second sample of the low-passed plane, for scale `scale`: sums of rows first, then of those.
void halve(const Plane& plane, Size size, int scale, const Plane& out) noexcept {
  const Size small = shrunk(size, 2);
  const float start = origin_of_means(scale);
  for (int y = 0; y < small.height; ++y) {
    for (int x = 0; x < small.width; ++x) {
      float on_grid = 0;
      float rest = 0;
      for (int v = 0; v < kLowPass; ++v) {
        Sum row{start};
        const int b = reflected(2 * y + v - kLowPass / 2, size.height);
        for (int u = 0; u < kLowPass; ++u) {
          row.add(plane.at(reflected(2 * x + u - kLowPass / 2, size.width), b) * kLow[v][u]);
        }
        on_grid += row.on_grid - start;
        rest += row.rest;
      }
      out.at(x, y) = on_grid + rest;
    }
  }
}

// A value of both sides filtered: rows first, then columns.
template <class Value>
float filtered(int x, int y, float start, const Value& value) noexcept {
  Sum sum{start};
  for (int v = 0; v < kWindow; ++v) {
    Sum row{start};
    for (int u = 0; u < kWindow; ++u) row.add(value(x + u, y + v) * kGaussian[u]);
    sum.add((row.on_grid - start + row.rest) * kGaussian[v]);
  }
  return sum.on_grid - start + sum.rest;
}

Terms window(const Plane& ref, const Plane& dist, int x, int y, int scale) noexcept {
  const float means = origin_of_means(scale);
  const float squares = origin_of_squares(scale);
  const float m1 = filtered(x, y, means, [&](int a, int b) { return ref.at(a, b); });
  const float m2 = filtered(x, y, means, [&](int a, int b) { return dist.at(a, b); });
  const float square1 = filtered(x, y, squares, [&](int a, int b) { return ref.at(a, b) * ref.at(a, b); });
  const float square2 = filtered(x, y, squares, [&](int a, int b) { return dist.at(a, b) * dist.at(a, b); });
  const float product = filtered(x, y, squares, [&](int a, int b) { return ref.at(a, b) * dist.at(a, b); });
  return terms(m1, m2, std::max(0.0F, square1 - m1 * m1), std::max(0.0F, square2 - m2 * m2), product - m1 * m2);
}

Means compared(const Plane& ref, const Plane& dist, Size size, int scale) noexcept {
  const Size windows = {size.width - kWindow + 1, size.height - kWindow + 1};
  Sums sums;
  for (int strip = 0; strip < windows.width; strip += kStrip) {
    for (int y = 0; y < windows.height; ++y) {
      RowOfSums row;
      for (int x = strip; x < std::min(strip + kStrip, windows.width); ++x) {
        const Terms found = window(ref, dist, x, y, scale);
        const float values[4] = {found.luminance * found.contrast * found.structure, found.luminance, found.contrast,
                                 found.structure};
        for (int i = 0; i < 4; ++i) row.lane[i][x % 8] += values[i];
      }
      add(row, sums);
    }
  }
  return means_of(sums, windows);
}

template <class T>
void ssim(PlaneView<T> ref, PlaneView<T> dist, Size size, int bit_depth, int scales, std::byte* workspace,
          Means* means) noexcept {
  auto* const memory = reinterpret_cast<float*>(workspace);
  const auto plane = static_cast<std::ptrdiff_t>(plane_floats(size));
  Plane now[2] = {{memory, stride_of(size.width)}, {memory + plane, stride_of(size.width)}};
  Plane next[2] = {{memory + 2 * plane, stride_of(size.width)}, {memory + 3 * plane, stride_of(size.width)}};
  copy(ref, size, bit_depth, now[0]);
  copy(dist, size, bit_depth, now[1]);
  const auto advance = [&](int by, const auto& shrink) {
    for (int i = 0; i < 2; ++i) shrink(now[i], next[i]);
    std::swap(now, next);
    size = shrunk(size, by);
  };
  if (const int by = factor(size); scales == 1 && by > 1) {
    advance(by, [&](const Plane& from, const Plane& to) { average(from, size, by, to); });
  }
  for (int scale = 0; scale < scales; ++scale) {
    if (scale) advance(2, [&](const Plane& from, const Plane& to) { halve(from, size, scale, to); });
    means[scale] = compared(now[0], now[1], size, scale);
  }
}

}  // namespace

void u8(PlaneView<std::uint8_t> ref, PlaneView<std::uint8_t> dist, Size size, int bit_depth, int scales,
        std::byte* workspace, Means* means) noexcept {
  ssim(ref, dist, size, bit_depth, scales, workspace, means);
}

void u16(PlaneView<std::uint16_t> ref, PlaneView<std::uint16_t> dist, Size size, int bit_depth, int scales,
         std::byte* workspace, Means* means) noexcept {
  ssim(ref, dist, size, bit_depth, scales, workspace, means);
}

}  // namespace scalar
}  // namespace cinemill::ssim
