// The reduction with 256-bit vectors: only rows that the filter before shrinking asks for are resized and filtered.
#include "kernels/speed/speed.h"

#if CINEMILL_HAVE_AVX2
#include "kernels/avx2.h"
#include "kernels/speed/local_mean.h"

namespace cinemill::speed::avx2 {
namespace {

constexpr int kRadius = kShrinkTaps / 2;

// Rows of work of one plane.
struct Work {
  float* rows[kShrinkTaps];  // that the filter takes in
  float* original[2];        // between which a resized row lies
  float* sums;               // over rows
  int* first;                // of each column, as in Between
  int* second;
  float* part;
};

CINEMILL_AVX2 __m256 floats(const std::uint8_t* from) noexcept {
  return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from))));
}

CINEMILL_AVX2 __m256 floats(const std::uint16_t* from) noexcept {
  return _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
}

template <class T>
class Shrinker {
 public:
  Shrinker(PlaneView<T> plane, Size source, int bit_depth, Size size, const Work& work) noexcept
      : plane_(plane),
        source_(source),
        size_(size),
        resizes_(size.width != source.width || size.height != source.height),
        unit_(1.0F / static_cast<float>(1 << (bit_depth - 8))),
        work_(work) {}

  CINEMILL_AVX2 void run(int stride, float* out) noexcept {
    if (resizes_) {
      for (int x = 0; x < size_.width; ++x) {
        const Between across = between(x, source_.width, size_.width);
        work_.first[x] = across.first;
        work_.second[x] = across.second;
        work_.part[x] = across.part;
      }
    }
    const Size small = reduced(size_);
    for (int y = 0; y < small.height; ++y) {
      for (int k = 0; k < kShrinkTaps; ++k) {
        const int row = mirror(kShrink * y + k - kRadius, size_.height);
        resizes_ ? resized_row(row, work_.rows[k]) : original_row(row, work_.rows[k]);
      }
      add_rows();
      for (int x = 0; x < small.width; ++x) out[std::ptrdiff_t{y} * stride + x] = across(x);
    }
  }

 private:
  PlaneView<T> plane_;
  Size source_;
  Size size_;
  bool resizes_;
  float unit_;
  const Work& work_;

  CINEMILL_AVX2 void original_row(int y, float* out) noexcept {
    const T* const row = plane_.row(y);
    int x = 0;
    for (; x + 8 <= source_.width; x += 8) {
      const __m256 scaled = _mm256_mul_ps(floats(row + x), _mm256_set1_ps(unit_));
      _mm256_storeu_ps(out + x, _mm256_sub_ps(scaled, _mm256_set1_ps(128)));
    }
    for (; x < source_.width; ++x) out[x] = static_cast<float>(row[x]) * unit_ - 128;
  }

  CINEMILL_AVX2 void resized_row(int y, float* out) noexcept {
    const Between down = between(y, source_.height, size_.height);
    original_row(down.first, work_.original[0]);
    original_row(down.second, work_.original[1]);
    const __m256 one = _mm256_set1_ps(1);
    const __m256 dy = _mm256_set1_ps(down.part);
    const __m256 ey = _mm256_sub_ps(one, dy);
    for (int x = 0; x < size_.width; x += 8) {  // tables are filled up to whole vectors
      const __m256i first = load(work_.first + x);
      const __m256i second = load(work_.second + x);
      const __m256 dx = _mm256_loadu_ps(work_.part + x);
      const __m256 ex = _mm256_sub_ps(one, dx);
      __m256 sum = _mm256_mul_ps(_mm256_mul_ps(ey, ex), at(0, first));
      sum = _mm256_add_ps(sum, _mm256_mul_ps(_mm256_mul_ps(ey, dx), at(0, second)));
      sum = _mm256_add_ps(sum, _mm256_mul_ps(_mm256_mul_ps(dy, ex), at(1, first)));
      sum = _mm256_add_ps(sum, _mm256_mul_ps(_mm256_mul_ps(dy, dx), at(1, second)));
      _mm256_storeu_ps(out + x, sum);
    }
  }

  CINEMILL_AVX2 __m256 at(int row, __m256i place) const noexcept {
    return _mm256_i32gather_ps(work_.original[row], place, 4);
  }

