// From reduced planes to the score: covariances of the 25 positions in a block, their eigenvalues, and the entropy of
// every block under a Gaussian scale mixture.
#include <numbers>

#include "kernels/speed/local_mean.h"
#include "kernels/speed/matrix.h"

namespace cinemill::speed {
namespace {

double wide(float value) noexcept { return static_cast<double>(value); }

const double kGaussEntropy = std::log2(2 * std::numbers::pi * std::numbers::e);

// What is known of every block of a plane.
struct Blocks {
  float* entropy;
  float* variance;
  int count;
};

// Means of the plane that begins at each position of a block and ends where all of them fit.
void means_of(const Reduced& plane, Size inner, float* means) noexcept {
  for (int b = 0; b < kBlock; ++b) {
    float sum[kBlock] = {};
    for (int y = 0; y < inner.height; ++y) {
      const float* const row = plane.samples + std::ptrdiff_t{b + y} * plane.stride;
      for (int x = 0; x < inner.width; ++x) {
        for (int a = 0; a < kBlock; ++a) sum[a] += row[x + a];
      }
    }
    for (int a = 0; a < kBlock; ++a) means[b * kBlock + a] = sum[a] / static_cast<float>(inner.width * inner.height);
  }
}

void covariances(const Reduced& plane, Size inner, Covariance covariance, Square& out) noexcept {
  float means[kElements];
  means_of(plane, inner, means);
  const auto at = [&](int place) {
    return plane.samples + std::ptrdiff_t{place / kBlock} * plane.stride + place % kBlock;
  };
  const double count = static_cast<double>(inner.width * inner.height);
  for (int i = 0; i < kElements; ++i) {
    for (int j = 0; j <= i; ++j) {
      const double sum = covariance(at(i), at(j), plane.stride, inner, wide(means[i]), wide(means[j]));
      out[i][j] = out[j][i] = static_cast<float>(sum / count);
    }
  }
}

// A column per block, a row per position in it.
void columns_of(const Reduced& plane, Size count, float* out) noexcept {
  const int all = count.width * count.height;
  for (int block = 0; block < all; ++block) {
    const float* const corner =
        plane.samples + std::ptrdiff_t{block / count.width * kBlock} * plane.stride + block % count.width * kBlock;
    for (int i = 0; i < kElements; ++i) {
      out[i * all + block] = corner[std::ptrdiff_t{i / kBlock} * plane.stride + i % kBlock];
    }
  }
}

// Variances of the blocks: x' K^-1 x / 25, added position by position.
void variances(const float* solution, const float* columns, int count, float* out) noexcept {
  for (int i = 0; i < kElements; ++i) {
    for (int j = 0; j < count; ++j) {
      const float part = solution[i * count + j] * columns[i * count + j] / static_cast<float>(kElements);
      out[j] = i ? out[j] + part : part;
    }
  }
}

// Whether the covariances could be inverted; without that variances are 0. `work` holds three times the columns.
bool estimate_plane(const Reduced& plane, float noise, Covariance covariance, const Blocks& out, float* work) noexcept {
  const Size count = blocks(plane.size);
  const Size inner = {count.width * kBlock - kBlock + 1, count.height * kBlock - kBlock + 1};
  const std::ptrdiff_t area = std::ptrdiff_t{kElements} * out.count;
  float* const columns = work;
  float* const solution = work + area;
  Square matrix;
  float values[kElements];
  covariances(plane, inner, covariance, matrix);
  eigenvalues(matrix, values);
  columns_of(plane, count, columns);
  const bool regular = std::none_of(values, values + kElements, [](float value) { return wide(value) < 1e-6; }) &&
                       solve(matrix, columns, out.count, solution, work + 2 * area);
  if (!regular) std::fill_n(solution, area, 0.0F);
  variances(solution, columns, out.count, out.variance);
  std::fill_n(out.entropy, out.count, 0.0F);
  for (const float value : values) {
    const float power = value < 0 ? 0 : value;
    for (int j = 0; j < out.count; ++j) {
      const double more = std::log2(wide(power * out.variance[j] + noise)) + kGaussEntropy;
      out.entropy[j] = static_cast<float>(wide(out.entropy[j]) + more);
    }
  }
  return regular;
}

float weighted(float entropy, double variance) noexcept {
  return static_cast<float>(wide(entropy) * std::log2(1 + variance));
}

// log2(1 + v) takes 1 + v of single precision where v is a plane's own variance.
float weighted(float entropy, float variance) noexcept {
  return static_cast<float>(wide(entropy) * std::log2(wide(1 + variance)));
}

// Difference of a block's information.
float difference(const Blocks& ref, const Blocks& dist, int j, int weighting) noexcept {
  const float r = ref.variance[j];
  const float d = dist.variance[j];
  const float one = weighted(ref.entropy[j], weighting == 2 ? d : r);
  const float other_entropy = dist.entropy[j];
  switch (weighting) {
    case 0:
    case 2:
      return std::fabs(one - weighted(other_entropy, d));
    case 1:
      return std::fabs(one - weighted(other_entropy, r));
    case 3:
      return std::fabs(weighted(ref.entropy[j], wide(r + d) / 2.0) - weighted(other_entropy, wide(r + d) / 2.0));
    case 4:
      return std::fabs(one - weighted(other_entropy, wide(r + d) / 2.0));
    case 5:
      return std::fabs(one - weighted(other_entropy, 0.75 * wide(r) + 0.25 * wide(d)));
    default:
      return std::fabs(one - weighted(other_entropy, 0.25 * wide(r) + 0.75 * wide(d)));
  }
}

float score_of(const Blocks& ref, const Blocks& dist, const Options& options) noexcept {
  const float seen = (1 + options.noise_floor) * options.noise;
  const auto base = static_cast<float>(kElements * (std::log2(wide(seen)) + kGaussEntropy));
  float sum = 0;
  for (int j = 0; j < ref.count; ++j) {
    if (ref.entropy[j] < base && dist.entropy[j] < base) continue;  // neither can be told from noise
    sum += difference(ref, dist, j, options.weighting);
  }
  return sum / static_cast<float>(ref.count);
}

int block_count(Size reduced_size) noexcept {
  const Size count = blocks(reduced_size);
  return count.width * count.height;
}

}  // namespace

std::size_t estimate_floats(Size reduced_size) noexcept {
  return static_cast<std::size_t>(block_count(reduced_size)) * (4 + 3 * kElements);
}

Result estimate(const Reduced& ref, const Reduced& dist, const Options& options, Covariance covariance,
                float* work) noexcept {
  const int count = block_count(ref.size);
  const Blocks one{work, work + count, count};
  const Blocks other{work + 2 * count, work + 3 * count, count};
  float* const rest = work + 4 * count;
  const bool ref_regular = estimate_plane(ref, options.noise, covariance, one, rest);
  const bool dist_regular = estimate_plane(dist, options.noise, covariance, other, rest);
  if (ref_regular != dist_regular) return {0, true};
  return {score_of(one, other, options), !ref_regular};
}

}  // namespace cinemill::speed
