// ADM in single precision with 256-bit vectors: a row of bands is made, taken apart and compared while it is in the
// cache; of what was kept and what was added four rows stay, for the masks reach one row up and down.
#include "kernels/float_adm/float_adm.h"

#if CINEMILL_HAVE_AVX2
#include "kernels/avx2.h"
#include "kernels/float_adm/constants.h"

namespace cinemill::float_adm::avx2 {
namespace {

constexpr int kRing = 8;  // rows of samples that are floats: the four under a filter, and those until they are
constexpr int kKept = 4;  // rows of magnitudes: three under a mask
constexpr int kRows = 4 + 2 * kBands + 2 * kKept * kBands + 3 * kBands;  // of work, see Work

struct Plane {
  float* samples;
  int stride;
  int mask;  // row y is at y & mask

  float* row(int y) const noexcept { return samples + std::ptrdiff_t{y & mask} * stride; }
};

using Rows = float* [kBands];

struct Work {
  float* split[2][2];  // low-passed and high-passed columns: even and odd ones
  Rows detail[2];      // of both sides
  Rows kept[kKept];    // weighted magnitudes of row y at y % kKept
  Rows added[kKept];
  Rows den;  // cubes of a row
  Rows num;
  Rows aim;
};

Work carve(float* memory, int width) noexcept {
  Work work{};
  const auto take = [&](float*& row) {
    row = memory + kMargin;
    memory += stride_of(width);
  };
  for (auto& pair : work.split) {
    for (float*& row : pair) take(row);
  }
  for (auto* const group : {work.detail, work.kept, work.added}) {
    const int count = group == work.detail ? 2 : kKept;
    for (int i = 0; i < count; ++i) {
      for (float*& row : group[i]) take(row);
    }
  }
  for (Rows* const rows : {&work.den, &work.num, &work.aim}) {
    for (float*& row : *rows) take(row);
  }
  return work;
}

}  // namespace

std::size_t workspace_bytes(Size size) noexcept {
  const Size band = halved(size);
  return sizeof(float) *
         (2 * plane_floats({size.width, kRing}) + 2 * plane_floats(band) + 2 * plane_floats(halved(band)) +
          std::size_t{kRows} * static_cast<std::size_t>(stride_of(band.width)));
}

namespace {

// --- wavelet ---------------------------------------------------------------------------------------------------------

CINEMILL_AVX2 static inline __m256 filter4(__m256 a, __m256 b, __m256 c, __m256 d, const float (&taps)[4]) noexcept {
  __m256 sum = _mm256_mul_ps(a, _mm256_set1_ps(taps[0]));
  sum = _mm256_add_ps(sum, _mm256_mul_ps(b, _mm256_set1_ps(taps[1])));
  sum = _mm256_add_ps(sum, _mm256_mul_ps(c, _mm256_set1_ps(taps[2])));
  return _mm256_add_ps(sum, _mm256_mul_ps(d, _mm256_set1_ps(taps[3])));
}

// Even and odd columns of 16 that follow each other.
CINEMILL_AVX2 static inline void store_split(__m256 first, __m256 second, float* even, float* odd) noexcept {
  const __m256i order = _mm256_setr_epi32(0, 1, 4, 5, 2, 3, 6, 7);
  _mm256_storeu_ps(even, _mm256_permutevar8x32_ps(_mm256_shuffle_ps(first, second, 0x88), order));
  _mm256_storeu_ps(odd, _mm256_permutevar8x32_ps(_mm256_shuffle_ps(first, second, 0xDD), order));
}

// Filters the columns of four rows.
CINEMILL_AVX2 void filter_columns(const float* const (&rows)[4], int width, const float (&taps)[4],
                                  float* const (&split)[2]) noexcept {
  for (int x = 0; x < width; x += 16) {
    __m256 sum[2];
    for (int i = 0; i < 2; ++i) {
      const int at = x + 8 * i;
      sum[i] = filter4(_mm256_loadu_ps(rows[0] + at), _mm256_loadu_ps(rows[1] + at), _mm256_loadu_ps(rows[2] + at),
                       _mm256_loadu_ps(rows[3] + at), taps);
    }
    store_split(sum[0], sum[1], split[0] + x / 2, split[1] + x / 2);
  }
}

// Places -1, width and width + 1, which are those of `folded`.
void fold_ends(float* const (&split)[2], int width) noexcept {
  const auto at = [&split](int x) -> float& { return split[x & 1][x >> 1]; };
  for (const int x : {-1, width, width + 1}) at(x) = at(folded(x, width));
}

// Filters a row of columns: `low` and `high` are 8 coefficients each, of a row that has so many.
CINEMILL_AVX2 void filter_row(const float* const (&split)[2], int width, float* low, float* high) noexcept {
  for (int x = 0; x < width; x += 8) {
    const __m256 a = _mm256_loadu_ps(split[1] + x - 1);
    const __m256 b = _mm256_loadu_ps(split[0] + x);
    const __m256 c = _mm256_loadu_ps(split[1] + x);
    const __m256 d = _mm256_loadu_ps(split[0] + x + 1);
    if (low) _mm256_storeu_ps(low + x, filter4(a, b, c, d, kLow));
    if (high) _mm256_storeu_ps(high + x, filter4(a, b, c, d, kHigh));
  }
}

// Row y of all bands, or of the low-passed one only.
void transform(const Plane& plane, Size size, int y, bool with_detail, const Work& work, float* low,
               const Rows& detail) noexcept {
  const float* rows[4];
  for (int k = 0; k < 4; ++k) rows[k] = plane.row(folded(2 * y - 1 + k, size.height));
  const int width = halved(size).width;
  filter_columns(rows, size.width, kLow, work.split[0]);
  fold_ends(work.split[0], size.width);
  filter_row({work.split[0][0], work.split[0][1]}, width, low, with_detail ? detail[1] : nullptr);
  if (!with_detail) return;
  filter_columns(rows, size.width, kHigh, work.split[1]);
  fold_ends(work.split[1], size.width);
  filter_row({work.split[1][0], work.split[1][1]}, width, detail[0], detail[2]);
}

// --- what was kept, what was added -----------------------------------------------------------------------------------

CINEMILL_AVX2 static inline __m256 magnitude(__m256 value) noexcept {
  return _mm256_andnot_ps(_mm256_set1_ps(-0.0F), value);
}

CINEMILL_AVX2 static inline __m256 cube(__m256 value) noexcept {
  return _mm256_mul_ps(_mm256_mul_ps(value, value), value);
}

// As `same_direction` of the definition.
CINEMILL_AVX2 static inline __m256 same_direction(__m256 h1, __m256 v1, __m256 h2, __m256 v2) noexcept {
  const __m256 product = _mm256_add_ps(_mm256_mul_ps(h1, h2), _mm256_mul_ps(v1, v2));
  const __m256 square1 = _mm256_add_ps(_mm256_mul_ps(h1, h1), _mm256_mul_ps(v1, v1));
  const __m256 square2 = _mm256_add_ps(_mm256_mul_ps(h2, h2), _mm256_mul_ps(v2, v2));
  const __m256 least = _mm256_mul_ps(_mm256_mul_ps(_mm256_set1_ps(kCosine), square1), square2);
  return _mm256_and_ps(_mm256_cmp_ps(product, _mm256_setzero_ps(), _CMP_GE_OQ),
                       _mm256_cmp_ps(_mm256_mul_ps(product, product), least, _CMP_GE_OQ));
}

// As `kept` of the definition.
CINEMILL_AVX2 static inline __m256 restored(__m256 ref, __m256 dist, __m256 enhanced, __m256 limit) noexcept {
  const __m256 zero = _mm256_setzero_ps();
  const __m256 quotient = _mm256_div_ps(dist, _mm256_add_ps(ref, _mm256_set1_ps(kTiny)));
  const __m256 share = _mm256_min_ps(_mm256_max_ps(quotient, zero), _mm256_set1_ps(1.0F));
  const __m256 plain = _mm256_mul_ps(share, ref);
  const __m256 more = _mm256_mul_ps(plain, limit);
  const __m256 up = _mm256_and_ps(enhanced, _mm256_cmp_ps(plain, zero, _CMP_GT_OQ));
  const __m256 down = _mm256_and_ps(enhanced, _mm256_cmp_ps(plain, zero, _CMP_LT_OQ));
  return _mm256_blendv_ps(_mm256_blendv_ps(plain, _mm256_min_ps(more, dist), up), _mm256_max_ps(more, dist), down);
}

// Columns [begin, end) of row y.
CINEMILL_AVX2 void decouple(const Work& work, int y, int begin, int end, const float (&weight)[kBands],
                            float limit) noexcept {
  for (int x = begin; x < end; x += 8) {
    __m256 ref[kBands];
    __m256 dist[kBands];
    for (int band = 0; band < kBands; ++band) {
      ref[band] = _mm256_loadu_ps(work.detail[0][band] + x);
      dist[band] = _mm256_loadu_ps(work.detail[1][band] + x);
    }
    const __m256 enhanced = same_direction(ref[0], ref[1], dist[0], dist[1]);
    for (int band = 0; band < kBands; ++band) {
      const __m256 factor = _mm256_set1_ps(weight[band]);
      const __m256 same = restored(ref[band], dist[band], enhanced, _mm256_set1_ps(limit));
      const __m256 other = _mm256_sub_ps(dist[band], same);
      _mm256_storeu_ps(work.kept[y % kKept][band] + x, magnitude(_mm256_mul_ps(factor, same)));
      _mm256_storeu_ps(work.added[y % kKept][band] + x, magnitude(_mm256_mul_ps(factor, other)));
      _mm256_storeu_ps(work.den[band] + x, cube(magnitude(_mm256_mul_ps(factor, ref[band]))));
    }
  }
}

// --- sums ------------------------------------------------------------------------------------------------------------

using Mask = const float* [3][kBands];  // of the row above, the row itself, the one below

CINEMILL_AVX2 static inline __m256 threshold(const Mask& mask, int x) noexcept {
  const __m256 around = _mm256_set1_ps(kAround);
  __m256 found = _mm256_setzero_ps();
#pragma GCC unroll 3
  for (int band = 0; band < kBands; ++band) {
    __m256 sum = _mm256_setzero_ps();
#pragma GCC unroll 9
    for (int i = 0; i < 9; ++i) {
      const __m256 share = i == 4 ? _mm256_set1_ps(kCentre) : around;
      sum = _mm256_add_ps(sum, _mm256_mul_ps(share, _mm256_loadu_ps(mask[i / 3][band] + x + i % 3 - 1)));
    }
    found = _mm256_add_ps(found, sum);
  }
  return found;
}

// Cubes of what is visible of a row behind a mask.
CINEMILL_AVX2 void show(const Rows& values, const Mask& mask, int begin, int end, const Rows& cubes) noexcept {
  for (int x = begin; x < end; x += 8) {
    const __m256 invisible = threshold(mask, x);
    for (int band = 0; band < kBands; ++band) {
      const __m256 left = _mm256_sub_ps(_mm256_loadu_ps(values[band] + x), invisible);
      _mm256_storeu_ps(cubes[band] + x, cube(_mm256_max_ps(left, _mm256_setzero_ps())));
    }
  }
}

void add_row(const Rows& cubes, int begin, int end, float (&sums)[kBands]) noexcept {
  float row[kBands] = {};
  for (int x = begin; x < end; ++x) {
    for (int band = 0; band < kBands; ++band) row[band] += cubes[band][x];
  }
  for (int band = 0; band < kBands; ++band) sums[band] += row[band];
}

// Adds row y, whose neighbours are there.
void compare(const Work& work, int y, int height, const Window& counted, bool aim, Sums& sums) noexcept {
  Mask kept;
  Mask added;
  for (int v = 0; v < 3; ++v) {
    const int slot = folded(y + v - 1, height) % kKept;
    std::copy_n(work.kept[slot], kBands, kept[v]);
    std::copy_n(work.added[slot], kBands, added[v]);
  }
  show(work.kept[y % kKept], added, counted.left, counted.right, work.num);
  add_row(work.num, counted.left, counted.right, sums.num);
  if (!aim) return;
  show(work.added[y % kKept], kept, counted.left, counted.right, work.aim);
  add_row(work.aim, counted.left, counted.right, sums.aim);
}

// --- scales ----------------------------------------------------------------------------------------------------------

// Rows of samples, made floats as they are asked for.
template <class T>
struct Samples {
  PlaneView<T> plane;
  int width;
  float unit;
  int done = 0;

