// The definition of the VIF sums: as plain as it can be written. Other targets are tested against it.
#include <bit>

#include "kernels/mirror.h"
#include "kernels/vif/constants.h"

namespace cinemill::vif::scalar {
namespace {

// Filtered columns of one row, before the row itself is filtered.
struct Columns {
  std::uint32_t* mean[2];    // of ref and dist, <= 65535
  std::uint32_t* square[3];  // ref^2, dist^2, ref * dist; full 32 bits
};

Columns carve(std::byte* memory, Size size) noexcept {
  const std::size_t bytes = aligned(sizeof(std::uint32_t) * (static_cast<std::size_t>(size.width) + 2 * kMargin));
  const auto part = [&](std::size_t i) { return reinterpret_cast<std::uint32_t*>(memory + i * bytes); };
  return {{part(0), part(1)}, {part(2), part(3), part(4)}};
}

template <class T>
void filter_columns(PlaneView<T> ref, PlaneView<T> dist, Size size, const Filter& filter, Rounding round, int y,
                    const Columns& out) noexcept {
  for (int x = 0; x < size.width; ++x) {
    std::uint32_t mean[2] = {round.mean_half(), round.mean_half()};
    std::uint64_t square[3] = {round.square_half(), round.square_half(), round.square_half()};
    for (int k = 0; k < filter.taps; ++k) {
      const int row = mirror(y - filter.radius() + k, size.height);
      const std::uint64_t r = ref.row(row)[x];
      const std::uint64_t d = dist.row(row)[x];
      mean[0] += filter.tap[k] * static_cast<std::uint32_t>(r);
      mean[1] += filter.tap[k] * static_cast<std::uint32_t>(d);
      square[0] += filter.tap[k] * r * r;
      square[1] += filter.tap[k] * d * d;
      square[2] += filter.tap[k] * r * d;
    }
    for (int i = 0; i < 2; ++i) out.mean[i][x] = static_cast<std::uint16_t>(mean[i] >> round.mean_shift);
    for (int i = 0; i < 3; ++i) out.square[i][x] = static_cast<std::uint32_t>(square[i] >> round.square_shift);
  }
}

template <class Sum>
Sum filter_row(const std::uint32_t* row, int x, int width, const Filter& filter) noexcept {
  Sum sum = 0;
  for (int k = 0; k < filter.taps; ++k) sum += Sum{filter.tap[k]} * row[mirror(x - filter.radius() + k, width)];
  return sum;
}

// Variances and covariance around one sample, in units of 2^-16 of an 8-bit sample's square; |.| <= 127.5^2 * 2^16 <
// 2^30.
struct Moments {
  std::int32_t ref;
  std::int32_t dist;
  std::int32_t both;
};

Moments moments(const Columns& columns, int x, int width, const Filter& filter) noexcept {
  const std::uint64_t mean[2] = {filter_row<std::uint32_t>(columns.mean[0], x, width, filter),
                                 filter_row<std::uint32_t>(columns.mean[1], x, width, filter)};
  const auto spread = [&](int square, std::uint64_t a, std::uint64_t b) {
    const std::uint64_t sum = filter_row<std::uint64_t>(columns.square[square], x, width, filter);
    const auto mean_square = static_cast<std::uint32_t>((a * b + (std::uint64_t{1} << 31)) >> 32);
    return static_cast<std::int32_t>(static_cast<std::uint32_t>((sum + 32768) >> 16) - mean_square);
  };
  return {spread(0, mean[0], mean[0]), std::max(spread(1, mean[1], mean[1]), 0), spread(2, mean[0], mean[1])};
}

// 2048 * log2 of value >= 2^17, from its 16 highest bits.
std::int32_t log2_of(std::uint64_t value) noexcept {
  const int shift = static_cast<int>(std::bit_width(value)) - 16;
  return log_table()[(value >> shift) - 32768] + 2048 * shift;
}

// A double's integer part where it fits, else the smallest integer, as processors convert.
std::int32_t truncated(double value) noexcept {
  return value > -2147483649.0 && value < 2147483648.0 ? static_cast<std::int32_t>(value) : INT32_MIN;
}

void add(const Moments& at, const Gains& gains, Sums& sums) noexcept {
  if (at.ref < kNoise) {
    sums.flat_energy += at.dist;
    sums.flat += 1;
    return;
  }
  sums.den_log += log2_of(static_cast<std::uint64_t>(kNoise + at.ref)) - 2048 * 17;
  if (at.both <= 0 || at.dist <= 0) return;
  const double gain = at.both / (at.ref + kEpsilon);
  const std::int32_t residue = std::max(truncated(at.dist - gain * at.both), 0) + kNoise;
  for (int i = 0; i < gains.count; ++i) {
    const double limited = std::min(gain, gains.limit[i]);
    const auto explained = static_cast<std::int64_t>(limited * limited * at.ref);
    sums.num_log[i] +=
        log2_of(static_cast<std::uint64_t>(explained + residue)) - log2_of(static_cast<std::uint64_t>(residue));
  }
}

template <class T>
Sums sums_of(PlaneView<T> ref, PlaneView<T> dist, Size size, int scale, int bit_depth, const Gains& gains,
             const Columns& columns) noexcept {
  const Filter& filter = kFilters[scale];
  Sums sums{};
  for (int y = 0; y < size.height; ++y) {
    filter_columns(ref, dist, size, filter, rounding(scale, bit_depth), y, columns);
    for (int x = 0; x < size.width; ++x) add(moments(columns, x, size.width, filter), gains, sums);
  }
  return sums;
}

// Every second sample of every second row, low-passed by the filter of the next scale.
template <class T>
void halve(PlaneView<T> in, Size size, int scale, int bit_depth, std::uint32_t* row, std::uint16_t* out,
           std::ptrdiff_t stride) noexcept {
  const Filter& filter = kFilters[scale + 1];
  const Rounding round = rounding(scale, bit_depth);
  for (int y = 0; y < size.height / 2; ++y) {
    for (int x = 0; x < size.width; ++x) {
      std::uint32_t sum = round.mean_half();
      for (int k = 0; k < filter.taps; ++k) {
        sum += filter.tap[k] * std::uint32_t{in.row(mirror(2 * y - filter.radius() + k, size.height))[x]};
      }
      row[x] = static_cast<std::uint16_t>(sum >> round.mean_shift);
    }
    for (int x = 0; x < size.width / 2; ++x) {
      const std::uint32_t sum = filter_row<std::uint32_t>(row, 2 * x, size.width, filter) + 32768;
      out[y * stride + x] = static_cast<std::uint16_t>(sum >> 16);
    }
  }
}

using Words = PlaneView<std::uint16_t>;

// Goes on from a plane of scale `scale` in `ref` and `dist`; two pairs of planes in `memory` take turns.
template <class T>
void all_scales(PlaneView<T> ref, PlaneView<T> dist, Size size, int scale, int bit_depth, const Gains& gains,
                std::byte* memory, std::size_t plane_bytes, const Columns& columns, Sums* sums) noexcept {
  sums[scale] = sums_of(ref, dist, size, scale, bit_depth, gains, columns);
  if (scale + 1 == kScales) return;
  auto* const half = reinterpret_cast<std::uint16_t*>(memory + 2 * plane_bytes * static_cast<std::size_t>(scale % 2));
  auto* const other = half + plane_bytes / sizeof(std::uint16_t);
  const auto bytes = static_cast<std::ptrdiff_t>(half_stride(size));
  const auto stride = bytes / static_cast<std::ptrdiff_t>(sizeof(std::uint16_t));
  halve(ref, size, scale, bit_depth, columns.mean[0], half, stride);
  halve(dist, size, scale, bit_depth, columns.mean[0], other, stride);
  all_scales(Words{half, bytes}, Words{other, bytes}, {size.width / 2, size.height / 2}, scale + 1, bit_depth, gains,
             memory, plane_bytes, columns, sums);
}

template <class T>
void vif(PlaneView<T> ref, PlaneView<T> dist, Size size, int bit_depth, const Gains& gains, std::byte* workspace,
         Sums* sums) noexcept {
  const std::size_t plane_bytes = half_stride(size) * static_cast<std::size_t>(size.height / 2);
  all_scales(ref, dist, size, 0, bit_depth, gains, workspace, plane_bytes, carve(workspace + 4 * plane_bytes, size),
             sums);
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

}  // namespace cinemill::vif::scalar
