// The definition of the ADM sums: as plain as it can be written. Other targets are tested against it.
//
// Ranges at scale 0, where coefficients are stored in 16 bits: a row or column pass multiplies the largest sample by at
// most (4240 + 7345 + 27411 + 15826) / 2^15, half of it in each direction: |coefficient| <= 22840. Weighted it is below
// 2^15 as well; where the original's 16 bits do wrap (the centre of a threshold, from 15360 on), it is said.
#include <algorithm>
#include <bit>
#include <cstdlib>

#include "kernels/adm/constants.h"

namespace cinemill::adm::scalar {
namespace {

using Coefficient = std::int32_t;

struct Plane {
  Coefficient* samples;
  int stride;

  Coefficient* row(int y) const noexcept { return samples + std::ptrdiff_t{y} * stride; }
};

// One level of a wavelet pyramid.
struct Level {
  Plane low;
  Plane band[kBands];
};

struct Planes {
  Level ref[2];  // two levels take turns: one is the source of the next
  Level dist[2];
  Plane restored[kBands];
  Plane added[kBands];
};

constexpr int kPlanes = 2 * 2 * (1 + kBands) + 2 * kBands;

Planes carve(std::byte* memory, Size size) noexcept {
  const Size band = halved(size);
  auto* next = reinterpret_cast<Coefficient*>(memory);
  const auto take = [&] {
    Coefficient* const taken = next;
    next += std::ptrdiff_t{band.width} * band.height;
    return Plane{taken, band.width};
  };
  Planes planes{};
  for (Level* level : {&planes.ref[0], &planes.ref[1], &planes.dist[0], &planes.dist[1]}) {
    level->low = take();
    for (Plane& plane : level->band) plane = take();
  }
  for (Plane& plane : planes.restored) plane = take();
  for (Plane& plane : planes.added) plane = take();
  return planes;
}

std::int16_t narrow(std::int64_t value) noexcept { return static_cast<std::int16_t>(value); }

// --- wavelet -------------------------------------------------------------------------------------------------------

// Filters 4 samples that `at(k)` gives.
template <class At>
std::int64_t filtered(const std::int32_t* taps, const At& at) noexcept {
  std::int64_t sum = 0;
  for (int k = 0; k < kTaps; ++k) sum += std::int64_t{taps[k]} * at(k);
  return sum;
}

// Value of the wavelet's first pass (over columns) at (x, output row i); scale 0 keeps 16 bits, the others 32.
template <class At>
Coefficient column(const At& at, const std::int32_t* taps, int x, int i, int height, int scale, int shift) noexcept {
  const std::int64_t sum = filtered(taps, [&](int k) { return at(x, source(i, k, height)); });
  const std::int64_t value = (sum + half_of(shift)) >> shift;
  return scale ? static_cast<Coefficient>(value) : Coefficient{narrow(value)};
}

// One level; `at(x, y)` gives a sample of the source, about 0. Where the original's vectors run over the end of a row
// (`overruns`), they read on in the next row of its memory: the high-pass row behind the low-pass row, and behind that
// `beyond(t, i)`, t = 0, 1.
template <class At, class Beyond>
void transform(const At& at, const Beyond& beyond, Size size, int scale, WaveletShift shift, bool overrun,
               const Level& out) noexcept {
  const Size band = halved(size);
  for (int i = 0; i < band.height; ++i) {
    const auto first = [&](const std::int32_t* taps, int x) {
      return column(at, taps, x, i, size.height, scale, shift.columns);
    };
    const auto both = [&](const std::int32_t* taps_y, const std::int32_t* taps_x, int j) {
      const auto tap = [&](int k) -> Coefficient {
        const int behind = 2 * j - 1 + k - size.width;
        if (behind < 0 || !overrun) return first(taps_y, source(j, k, size.width));
        return taps_y == kLow ? first(kHigh, behind) : beyond(behind, i);
      };
      const std::int64_t value = (filtered(taps_x, tap) + half_of(shift.rows)) >> shift.rows;
      return scale ? static_cast<Coefficient>(value) : Coefficient{narrow(value)};
    };
    for (int j = 0; j < band.width; ++j) {
      out.low.row(i)[j] = both(kLow, kLow, j);
      out.band[0].row(i)[j] = both(kHigh, kLow, j);
      out.band[1].row(i)[j] = both(kLow, kHigh, j);
      out.band[2].row(i)[j] = both(kHigh, kHigh, j);
    }
  }
}

// --- decoupling ----------------------------------------------------------------------------------------------------

// Whether two (horizontal, vertical) details point the same way, within 1 degree. Products are rounded to floats.
bool same_direction(std::int64_t oh, std::int64_t ov, std::int64_t th, std::int64_t tv) noexcept {
  const double product = static_cast<double>(static_cast<float>(oh * th + ov * tv)) / 4096.0;
  const double ref = static_cast<double>(static_cast<float>(oh * oh + ov * ov)) / 4096.0;
  const double dist = static_cast<double>(static_cast<float>(th * th + tv * tv)) / 4096.0;
  return product >= 0.0 && product * product >= static_cast<double>(kCos1Squared) * ref * dist;
}

// 2^30 / n of n in [1, 32768].
std::int64_t reciprocal(std::int64_t n) noexcept { return (std::int64_t{1} << 30) / n; }

// dist / ref in 2^-15, limited to [0, 1]: by the reciprocal of the 15 highest bits of ref.
std::int64_t ratio(std::int64_t ref, std::int64_t dist) noexcept {
  if (ref == 0) return 32768;
  const auto size = static_cast<std::uint64_t>(std::abs(ref));
  const int shift = std::max(static_cast<int>(std::bit_width(size)) - 15, 0);
  const auto top = static_cast<std::int64_t>(shift ? (size + (std::uint64_t{1} << (shift - 1))) >> shift : size);
  const std::int64_t product = (ref < 0 ? -1 : 1) * reciprocal(top) * dist;
  return std::clamp<std::int64_t>((product + half_of(15 + shift)) >> (15 + shift), 0, 32768);
}

// What of the reference's detail is left in the distorted one. `gain` lets it be enhanced, where `enhanced` says so.
Coefficient restored(std::int64_t ref, std::int64_t dist, bool enhanced, double gain) noexcept {
  const std::int64_t part = ratio(ref, dist);
  const auto kept = static_cast<Coefficient>((part * ref + 16384) >> 15);
  if (!enhanced || part == 0 || ref == 0) return kept;
  const double limit = kept * gain;
  const auto there = static_cast<double>(dist);
  return static_cast<Coefficient>(ref > 0 ? std::min(limit, there) : std::max(limit, there));
}

void decouple(const Level& ref, const Level& dist, Size band, int scale, double gain, const Planes& out) noexcept {
  for (int y = 0; y < band.height; ++y) {
    for (int x = 0; x < band.width; ++x) {
      std::int64_t o[kBands];
      std::int64_t t[kBands];
      for (int i = 0; i < kBands; ++i) {
        o[i] = ref.band[i].row(y)[x];
        t[i] = dist.band[i].row(y)[x];
      }
      const bool enhanced = same_direction(o[0], o[1], t[0], t[1]);
      for (int i = 0; i < kBands; ++i) {
        const Coefficient kept = restored(o[i], t[i], enhanced, gain);
        const std::int64_t rest = t[i] - kept;
        out.restored[i].row(y)[x] = kept;
        out.added[i].row(y)[x] = scale ? static_cast<Coefficient>(rest) : narrow(rest);
      }
    }
  }
}

// --- contrast masking ----------------------------------------------------------------------------------------------

// One scale's arithmetic: weights in fixed point, and what a coefficient masks.
class Masking {
 public:
  Masking(const Plane* maskers, Size band, int scale, const Viewing& viewing) noexcept
      : maskers_(maskers),
        band_(band),
        scale_(scale),
        weights_(sensitivity(viewing, scale)),
        shift_(cube_shift(scale, band)) {}

