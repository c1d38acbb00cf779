// SSIM with 256-bit vectors: a row of each plane is filtered as it comes, eleven such rows are filtered downwards, and
// the windows of that row are compared, while all of it is in the cache.
#include "kernels/ssim/ssim.h"

#if CINEMILL_HAVE_AVX2
#include "kernels/avx2.h"
#include "kernels/ssim/constants.h"

namespace cinemill::ssim::avx2 {
namespace {

constexpr int kKinds = 5;  // ref, dist, their squares, their product

struct Plane {
  float* samples;
  int stride;

  float* row(int y) const noexcept { return samples + std::ptrdiff_t{y} * stride; }
};

struct Work {
  Plane plane[2][2];        // of both sides, and the next scale's
  float* filtered[kKinds];  // of a strip, of rows y % 11
  float* product[3];        // of ref * ref, dist * dist, ref * dist
  float* window[kKinds];    // filtered in both directions
  float* halving;           // sums of a strip's rows, see RowSums
  float* row;
  double* columns;  // two rows of work as one of doubles
};

Work carve(float* next, Size size) noexcept {
  Work work{};
  const int stride = stride_of(size.width);
  const auto row = [&] {
    float* const taken = next + kMargin;
    next += stride;
    return taken;
  };
  for (auto& pair : work.plane) {
    for (Plane& plane : pair) {
      plane = {next + kMargin, stride};
      next += plane_floats(size);
    }
  }
  const auto strip_rows = [&](int count) {
    float* const taken = next;
    next += count * kStripFloats;
    return taken;
  };
  for (float*& rows : work.filtered) rows = strip_rows(kWindow);
  for (float*& one : work.product) one = strip_rows(1);
  for (float*& one : work.window) one = strip_rows(1);
  work.halving = next;
  next += kHalvingFloats;
  work.row = row();
  row();
  work.columns = reinterpret_cast<double*>(row());
  row();
  return work;
}

// 8 of `Sum`.
struct Sum8 {
  __m256 on_grid;
  __m256 rest;
};

CINEMILL_AVX2 inline Sum8 sum_from(__m256 start) noexcept { return {start, _mm256_setzero_ps()}; }

CINEMILL_AVX2 inline void add(Sum8& sum, __m256 term) noexcept {
  const __m256 on_grid = _mm256_add_ps(sum.on_grid, term);
  const __m256 left = _mm256_sub_ps(term, _mm256_sub_ps(on_grid, sum.on_grid));
  sum.rest = _mm256_add_ps(left, sum.rest);
  sum.on_grid = on_grid;
  asm("" : "+x"(sum.on_grid), "+x"(sum.rest));  // as `in_register` does
}

CINEMILL_AVX2 inline __m256 rounded(const Sum8& sum, __m256 start) noexcept {
  return _mm256_add_ps(_mm256_sub_ps(sum.on_grid, start), sum.rest);
}

CINEMILL_AVX2 __m256 floats(const std::uint8_t* from) noexcept {
  return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from))));
}

CINEMILL_AVX2 __m256 floats(const std::uint16_t* from) noexcept {
  return _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
}

// Samples of a row as floats.
template <class T>
CINEMILL_AVX2 void convert(const T* row, int width, float unit, float* to) noexcept {
  int x = 0;
  for (; x + 8 <= width; x += 8) _mm256_storeu_ps(to + x, _mm256_mul_ps(floats(row + x), _mm256_set1_ps(unit)));
  for (; x < width; ++x) to[x] = static_cast<float>(row[x]) * unit;
}

template <class T>
CINEMILL_AVX2 void copy(PlaneView<T> from, Size size, int bit_depth, const Plane& out) noexcept {
  const float unit = 1.0F / static_cast<float>(1 << (bit_depth - 8));  // a power of two: as exact as the quotient
  for (int y = 0; y < size.height; ++y) convert(from.row(y), size.width, unit, out.row(y));
}

// --- shrinking -------------------------------------------------------------------------------------------------------

void reflect_ends(float* row, int width) noexcept {
  for (int i = 1; i <= kLowPass; ++i) {
    row[-i] = row[std::min(i - 1, width - 1)];
    row[width - 1 + i] = row[std::max(width - i, 0)];
  }
}

CINEMILL_AVX2 __m256i integers(const std::uint8_t* from) noexcept {
  return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)));
}