  CINEMILL_AVX2 void add_rows() noexcept {
    const float* const taps = shrinking().tap;
    for (int x = 0; x < size_.width; x += 8) {
      __m256 sum = _mm256_setzero_ps();
      for (int k = 0; k < kShrinkTaps; ++k) {
        sum = _mm256_add_ps(sum, _mm256_mul_ps(_mm256_set1_ps(taps[k]), _mm256_loadu_ps(work_.rows[k] + x)));
      }
      _mm256_storeu_ps(work_.sums + x, sum);
    }
  }

  float across(int x) const noexcept {
    float sum = 0;
    for (int k = 0; k < kShrinkTaps; ++k) {
      sum += shrinking().tap[k] * work_.sums[mirror(kShrink * x + k - kRadius, size_.width)];
    }
    return sum;
  }
};

CINEMILL_AVX2 __m256d deviation(const float* from, __m256d mean) noexcept {
  return _mm256_sub_pd(_mm256_cvtps_pd(_mm_loadu_ps(from)), mean);
}

CINEMILL_AVX2 double covariance(const float* a, const float* b, int stride, Size size, double mean_a,
                                double mean_b) noexcept {
  const __m256d of_a = _mm256_set1_pd(mean_a);
  const __m256d of_b = _mm256_set1_pd(mean_b);
  __m256d low = _mm256_setzero_pd();
  __m256d high = _mm256_setzero_pd();
  double rest = 0;
  for (int y = 0; y < size.height; ++y) {
    const float* const p = a + std::ptrdiff_t{y} * stride;
    const float* const q = b + std::ptrdiff_t{y} * stride;
    int x = 0;
    for (; x + 8 <= size.width; x += 8) {
      low = _mm256_add_pd(low, _mm256_mul_pd(deviation(p + x, of_a), deviation(q + x, of_b)));
      high = _mm256_add_pd(high, _mm256_mul_pd(deviation(p + x + 4, of_a), deviation(q + x + 4, of_b)));
    }
    for (; x + 4 <= size.width; x += 4) {
      low = _mm256_add_pd(low, _mm256_mul_pd(deviation(p + x, of_a), deviation(q + x, of_b)));
    }
    for (; x < size.width; ++x) rest += (static_cast<double>(p[x]) - mean_a) * (static_cast<double>(q[x]) - mean_b);
  }
  double four[4];
  _mm256_storeu_pd(four, _mm256_add_pd(low, high));
  return four[0] + four[1] + four[2] + four[3] + rest;
}

Work carve(float* next, Size source, Size size) noexcept {
  Work work{};
  const int width = stride_of(std::max(source.width, size.width));
  const auto take = [&] {
    float* const taken = next;
    next += width;
    return taken;
  };
  for (float*& row : work.rows) row = take();
  for (float*& row : work.original) row = take();
  work.sums = take();
  work.part = take();
  work.first = reinterpret_cast<int*>(take());
  work.second = reinterpret_cast<int*>(take());
  std::fill_n(work.first, width, 0);  // places behind a row are looked up as well
  std::fill_n(work.second, width, 0);
  return work;
}

template <class T>
Result speed(PlaneView<T> ref, PlaneView<T> dist, Size source, int bit_depth, const Options& options,
             std::byte* workspace) noexcept {
  const Size small = reduced(options.size);
  const int stride = stride_of(small.width);
  const std::ptrdiff_t area = std::ptrdiff_t{stride} * small.height;
  auto* const planes = reinterpret_cast<float*>(workspace);
  float* const more = planes + 2 * area;
  const Work work = carve(more + area, source, options.size);
  for (int side = 0; side < 2; ++side) {
    Shrinker<T>(side ? dist : ref, source, bit_depth, options.size, work).run(stride, planes + side * area);
    subtract_local_mean(planes + side * area, small, stride, more);
  }
  return estimate({planes, small, stride}, {planes + area, small, stride}, options, covariance, more);
}

}  // namespace

Result u8(PlaneView<std::uint8_t> ref, PlaneView<std::uint8_t> dist, Size source, int bit_depth, const Options& options,
          std::byte* workspace) noexcept {
  return speed(ref, dist, source, bit_depth, options, workspace);
}

Result u16(PlaneView<std::uint16_t> ref, PlaneView<std::uint16_t> dist, Size source, int bit_depth,
           const Options& options, std::byte* workspace) noexcept {
  return speed(ref, dist, source, bit_depth, options, workspace);
}

}  // namespace cinemill::speed::avx2

#endif  // CINEMILL_HAVE_AVX2