  // A masked, weighted coefficient's cube.
  std::int64_t cube(const Plane* coefficients, int i, int x, int y, std::int32_t threshold) const noexcept {
    const std::int64_t product = weights_.factor[i] * coefficients[i].row(y)[x];
    const auto value = static_cast<std::int32_t>(scale_ ? (product + half_of(28)) >> 28 : product);
    const auto mask = static_cast<std::int32_t>(static_cast<std::uint32_t>(threshold) << shift_.mask[i]);
    const std::int64_t left = std::max(
        static_cast<std::int32_t>(static_cast<std::uint32_t>(std::abs(value)) - static_cast<std::uint32_t>(mask)), 0);
    const auto square = static_cast<std::int32_t>((left * left + half_of(shift_.square[i])) >> shift_.square[i]);
    // The original rounds only where it shifts: half of 2^0 is 0 there.
    return (square * left + half_of(shift_.cube[i])) >> shift_.cube[i];
  }

  // What the maskers of all bands around a sample hide: a thirtieth of each neighbour, a fifteenth of the sample
  // itself. In front of the plane the neighbour is mirrored, behind it is the edge sample.
  std::int32_t threshold(int x, int y) const noexcept {
    const int xs[3] = {x ? x - 1 : 1, x, std::min(x + 1, band_.width - 1)};
    const int ys[3] = {y ? y - 1 : 1, y, std::min(y + 1, band_.height - 1)};
    std::int32_t sum = 0;
    for (int i = 0; i < kBands; ++i) {
      for (int b = 0; b < 3; ++b) {
        for (int a = 0; a < 3; ++a) sum += a == 1 && b == 1 ? centre(i, x, y) : neighbour(i, xs[a], ys[b]);
      }
    }
    return sum;
  }