CINEMILL_AVX2 __m256i integers(const std::uint16_t* from) noexcept {
  return _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
}

// Sums of `by` rows from row y on, reflected beyond their ends.
template <class T>
CINEMILL_AVX2 void add_rows(PlaneView<T> plane, Size size, int y, int by, std::int32_t* sums) noexcept {
  for (int v = 0; v < by; ++v) {
    const T* const row = plane.row(reflected(y + v, size.height));
    int x = 0;
    for (; x + 8 <= size.width; x += 8) {
      const __m256i before = v ? load(sums + x) : _mm256_setzero_si256();
      store(sums + x, _mm256_add_epi32(before, integers(row + x)));
    }
    for (; x < size.width; ++x) sums[x] = (v ? sums[x] : 0) + row[x];
  }
  for (int i = 1; i <= by; ++i) {
    sums[-i] = sums[i - 1];
    sums[size.width - 1 + i] = sums[size.width - i];
  }
}

// Means of by x by samples where that is a power of two: all steps of the definition are exact then, and so are
// integers: sums are below 2^16 * 8 * 8 < 2^24.
template <class T>
CINEMILL_AVX2 void average_exactly(PlaneView<T> plane, Size size, int bit_depth, int by, const Work& work,
                                   const Plane& out) noexcept {
  const Size small = shrunk(size, by);
  const float unit = 1.0F / static_cast<float>(by * by << (bit_depth - 8));
  auto* const sums = reinterpret_cast<std::int32_t*>(work.row);
  for (int y = 0; y < small.height; ++y) {
    add_rows(plane, size, y * by - by / 2, by, sums);
    float* const to = out.row(y);
    for (int x = 0; x < small.width; ++x) {
      std::int32_t sum = 0;
      for (int u = 0; u < by; ++u) sum += sums[x * by + u - by / 2];
      to[x] = static_cast<float>(sum) * unit;
    }
  }
}

CINEMILL_AVX2 inline void add_doubles(const double* before, __m128 terms, double* sums) noexcept {
  const __m256d wide = _mm256_cvtps_pd(terms);
  _mm256_storeu_pd(sums, before ? _mm256_add_pd(_mm256_loadu_pd(before), wide) : wide);
}

// Means of by x by samples. Their sums are exact in double precision (24 bits of values at most 2^13 apart), so that
// columns may be added first.
template <class T>
CINEMILL_AVX2 void average(PlaneView<T> plane, Size size, int bit_depth, int by, const Work& work,
                           const Plane& out) noexcept {
  const Size small = shrunk(size, by);
  const float unit = 1.0F / static_cast<float>(1 << (bit_depth - 8));
  const __m256 part = _mm256_set1_ps(1.0F / static_cast<float>(by * by));
  float* const row = work.row;
  double* const sums = work.columns;
  for (int y = 0; y < small.height; ++y) {
    for (int v = 0; v < by; ++v) {
      convert(plane.row(reflected(y * by + v - by / 2, size.height)), size.width, unit, row);
      reflect_ends(row, size.width);
      for (int x = -8; x < size.width + 8; x += 8) {
        const __m256 terms = _mm256_mul_ps(_mm256_loadu_ps(row + x), part);
        add_doubles(v ? sums + x : nullptr, _mm256_castps256_ps128(terms), sums + x);
        add_doubles(v ? sums + x + 4 : nullptr, _mm256_extractf128_ps(terms, 1), sums + x + 4);
      }
    }
    for (int x = 0; x < small.width; ++x) {
      double sum = 0;
      for (int u = 0; u < by; ++u) sum += sums[x * by + u - by / 2];
      out.row(y)[x] = static_cast<float>(sum);
    }
  }
}

// The even and the odd samples of a row, from an even one on.
struct Split {
  alignas(32) float even[kStrip + 16];
  alignas(32) float odd[kStrip + 16];
};

CINEMILL_AVX2 void split(const float* row, int count, Split& out) noexcept {
  const __m256i order = _mm256_setr_epi32(0, 1, 4, 5, 2, 3, 6, 7);
  for (int x = 0; x < count; x += 8) {
    const __m256 a = _mm256_loadu_ps(row + 2 * x);
    const __m256 b = _mm256_loadu_ps(row + 2 * x + 8);
    _mm256_store_ps(out.even + x, _mm256_permutevar8x32_ps(_mm256_shuffle_ps(a, b, 0x88), order));
    _mm256_store_ps(out.odd + x, _mm256_permutevar8x32_ps(_mm256_shuffle_ps(a, b, 0xDD), order));
  }
}

