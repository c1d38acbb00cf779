// Filters, and where samples of a resized plane lie.
#include <numbers>

#include "kernels/speed/local_mean.h"

namespace cinemill::speed {
namespace {

// Normalized in single precision, as the original's are.
template <int kTaps>
Filter<kTaps> gaussian(float deviation) noexcept {
  Filter<kTaps> made{};
  const double sigma = static_cast<double>(deviation);
  const auto den = static_cast<float>(1 / (sigma * std::sqrt(2 * std::numbers::pi)));
  float sum = 0;
  for (int i = 0; i < kTaps; ++i) {
    const double x = i - kTaps / 2;
    made.tap[i] = static_cast<float>(std::exp(-0.5 * x / sigma * x / sigma)) / den;
    sum += made.tap[i];
  }
  for (float& tap : made.tap) tap /= sum;
  return made;
}

float mirrored(float at, float last) noexcept { return at < 0 ? -at : at > last ? 2 * last - at : at; }

}  // namespace

const Filter<kShrinkTaps>& shrinking() noexcept {
  static const auto filter = gaussian<kShrinkTaps>(static_cast<float>(std::sqrt(4.0) * kShrinkTaps / 5.0));
  return filter;
}

const Filter<kMeanTaps>& averaging() noexcept {
  static const auto filter = gaussian<kMeanTaps>(kMeanTaps / 5.0F);
  return filter;
}

Between between(int at, int from, int to) noexcept {
  const float ratio = static_cast<float>(from) / static_cast<float>(to);
  const auto place = static_cast<float>((at + 0.5) * static_cast<double>(ratio) - 0.5);
  const auto last = static_cast<float>(from - 1);
  const int first = static_cast<int>(mirrored(std::floor(place), last));
  const int second = static_cast<int>(mirrored(std::ceil(place), last));
  return {first, second, place - static_cast<float>(first)};
}

// Rows are filtered after columns, each sum in the order of the taps.
void subtract_local_mean(float* samples, Size size, int stride, float* work) noexcept {
  const Filter<kMeanTaps>& filter = averaging();
  constexpr int kRadius = kMeanTaps / 2;
  const auto filtered = [&](const auto& at) {
    float sum = 0;
    for (int k = 0; k < kMeanTaps; ++k) sum += filter.tap[k] * at(k - kRadius);
    return sum;
  };
  for (int y = 0; y < size.height; ++y) {
    float* const out = work + std::ptrdiff_t{y} * stride;
    for (int x = 0; x < size.width; ++x) {
      out[x] = filtered([&](int k) { return samples[std::ptrdiff_t{mirror(y + k, size.height)} * stride + x]; });
    }
  }
  for (int y = 0; y < size.height; ++y) {
    const float* const row = work + std::ptrdiff_t{y} * stride;
    float* const out = samples + std::ptrdiff_t{y} * stride;
    for (int x = 0; x < size.width; ++x) {
      out[x] -= filtered([&](int k) { return row[mirror(x + k, size.width)]; });
    }
  }
}

// Two reduced planes, room for a third or for the estimate, and 15 rows of work.
std::size_t workspace_bytes(Size source, const Options& options) noexcept {
  const Size small = reduced(options.size);
  const auto area = static_cast<std::size_t>(stride_of(small.width)) * static_cast<std::size_t>(small.height);
  const auto rows = 15 * static_cast<std::size_t>(stride_of(std::max(source.width, options.size.width)));
  return sizeof(float) * (2 * area + std::max(area, estimate_floats(small)) + area + rows);
}

}  // namespace cinemill::speed