 private:
  const Plane* maskers_;
  Size band_;
  int scale_;
  Sensitivity weights_;
  CubeShift shift_;

  std::int64_t weighted(int i, int x, int y) const noexcept {
    const std::int64_t value = (weights_.factor[i] * maskers_[i].row(y)[x] + weights_.half[i]) >> weights_.shift[i];
    return std::abs(scale_ ? std::int64_t{static_cast<std::int32_t>(value)} : std::int64_t{narrow(value)});
  }

  // Scale 0: 16 bits. The others subtract half instead of adding it: the original's constant is 2^31 in a signed 32-bit
  // integer.
  std::int32_t neighbour(int i, int x, int y) const noexcept {
    const std::int64_t value = weighted(i, x, y);
    return scale_ ? static_cast<std::int32_t>((143165577 * value - (std::int64_t{1} << 31)) >> 32)
                  : narrow((4369 * value + 2048) >> 12);
  }

  // Scale 0: wraps from 15360 on.
  std::int32_t centre(int i, int x, int y) const noexcept {
    const std::int64_t value = weighted(i, x, y);
    return scale_ ? static_cast<std::int32_t>((286331153 * value - (std::int64_t{1} << 31)) >> 32)
                  : narrow((8738 * value + 2048) >> 12);
  }
};

// Sums of the cubes of `coefficients`, masked by `maskers`. A row of cubes is below 2^63 by the choice of its shift.
void add_masked(const Plane* coefficients, const Plane* maskers, Size band, int scale, const Viewing& viewing,
                std::int64_t* sums) noexcept {
  const Masking masking(maskers, band, scale, viewing);
  const Window counted = window(band);
  const int shift = cube_shift(scale, band).row;
  for (int y = counted.top; y < counted.bottom; ++y) {
    std::int64_t row[kBands] = {};
    for (int x = counted.left; x < counted.right; ++x) {
      const std::int32_t threshold = masking.threshold(x, y);
      for (int i = 0; i < kBands; ++i) row[i] += masking.cube(coefficients, i, x, y, threshold);
    }
    for (int i = 0; i < kBands; ++i) sums[i] += (row[i] + half_of(shift)) >> shift;
  }
}

// Sums of the cubes of the reference's coefficients. At scale 0 a cube is below 22840^3 < 2^44, and 2^20 of them fit.
void add_denominator(const Plane* bands, Size band, int scale, std::uint64_t* sums) noexcept {
  const Window counted = window(band);
  const DenominatorShift shift = denominator_shift(scale, band);
  const auto cube = [&](std::uint64_t size) {
    if (scale == 0) return size * size * size;
    const std::uint64_t square = (size * size + (std::uint64_t{1} << shift.square)) >> shift.square;
    return (square * size + static_cast<std::uint64_t>(half_of(shift.cube))) >> shift.cube;
  };
  for (int i = 0; i < kBands; ++i) {
    for (int y = counted.top; y < counted.bottom; ++y) {
      std::uint64_t row = 0;
      for (int x = counted.left; x < counted.right; ++x) {
        row += cube(static_cast<std::uint32_t>(std::abs(bands[i].row(y)[x])));
      }
      sums[i] += (row + static_cast<std::uint64_t>(half_of(shift.row))) >> shift.row;
    }
  }
}

// --- all together --------------------------------------------------------------------------------------------------

Sums sums_of(const Level& ref, const Level& dist, Size band, int scale, const Options& options,
             const Planes& planes) noexcept {
  Sums sums{};
  add_denominator(ref.band, band, scale, sums.den);
  for (int gain = 0; gain < options.gains; ++gain) {
    decouple(ref, dist, band, scale, options.gain_limit[gain], planes);
    add_masked(planes.restored, planes.added, band, scale, options.viewing, sums.num[gain]);
    if (options.aim) add_masked(planes.added, planes.restored, band, scale, options.viewing, sums.aim[gain]);
  }
  return sums;
}

template <class T>
void first_level(PlaneView<T> plane, Size size, int bit_depth, const Level& out) noexcept {
  const std::int32_t middle = 1 << (bit_depth - 1);
  const auto at = [&](int x, int y) { return plane.row(y)[x] - middle; };
  const auto nothing = [](int, int) { return 0; };
  transform(at, nothing, size, 0, {bit_depth, kWaveletShift[0].rows}, overruns(size, 0, bit_depth), out);
}

// What lies behind the last row of the level before: the first samples of its low-passed distorted row.
struct Leftover {
  Coefficient samples[2];
};

Leftover leftover(const Plane& low, Size size, int scale) noexcept {
  Leftover found{};
  if (scale < 2) return found;  // memory that was never written
  const auto at = [&](int x, int y) { return low.row(y)[x]; };
  for (int t = 0; t < 2; ++t) {
    const int x = std::min(t + (size.width % 2 ? 2 : 0), size.width - 1);
    found.samples[t] =
        column(at, kLow, x, halved(size.height) - 1, size.height, scale - 1, kWaveletShift[scale - 1].columns);
  }
  return found;
}

void next_levels(const Planes& planes, Size size, int scale, const Leftover& left) noexcept {
  const int now = scale % 2;
  const WaveletShift shift = kWaveletShift[scale];
  const bool overrun = overruns(size, scale, 0);
  const Plane& low_ref = planes.ref[1 - now].low;
  const Plane& low_dist = planes.dist[1 - now].low;
  const auto ref = [&](int x, int y) { return low_ref.row(y)[x]; };
  const auto dist = [&](int x, int y) { return low_dist.row(y)[x]; };
  const auto behind_ref = [&](int t, int i) { return column(dist, kLow, t, i, size.height, scale, shift.columns); };
  const auto behind_dist = [&](int t, int) { return left.samples[t]; };
  transform(ref, behind_ref, size, scale, shift, overrun, planes.ref[now]);
  transform(dist, behind_dist, size, scale, shift, overrun, planes.dist[now]);
}

template <class T>
void adm(PlaneView<T> ref, PlaneView<T> dist, Size size, int bit_depth, const Options& options, std::byte* workspace,
         Sums* sums) noexcept {
  const Planes planes = carve(workspace, size);
  Size source_size[kScales] = {size};
  first_level(ref, size, bit_depth, planes.ref[0]);
  first_level(dist, size, bit_depth, planes.dist[0]);
  for (int scale = 0; scale < kScales; ++scale) {
    const int now = scale % 2;
    if (scale) {
      source_size[scale] = halved(source_size[scale - 1]);
      const Leftover left = leftover(planes.dist[now].low, source_size[scale - 1], scale);
      next_levels(planes, source_size[scale], scale, left);
    }
    sums[scale] = sums_of(planes.ref[now], planes.dist[now], halved(source_size[scale]), scale, options, planes);
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

std::size_t workspace_bytes(Size size) noexcept {
  const Size band = halved(size);
  return sizeof(Coefficient) * kPlanes * static_cast<std::size_t>(band.width) * static_cast<std::size_t>(band.height);
}

}  // namespace cinemill::adm::scalar