// Sums of a strip's rows y % 10 with the taps of row v of `kLow`, of which v and 8 - v are the same.
struct RowSums {
  float* memory;

  float* at(int y, int v) const noexcept {
    return memory + ((y % (kLowPass + 1)) * (kLowPass / 2 + 1) + std::min(v, kLowPass - 1 - v)) * 2 * kStrip;
  }
};

CINEMILL_AVX2 inline void keep(const Sum8& sum, __m256 start, float* to) noexcept {
  _mm256_storeu_ps(to, _mm256_sub_ps(sum.on_grid, start));
  _mm256_storeu_ps(to + kStrip, sum.rest);
}

// Of taps v: on the grid, without their origin, and behind kStrip of those the rests.
CINEMILL_AVX2 void sum_row(const Split& samples, int v, int width, float origin, float* sums) noexcept {
  const __m256 start = _mm256_set1_ps(origin);
  const float* const taps = kLow[v];
  for (int x = 0; x < width; x += 16) {
    Sum8 first = sum_from(start);
    Sum8 second = sum_from(start);
#pragma GCC unroll 9
    for (int u = 0; u < kLowPass; ++u) {  // sample 2 x + u
      const float* const from = (u % 2 ? samples.odd : samples.even) + x + u / 2;
      const __m256 tap = _mm256_broadcast_ss(taps + u);
      add(first, _mm256_mul_ps(_mm256_loadu_ps(from), tap));
      add(second, _mm256_mul_ps(_mm256_loadu_ps(from + 8), tap));
    }
    keep(first, start, sums + x);
    keep(second, start, sums + x + 8);
  }
}

CINEMILL_AVX2 void add_sums(const RowSums& rows, int y, Size size, int width, float* to) noexcept {
  const float* from[kLowPass];
  for (int v = 0; v < kLowPass; ++v) from[v] = rows.at(reflected(2 * y + v - kLowPass / 2, size.height), v);
  for (int x = 0; x < width; x += 8) {
    __m256 on_grid = _mm256_setzero_ps();
    __m256 rest = _mm256_setzero_ps();
    for (const float* const row : from) {
      on_grid = _mm256_add_ps(on_grid, _mm256_loadu_ps(row + x));
      rest = _mm256_add_ps(rest, _mm256_loadu_ps(row + kStrip + x));
    }
    _mm256_storeu_ps(to + x, _mm256_add_ps(on_grid, rest));
  }
}

// Asks for samples of a row some rows before they are needed: rows lie on pages of their own, which processors do not
// look ahead over.
inline constexpr int kAhead = 8;
inline void ask_for(const float* row, int count) noexcept {
  for (int x = 0; x < count; x += 16) __builtin_prefetch(row + x);
}

CINEMILL_AVX2 void halve(const Work& work, const Plane& plane, Size size, int scale, const Plane& out) noexcept {
  constexpr int kRadius = kLowPass / 2;
  const Size small = shrunk(size, 2);
  const RowSums sums{work.halving};
  for (int y = 0; y < size.height; ++y) reflect_ends(plane.row(y), size.width);
  Split samples;
  for (int strip = 0; strip < small.width; strip += kStrip) {
    const int width = std::min(kStrip, small.width - strip);
    int summed = 0;
    for (int y = 0; y < small.height; ++y) {
      for (; summed <= std::min(2 * y + kRadius, size.height - 1); ++summed) {
        ask_for(plane.row(std::min(summed + kAhead, size.height - 1)) + 2 * strip, 2 * width);
        split(plane.row(summed) + 2 * strip - kRadius, width + kRadius, samples);
        // An even row meets taps of even rows, but where it is its own reflection.
        const bool edge = summed < kRadius || summed + kRadius + 1 >= size.height;
        for (int v = edge ? 0 : summed % 2; v <= kRadius; v += edge ? 1 : 2) {
          sum_row(samples, v, width, origin_of_means(scale), sums.at(summed, v));
        }
      }
      add_sums(sums, y, size, width, out.row(y) + strip);
    }
  }
}

