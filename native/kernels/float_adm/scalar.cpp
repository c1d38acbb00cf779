// The definition of ADM in single precision: as plain as it can be written. Other targets are tested against it.
#include "kernels/float_adm/constants.h"

namespace cinemill::float_adm::scalar {

// Both planes; of both sides the four bands; weighted magnitudes of what was kept and what was added.
std::size_t workspace_bytes(Size size) noexcept {
  return sizeof(float) * (2 * plane_floats(size) + (2 * 4 + 2 * kBands) * plane_floats(halved(size)));
}

namespace {

struct Plane {
  float* samples;
  int stride;

  float& at(int x, int y) const noexcept { return samples[std::ptrdiff_t{y} * stride + x]; }
};

struct Bands {
  Plane detail[kBands];
  Plane low;
};

struct Planes {
  Bands side[2];
  Plane kept[kBands];  // weighted magnitudes
  Plane added[kBands];
};

template <class T>
void copy(PlaneView<T> from, Size size, int bit_depth, const Plane& to) noexcept {
  const auto unit = static_cast<float>(1 << (bit_depth - 8));
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) to.at(x, y) = static_cast<float>(from.row(y)[x]) / unit - kMiddle;
  }
}

// Four values around place 2 * i weighted.
template <class Value>
float filtered(int i, int size, const float (&taps)[4], const Value& value) noexcept {
  float sum = 0;
  for (int k = 0; k < 4; ++k) sum += taps[k] * value(folded(2 * i - 1 + k, size));
  return sum;
}

// Columns first, then rows.
float coefficient(const Plane& plane, Size size, int x, int y, const float (&down)[4],
                  const float (&across)[4]) noexcept {
  return filtered(x, size.width, across, [&](int column) {
    return filtered(y, size.height, down, [&](int row) { return plane.at(column, row); });
  });
}

void transform(const Plane& plane, Size size, const Bands& bands) noexcept {
  const Size small = halved(size);
  for (int y = 0; y < small.height; ++y) {
    for (int x = 0; x < small.width; ++x) {
      bands.low.at(x, y) = coefficient(plane, size, x, y, kLow, kLow);
      bands.detail[0].at(x, y) = coefficient(plane, size, x, y, kHigh, kLow);
      bands.detail[1].at(x, y) = coefficient(plane, size, x, y, kLow, kHigh);
      bands.detail[2].at(x, y) = coefficient(plane, size, x, y, kHigh, kHigh);
    }
  }
}

// Whether (h, v) of both sides differ by less than a degree: then contrast was changed, not detail.
bool same_direction(float h1, float v1, float h2, float v2) noexcept {
  const float product = h1 * h2 + v1 * v2;
  const float square1 = h1 * h1 + v1 * v1;
  const float square2 = h2 * h2 + v2 * v2;
  return product >= 0 && product * product >= kCosine * square1 * square2;
}

// How much of a reference's coefficient the distorted one keeps.
float kept(float ref, float dist, bool enhanced, float limit) noexcept {
  const float share = std::clamp(dist / (ref + kTiny), 0.0F, 1.0F);
  const float restored = share * ref;
  if (enhanced && restored > 0) return std::min(restored * limit, dist);
  if (enhanced && restored < 0) return std::max(restored * limit, dist);
  return restored;
}

void decouple(const Planes& planes, Size size, const float (&weight)[kBands], float limit) noexcept {
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      const auto at = [&](int side, int band) { return planes.side[side].detail[band].at(x, y); };
      const bool enhanced = same_direction(at(0, 0), at(0, 1), at(1, 0), at(1, 1));
      for (int band = 0; band < kBands; ++band) {
        const float restored = kept(at(0, band), at(1, band), enhanced, limit);
        planes.kept[band].at(x, y) = std::fabs(weight[band] * restored);
        planes.added[band].at(x, y) = std::fabs(weight[band] * (at(1, band) - restored));
      }
    }
  }
}