  CINEMILL_AVX2 void until(int end, const Plane& to) noexcept {
    for (; done < end; ++done) {
      const T* const from = plane.row(done);
      float* const row = to.row(done);
      int x = 0;
      for (; x + 8 <= width; x += 8) {
        const __m256 value = _mm256_mul_ps(_mm256_cvtepi32_ps(eight_samples(from + x)), _mm256_set1_ps(unit));
        _mm256_storeu_ps(row + x, _mm256_sub_ps(value, _mm256_set1_ps(kMiddle)));
      }
      for (; x < width; ++x) row[x] = static_cast<float>(from[x]) * unit - kMiddle;
      std::fill_n(row + width, kMargin, 0.0F);
    }
  }
};

// Rows that are there.
struct Ready {
  void until(int /*end*/, const Plane& /*to*/) noexcept {}
};

struct Pair {
  Plane side[2];
};

// The magnitudes' neighbours beyond both ends of a row that is counted as a whole.
void fold_magnitudes(const Work& work, int y, int width) noexcept {
  for (const auto* const rows : {&work.kept[y % kKept], &work.added[y % kKept]}) {
    for (float* const row : *rows) {
      row[-1] = row[1];
      row[width] = row[width - 1];
    }
  }
}

template <class Source>
Sums run(const Pair& now, const Pair& next, Size size, Source (&sources)[2], const float (&weight)[kBands],
         const Options& options, const Work& work) noexcept {
  const Size band = halved(size);
  const Window counted = window(band);
  const int begin = std::max(counted.top - 1, 0);
  const int end = std::min(counted.bottom + 1, band.height);
  Sums sums{};
  for (int y = 0; y < band.height; ++y) {
    const bool inside = y >= begin && y < end;
    for (int i = 0; i < 2; ++i) {
      sources[i].until(std::min(2 * y + 3, size.height), now.side[i]);
      float* const low = next.side[i].row(y);
      transform(now.side[i], size, y, inside, work, low, work.detail[i]);
      std::fill_n(low + band.width, kMargin, 0.0F);
    }
    if (!inside) continue;
    decouple(work, y, std::max(counted.left - 1, 0), std::min(counted.right + 1, band.width), weight,
             options.gain_limit);
    if (counted.left == 0) fold_magnitudes(work, y, band.width);
    if (y >= counted.top && y < counted.bottom) add_row(work.den, counted.left, counted.right, sums.den);
    if (y - 1 >= counted.top) compare(work, y - 1, band.height, counted, options.aim, sums);
  }
  if (counted.bottom == band.height) compare(work, band.height - 1, band.height, counted, options.aim, sums);
  return sums;
}

template <class T>
void adm(PlaneView<T> ref, PlaneView<T> dist, Size size, int bit_depth, const Options& options, std::byte* workspace,
         Sums* sums) noexcept {
  auto* memory = reinterpret_cast<float*>(workspace);
  const auto pair = [&memory](Size of, int rows, int mask) {
    Pair made{};
    for (Plane& plane : made.side) {
      plane = {memory + kMargin, stride_of(of.width), mask};
      memory += plane_floats({of.width, rows});
    }
    return made;
  };
  Size of[kScales + 1] = {size};
  for (int i = 0; i < kScales; ++i) of[i + 1] = halved(of[i]);
  const Pair ring = pair(size, kRing, kRing - 1);
  const Pair low[2] = {pair(of[1], of[1].height, -1), pair(of[2], of[2].height, -1)};
  const Work work = carve(memory, of[1].width);
  const float unit = 1.0F / static_cast<float>(1 << (bit_depth - 8));
  Samples<T> samples[2] = {{ref, size.width, unit}, {dist, size.width, unit}};
  sums[0] = run(ring, low[0], size, samples, options.weight[0], options, work);
  for (int scale = 1; scale < kScales; ++scale) {
    Ready ready[2];
    sums[scale] = run(low[(scale + 1) % 2], low[scale % 2], of[scale], ready, options.weight[scale], options, work);
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

}  // namespace cinemill::float_adm::avx2
#endif
