// The definition of VIF in single precision: as plain as it can be written. Other targets are tested against it.
#include <algorithm>
#include <bit>

#include "kernels/float_vif/constants.h"
#include "kernels/mirror.h"

namespace cinemill::float_vif::scalar {

// Both planes, those of the next scale, and a row of each kind.
std::size_t workspace_bytes(Size size) noexcept {
  return sizeof(float) *
         (4 * plane_floats(size) + std::size_t{kKinds} * static_cast<std::size_t>(stride_of(size.width)));
}

namespace {

struct Plane {
  float* samples;
  int stride;

  float* row(int y) const noexcept { return samples + std::ptrdiff_t{y} * stride; }
};

template <class T>
void copy(PlaneView<T> from, Size size, int bit_depth, const Plane& to) noexcept {
  const auto unit = static_cast<float>(1 << (bit_depth - 8));
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) to.row(y)[x] = static_cast<float>(from.row(y)[x]) / unit - kMiddle;
  }
}

// What `value` gives for rows around y, filtered.
template <class Value>
float filtered_column(int y, int height, int scale, const Value& value) noexcept {
  const int taps = taps_of(scale);
  float sum = 0;
  for (int k = 0; k < taps; ++k) sum += kTaps[scale][k] * value(mirror(y - taps / 2 + k, height));
  return sum;
}

float filtered_row(const float* row, int x, int width, int scale) noexcept {
  return filtered_column(x, width, scale, [row](int at) { return row[at]; });
}

// Every second sample of every second row, low-passed by the filter of scale `scale`.
void halve(const Plane& plane, Size size, int scale, float* row, const Plane& to) noexcept {
  for (int y = 0; y < size.height / 2; ++y) {
    for (int x = 0; x < size.width; ++x) {
      row[x] = filtered_column(2 * y, size.height, scale, [&](int at) { return plane.row(at)[x]; });
    }
    for (int x = 0; x < size.width / 2; ++x) to.row(y)[x] = filtered_row(row, 2 * x, size.width, scale);
  }
}

void filter_columns(const Plane& ref, const Plane& dist, Size size, int scale, int y, const Plane& rows) noexcept {
  for (int x = 0; x < size.width; ++x) {
    const auto filtered = [&](const auto& value) { return filtered_column(y, size.height, scale, value); };
    rows.row(0)[x] = filtered([&](int at) { return ref.row(at)[x]; });
    rows.row(1)[x] = filtered([&](int at) { return dist.row(at)[x]; });
    rows.row(2)[x] = filtered([&](int at) { return ref.row(at)[x] * ref.row(at)[x]; });
    rows.row(3)[x] = filtered([&](int at) { return dist.row(at)[x] * dist.row(at)[x]; });
    rows.row(4)[x] = filtered([&](int at) { return ref.row(at)[x] * dist.row(at)[x]; });
  }
}

// For value >= 1.
float log2_of(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const float x = std::bit_cast<float>((bits & 0x007FFFFFU) | 0x3F800000U) - 1.0F;
  float sum = 0;
  for (const float factor : kLog) sum = sum * x + factor;
  return static_cast<float>(static_cast<int>(bits >> 23) - 127) + sum;
}

// Adds one sample: means, means of squares, mean of products.
void add(const float (&mean)[kKinds], const Gains& gains, Sums& sums) noexcept {
  const float ref = std::max(mean[2] - mean[0] * mean[0], 0.0F);
  const float dist = std::max(mean[3] - mean[1] * mean[1], 0.0F);
  const float both = mean[4] - mean[0] * mean[1];
  if (ref < kNoise) {
    for (int i = 0; i < gains.count; ++i) sums.num[i] += 1.0F - dist * kFlatWeight;
    sums.den += 1.0F;
    return;
  }
  sums.den += log2_of(1.0F + ref / kNoise);
  const float gain = dist < kEpsilon ? 0.0F : both / (ref + kEpsilon);
  const float residue = dist < kEpsilon ? 0.0F : dist - gain * both;
  for (int i = 0; i < gains.count && both >= 0; ++i) {
    const float limited = std::min(gain, gains.limit[i]);
    const double noise = static_cast<double>(std::max(residue, kEpsilon)) + 2.0;
    const double explained = static_cast<double>(limited * limited * ref) / noise;
    sums.num[i] += log2_of(static_cast<float>(1.0 + explained));
  }
}

void add_row(const Plane& rows, int width, int scale, const Gains& gains, Sums& sums) noexcept {
  Sums row{};
  for (int x = 0; x < width; ++x) {
    float mean[kKinds];
    for (int kind = 0; kind < kKinds; ++kind) mean[kind] = filtered_row(rows.row(kind), x, width, scale);
    add(mean, gains, row);
  }
  for (int i = 0; i < gains.count; ++i) sums.num[i] += row.num[i];
  sums.den += row.den;
}

template <class T>
void vif(PlaneView<T> ref, PlaneView<T> dist, Size size, int bit_depth, const Gains& gains, std::byte* workspace,
         Sums* sums) noexcept {
  auto* const memory = reinterpret_cast<float*>(workspace);
  const int stride = stride_of(size.width);
  const auto plane = [&](int i) { return Plane{memory + plane_floats(size) * static_cast<std::size_t>(i), stride}; };
  Plane now[2] = {plane(0), plane(1)};
  Plane next[2] = {plane(2), plane(3)};
  const Plane rows = plane(4);
  copy(ref, size, bit_depth, now[0]);
  copy(dist, size, bit_depth, now[1]);
  for (int scale = 0; scale < kScales; ++scale) {
    if (scale) {
      for (int i = 0; i < 2; ++i) halve(now[i], size, scale, rows.row(0), next[i]);
      std::swap(now, next);
      size = half(size);
    }
    sums[scale] = {};
    for (int y = 0; y < size.height; ++y) {
      filter_columns(now[0], now[1], size, scale, y, rows);
      add_row(rows, size.width, scale, gains, sums[scale]);
    }
  }
}

}  // namespace

void u8(PlaneView<std::uint8_t> ref, PlaneView<std::uint8_t> dist, Size size, int bit_depth, const Gains& gains,
        std::byte* workspace, Sums* sums) noexcept {
  vif(ref, dist, size, bit_depth, gains, workspace, sums);
}

void u16(PlaneView<std::uint16_t> ref, PlaneView<std::uint16_t> dist, Size size, int bit_depth, const Gains& gains,
         std::byte* workspace, Sums* sums) noexcept {
  vif(ref, dist, size, bit_depth, gains, workspace, sums);
}

}  // namespace cinemill::float_vif::scalar