// What is invisible beside magnitudes of all bands around a place.
float threshold(const Plane (&masks)[kBands], Size size, int x, int y) noexcept {
  float threshold = 0;
  for (const Plane& mask : masks) {
    float sum = 0;
    for (int v = -1; v <= 1; ++v) {
      for (int u = -1; u <= 1; ++u) {
        const float share = u == 0 && v == 0 ? kCentre : kAround;
        sum += share * mask.at(folded(x + u, size.width), folded(y + v, size.height));
      }
    }
    threshold += sum;
  }
  return threshold;
}

float cube(float value) noexcept { return value * value * value; }

// Adds what is visible of `values` behind `masks`.
void add_visible(const Plane (&values)[kBands], const Plane (&masks)[kBands], Size size, int x, int y,
                 float (&sums)[kBands]) noexcept {
  const float invisible = threshold(masks, size, x, y);
  for (int band = 0; band < kBands; ++band) sums[band] += cube(std::max(values[band].at(x, y) - invisible, 0.0F));
}

Sums sums_of(const Planes& planes, Size size, const float (&weight)[kBands], bool aim) noexcept {
  const Window counted = window(size);
  Sums sums{};
  for (int y = counted.top; y < counted.bottom; ++y) {
    Sums row{};
    for (int x = counted.left; x < counted.right; ++x) {
      for (int band = 0; band < kBands; ++band) {
        row.den[band] += cube(std::fabs(weight[band] * planes.side[0].detail[band].at(x, y)));
      }
      add_visible(planes.kept, planes.added, size, x, y, row.num);
      if (aim) add_visible(planes.added, planes.kept, size, x, y, row.aim);
    }
    for (int band = 0; band < kBands; ++band) {
      sums.den[band] += row.den[band];
      sums.num[band] += row.num[band];
      sums.aim[band] += row.aim[band];
    }
  }
  return sums;
}

Planes carve(float* memory, Size band) noexcept {
  const auto plane = [&] {
    const Plane made{memory, stride_of(band.width)};
    memory += plane_floats(band);
    return made;
  };
  Planes planes{};
  for (Bands& bands : planes.side) bands = {{plane(), plane(), plane()}, plane()};
  for (int i = 0; i < kBands; ++i) planes.kept[i] = plane();
  for (int i = 0; i < kBands; ++i) planes.added[i] = plane();
  return planes;
}

template <class T>
void adm(PlaneView<T> ref, PlaneView<T> dist, Size size, int bit_depth, const Options& options, std::byte* workspace,
         Sums* sums) noexcept {
  auto* const memory = reinterpret_cast<float*>(workspace);
  const Plane now[2] = {{memory, stride_of(size.width)}, {memory + plane_floats(size), stride_of(size.width)}};
  const Planes planes = carve(memory + 2 * plane_floats(size), halved(size));
  copy(ref, size, bit_depth, now[0]);
  copy(dist, size, bit_depth, now[1]);
  for (int scale = 0; scale < kScales; ++scale) {
    for (int i = 0; i < 2; ++i) transform(now[i], size, planes.side[i]);
    size = halved(size);
    decouple(planes, size, options.weight[scale], options.gain_limit);
    sums[scale] = sums_of(planes, size, options.weight[scale], options.aim);
    for (int i = 0; i < 2; ++i) {
      for (int y = 0; y < size.height; ++y) std::copy_n(&planes.side[i].low.at(0, y), size.width, &now[i].at(0, y));
    }
  }
}

}  // namespace

void u8(PlaneView<std::uint8_t> ref, PlaneView<std::uint8_t> dist, Size size, int bit_depth, const Options& options,
        std::byte* workspace, Sums* sums) noexcept {
  adm(ref, dist, size, bit_depth, options, workspace, sums);
}

void u16(PlaneView<std::uint16_t> ref, PlaneView<std::uint16_t> dist, Size size, int bit_depth, const Options& options,
         std::byte* workspace, Sums* sums) noexcept {
  adm(ref, dist, size, bit_depth, options, workspace, sums);
}

}  // namespace cinemill::float_adm::scalar