// --- windows ---------------------------------------------------------------------------------------------------------

// Where the sums of each kind begin.
struct Origins {
  __m256 of_means;
  __m256 of_squares;
};

CINEMILL_AVX2 inline __m256 origin_of(const Origins& origins, int kind) noexcept {
  return kind < 2 ? origins.of_means : origins.of_squares;
}

// 16 samples filtered: tap k with those at from[k].
CINEMILL_AVX2 inline void filter16(const float* const (&from)[kWindow], int x, __m256 start, float* to) noexcept {
  Sum8 first = sum_from(start);
  Sum8 second = sum_from(start);
#pragma GCC unroll 11
  for (int k = 0; k < kWindow; ++k) {
    const __m256 tap = _mm256_set1_ps(kGaussian[k]);
    add(first, _mm256_mul_ps(_mm256_loadu_ps(from[k] + x), tap));
    add(second, _mm256_mul_ps(_mm256_loadu_ps(from[k] + x + 8), tap));
  }
  _mm256_storeu_ps(to, rounded(first, start));
  _mm256_storeu_ps(to + 8, rounded(second, start));
}

CINEMILL_AVX2 void filter_row(const Work& work, const float* ref, const float* dist, int width, const Origins& origins,
                              int slot) noexcept {
  float* const squares1 = work.product[0];
  float* const squares2 = work.product[1];
  float* const products = work.product[2];
  for (int x = 0; x < width + kWindow - 1; x += 8) {
    const __m256 a = _mm256_loadu_ps(ref + x);
    const __m256 b = _mm256_loadu_ps(dist + x);
    _mm256_storeu_ps(squares1 + x, _mm256_mul_ps(a, a));
    _mm256_storeu_ps(squares2 + x, _mm256_mul_ps(b, b));
    _mm256_storeu_ps(products + x, _mm256_mul_ps(a, b));
  }
  const float* const from[kKinds] = {ref, dist, squares1, squares2, products};
  for (int kind = 0; kind < kKinds; ++kind) {
    float* const to = work.filtered[kind] + slot * kStripFloats;
    const __m256 start = origin_of(origins, kind);
    const float* taps[kWindow];
    for (int k = 0; k < kWindow; ++k) taps[k] = from[kind] + k;
    for (int x = 0; x < width; x += 16) filter16(taps, x, start, to + x);
  }
}

CINEMILL_AVX2 void filter_columns(const Work& work, int slot, int width, const Origins& origins) noexcept {
  for (int kind = 0; kind < kKinds; ++kind) {
    const __m256 start = origin_of(origins, kind);
    const float* taps[kWindow];
    for (int k = 0; k < kWindow; ++k) taps[k] = work.filtered[kind] + (slot + k) % kWindow * kStripFloats;
    for (int x = 0; x < width; x += 16) filter16(taps, x, start, work.window[kind] + x);
  }
}

// Lanes in front of `left`.
CINEMILL_AVX2 static inline __m256 inside(int left) noexcept {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_castsi256_ps(_mm256_cmpgt_epi32(_mm256_set1_epi32(left), lane));
}

// 8 lanes of RowOfSums.
struct Lanes {
  __m256 of[4];
};

// Adds the windows [x, x + 8), of which `left` are inside.
CINEMILL_AVX2 static inline void compare8(const Work& work, int x, int left, Lanes& sums) noexcept {
  const __m256 m1 = _mm256_loadu_ps(work.window[0] + x);
  const __m256 m2 = _mm256_loadu_ps(work.window[1] + x);
  const __m256 zero = _mm256_setzero_ps();
  const __m256 c1 = _mm256_set1_ps(kC1);
  const __m256 c2 = _mm256_set1_ps(kC2);
  const __m256 c3 = _mm256_set1_ps(kC3);
  const __m256 square1 = _mm256_mul_ps(m1, m1);
  const __m256 square2 = _mm256_mul_ps(m2, m2);
  const __m256 product = _mm256_mul_ps(m1, m2);
  const __m256 v1 = _mm256_max_ps(_mm256_sub_ps(_mm256_loadu_ps(work.window[2] + x), square1), zero);
  const __m256 v2 = _mm256_max_ps(_mm256_sub_ps(_mm256_loadu_ps(work.window[3] + x), square2), zero);
  const __m256 covariance = _mm256_sub_ps(_mm256_loadu_ps(work.window[4] + x), product);
  const __m256 root = _mm256_sqrt_ps(_mm256_mul_ps(v1, v2));
  const __m256 flat = _mm256_and_ps(_mm256_cmp_ps(covariance, zero, _CMP_LT_OQ), _mm256_cmp_ps(root, zero, _CMP_LE_OQ));
  const __m256 both = _mm256_andnot_ps(flat, covariance);
  const __m256 luminance = _mm256_div_ps(_mm256_add_ps(_mm256_add_ps(product, product), c1),
                                         _mm256_add_ps(_mm256_add_ps(square1, square2), c1));
  const __m256 contrast =
      _mm256_div_ps(_mm256_add_ps(_mm256_add_ps(root, root), c2), _mm256_add_ps(_mm256_add_ps(v1, v2), c2));
  const __m256 structure = _mm256_div_ps(_mm256_add_ps(both, c3), _mm256_add_ps(root, c3));
  const __m256 values[4] = {_mm256_mul_ps(_mm256_mul_ps(luminance, contrast), structure), luminance, contrast,
                            structure};
  const __m256 mask = inside(left);
  for (int i = 0; i < 4; ++i) sums.of[i] = _mm256_add_ps(sums.of[i], _mm256_and_ps(values[i], mask));
}

// Adds a strip's row of windows.
CINEMILL_AVX2 void compare_row(const Work& work, int width, Sums& sums) noexcept {
  Lanes lanes = {{_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps()}};
  for (int x = 0; x < width; x += 8) compare8(work, x, width - x, lanes);
  RowOfSums row;
  for (int i = 0; i < 4; ++i) _mm256_storeu_ps(row.lane[i], lanes.of[i]);
  add(row, sums);
}

CINEMILL_AVX2 Means compared(const Work& work, const Plane& ref, const Plane& dist, Size size, int scale) noexcept {
  const Origins origins = {_mm256_set1_ps(origin_of_means(scale)), _mm256_set1_ps(origin_of_squares(scale))};
  const Size windows = {size.width - kWindow + 1, size.height - kWindow + 1};
  Sums sums;
  for (int strip = 0; strip < windows.width; strip += kStrip) {
    const int width = std::min(kStrip, windows.width - strip);
    for (int y = 0; y < size.height; ++y) {
      const int later = std::min(y + kAhead, size.height - 1);
      ask_for(ref.row(later) + strip, width + kWindow);
      ask_for(dist.row(later) + strip, width + kWindow);
      filter_row(work, ref.row(y) + strip, dist.row(y) + strip, width, origins, y % kWindow);
      if (y < kWindow - 1) continue;
      filter_columns(work, (y + 1) % kWindow, width, origins);
      compare_row(work, width, sums);
    }
  }
  return means_of(sums, windows);
}

template <class T>
void ssim(PlaneView<T> ref, PlaneView<T> dist, Size size, int bit_depth, int scales, std::byte* workspace,
          Means* means) noexcept {
  const Work work = carve(reinterpret_cast<float*>(workspace), size);
  Plane now[2] = {work.plane[0][0], work.plane[0][1]};
  Plane next[2] = {work.plane[1][0], work.plane[1][1]};
  if (const int by = factor(size); scales == 1 && by > 1) {
    const bool exactly = (by & (by - 1)) == 0 && by <= 8;
    exactly ? average_exactly(ref, size, bit_depth, by, work, now[0]) : average(ref, size, bit_depth, by, work, now[0]);
    exactly ? average_exactly(dist, size, bit_depth, by, work, now[1])
            : average(dist, size, bit_depth, by, work, now[1]);
    size = shrunk(size, by);
  } else {
    copy(ref, size, bit_depth, now[0]);
    copy(dist, size, bit_depth, now[1]);
  }
  for (int scale = 0; scale < scales; ++scale) {
    if (scale) {
      for (int i = 0; i < 2; ++i) halve(work, now[i], size, scale, next[i]);
      std::swap(now, next);
      size = shrunk(size, 2);
    }
    means[scale] = compared(work, now[0], now[1], size, scale);
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

}  // namespace cinemill::ssim::avx2

#endif  // CINEMILL_HAVE_AVX2
