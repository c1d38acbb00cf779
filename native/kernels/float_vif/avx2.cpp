// VIF in single precision with 256-bit vectors: bands of 8 rows. Columns are filtered 16 at a time, for four rows at
// once, then turned by 90 degrees: a vector is 8 rows of one column from there on. So rows are filtered like columns,
// and their terms are added from left to right, as the definition wants it, without leaving the lanes.
#include "kernels/float_vif/float_vif.h"

#if CINEMILL_HAVE_AVX2
#include <algorithm>

#include "kernels/avx2.h"
#include "kernels/float_vif/constants.h"
#include "kernels/mirror.h"

// Unrolled steps: as functions they would keep their sums in memory.
#define CINEMILL_INLINE CINEMILL_AVX2 __attribute__((always_inline))

namespace cinemill::float_vif::avx2 {
namespace {

constexpr int kBand = 8;    // rows
constexpr int kRing = 32;   // rows of the largest scale that are kept: a band's and 8 on both sides
constexpr int kChunk = 64;  // columns that are filtered between two looks at the rows
constexpr int kRows = 5;    // of work: four filtered ones, and the even and odd samples of one
constexpr int kMostRows = kBand + kMostTaps - 1;
constexpr int kTurned = kChunk + kMostTaps - 1 + 7;  // columns under a chunk, in whole vectors

struct Plane {
  float* samples;
  int stride;
  int mask;  // row y is at y & mask

  float* row(int y) const noexcept { return samples + std::ptrdiff_t{y & mask} * stride; }
};

struct Work {
  alignas(32) float rows[kBand][kChunk];              // filtered columns of one kind
  alignas(32) float turned[kKinds][kTurned][kBand];   // the same and those before, turned
  alignas(32) float mean[kKinds][8][kBand];           // filtered in both directions
  alignas(32) float inside[kMaxGains + 1][8][kBand];  // arguments of logarithms
  alignas(32) float plain[8][kBand];
};

}  // namespace

std::size_t workspace_bytes(Size size) noexcept {
  const Size ring = {size.width, kRing};
  return sizeof(float) * (2 * plane_floats(ring) + 2 * plane_floats(half(size)) + 2 * plane_floats(half(half(size))) +
                          kRows * static_cast<std::size_t>(stride_of(size.width)));
}

namespace {

// --- filters ---------------------------------------------------------------------------------------------------------

// Four outputs of two vectors each.
struct Eight {
  __m256 at[4][2];
};

CINEMILL_INLINE static inline void in_register(__m256& v) noexcept { asm("" : "+x"(v)); }

// Adds one pair of samples, the r-th under the four windows, which lie `step` apart.
template <int taps, int step, int r>
CINEMILL_INLINE static inline void add_sample(__m256 first, __m256 second, const float* tap, Eight& sum) noexcept {
#pragma GCC unroll 4
  for (int o = 0; o < 4; ++o) {
    const int k = r - step * o;
    if (k < 0 || k >= taps) continue;
    const __m256 factor = _mm256_broadcast_ss(tap + k);
    const __m256 a = _mm256_mul_ps(first, factor);
    const __m256 b = _mm256_mul_ps(second, factor);
    sum.at[o][0] = k ? _mm256_add_ps(sum.at[o][0], a) : a;
    sum.at[o][1] = k ? _mm256_add_ps(sum.at[o][1], b) : b;
    in_register(sum.at[o][0]);
    in_register(sum.at[o][1]);
  }
}

// Filters whatever `load` gives as the r-th pair of samples.
template <int taps, int step, class Load, int r = 0>
CINEMILL_INLINE static inline void filter(const Load& load, const float* tap, Eight& sum) noexcept {
  if constexpr (r < taps + 3 * step) {
    __m256 first;
    __m256 second;
    load.pair(r, first, second);
    add_sample<taps, step, r>(first, second, tap, sum);
    filter<taps, step, Load, r + 1>(load, tap, sum);
  }
}

// 16 columns of rows.
struct OfRows {
  const float* const* rows;
  int x;

  CINEMILL_INLINE void pair(int r, __m256& first, __m256& second) const noexcept {
    first = _mm256_loadu_ps(rows[r] + x);
    second = _mm256_loadu_ps(rows[r] + x + 8);
  }
};

// Products of two such rows.
struct OfProducts {
  const float* const* rows;
  const float* const* others;
  int x;

  CINEMILL_INLINE void pair(int r, __m256& first, __m256& second) const noexcept {
    first = _mm256_mul_ps(_mm256_loadu_ps(rows[r] + x), _mm256_loadu_ps(others[r] + x));
    second = _mm256_mul_ps(_mm256_loadu_ps(rows[r] + x + 8), _mm256_loadu_ps(others[r] + x + 8));
  }
};

// 8 rows of columns that follow each other, of two places.
struct OfTurned {
  const float* first;
  const float* second;

  CINEMILL_INLINE void pair(int r, __m256& one, __m256& other) const noexcept {
    one = _mm256_load_ps(first + kBand * r);
    other = _mm256_load_ps(second + kBand * r);
  }
};

// Columns [x, x + 16) of 8 rows of one kind, to column `at` of the chunk's rows.
template <int taps>
CINEMILL_AVX2 void filter_columns(const float* const* ref, const float* const* dist, int kind, int x, const float* tap,
                                  Work& work, int at) noexcept {
  for (int half = 0; half < kBand; half += 4) {
    const float* const* const one = (kind == 1 || kind == 3 ? dist : ref) + half;
    const float* const* const other = (kind == 2 ? ref : dist) + half;
    Eight sum;
    if (kind < 2) {
      filter<taps, 1>(OfRows{one, x}, tap, sum);
    } else {
      filter<taps, 1>(OfProducts{one, other, x}, tap, sum);
    }
    for (int o = 0; o < 4; ++o) {
      _mm256_store_ps(work.rows[half + o] + at, sum.at[o][0]);
      _mm256_store_ps(work.rows[half + o] + at + 8, sum.at[o][1]);
    }
  }
}

// Turns columns [0, count) of the rows, to column `at` of a kind's.
CINEMILL_AVX2 void turn(const Work& work, int count, float (*to)[kBand]) noexcept {
  for (int x = 0; x < count; x += 4) {
    __m256 row[4];  // rows i and i + 4
    for (int i = 0; i < 4; ++i) {
      row[i] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_load_ps(work.rows[i] + x)),
                                    _mm_load_ps(work.rows[i + 4] + x), 1);
    }
    const __m256 a = _mm256_unpacklo_ps(row[0], row[1]);
    const __m256 b = _mm256_unpackhi_ps(row[0], row[1]);
    const __m256 c = _mm256_unpacklo_ps(row[2], row[3]);
    const __m256 d = _mm256_unpackhi_ps(row[2], row[3]);
    _mm256_store_ps(to[x], _mm256_shuffle_ps(a, c, 0x44));
    _mm256_store_ps(to[x + 1], _mm256_shuffle_ps(a, c, 0xEE));
    _mm256_store_ps(to[x + 2], _mm256_shuffle_ps(b, d, 0x44));
    _mm256_store_ps(to[x + 3], _mm256_shuffle_ps(b, d, 0xEE));
  }
}

// --- samples to information ------------------------------------------------------------------------------------------

// log2 of four vectors of values >= 1, in step: each is a chain of products and sums that must wait for each other.
CINEMILL_INLINE static inline void log2_of(__m256 (&value)[4]) noexcept {
  const __m256 one = _mm256_set1_ps(1.0F);
  __m256 exponent[4];
  __m256 sum[4];
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) {
    const __m256i bits = _mm256_srli_epi32(_mm256_castps_si256(value[j]), 23);
    exponent[j] = _mm256_cvtepi32_ps(_mm256_sub_epi32(bits, _mm256_set1_epi32(127)));
    const __m256 fraction = _mm256_and_ps(value[j], _mm256_castsi256_ps(_mm256_set1_epi32(0x007FFFFF)));
    value[j] = _mm256_sub_ps(_mm256_or_ps(fraction, one), one);
    sum[j] = _mm256_set1_ps(kLog[0]);
  }
#pragma GCC unroll 8
  for (int i = 1; i < kLogTerms; ++i) {
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      sum[j] = _mm256_add_ps(_mm256_mul_ps(sum[j], value[j]), _mm256_set1_ps(kLog[i]));
      in_register(sum[j]);
    }
  }
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) value[j] = _mm256_add_ps(exponent[j], sum[j]);
}

// 1 + explained / (residue + noise), of 4 lanes.
CINEMILL_INLINE static inline __m128 one_and_quotient(__m128 explained, __m128 residue) noexcept {
  const __m256d noise = _mm256_add_pd(_mm256_cvtps_pd(residue), _mm256_set1_pd(2.0));
  return _mm256_cvtpd_ps(_mm256_add_pd(_mm256_set1_pd(1.0), _mm256_div_pd(_mm256_cvtps_pd(explained), noise)));
}

struct Lanes {
  __m256 num[kMaxGains];
  __m256 den;
};

// What is added for 8 rows of one column, as logarithms of `work.inside`, and of flat samples as it is in `work.plain`:
// log2 of 1 and of 2 are 0 and 1 to the last digit.
template <int gains>
CINEMILL_INLINE static inline void prepare_logs(Work& work, int column, const Gains& limits) noexcept {
  const __m256 zero = _mm256_setzero_ps();
  const __m256 one = _mm256_set1_ps(1.0F);
  const __m256 epsilon = _mm256_set1_ps(kEpsilon);
  const __m256 m1 = _mm256_load_ps(work.mean[0][column]);
  const __m256 m2 = _mm256_load_ps(work.mean[1][column]);
  const __m256 ref = _mm256_max_ps(_mm256_sub_ps(_mm256_load_ps(work.mean[2][column]), _mm256_mul_ps(m1, m1)), zero);
  const __m256 dist = _mm256_max_ps(_mm256_sub_ps(_mm256_load_ps(work.mean[3][column]), _mm256_mul_ps(m2, m2)), zero);
  const __m256 both = _mm256_sub_ps(_mm256_load_ps(work.mean[4][column]), _mm256_mul_ps(m1, m2));
  const __m256 flat = _mm256_cmp_ps(ref, _mm256_set1_ps(kNoise), _CMP_LT_OQ);
  const __m256 empty = _mm256_or_ps(flat, _mm256_cmp_ps(both, zero, _CMP_LT_OQ));
  const __m256 nothing = _mm256_cmp_ps(dist, epsilon, _CMP_LT_OQ);
  const __m256 gain = _mm256_andnot_ps(nothing, _mm256_div_ps(both, _mm256_add_ps(ref, epsilon)));
  const __m256 left = _mm256_andnot_ps(nothing, _mm256_sub_ps(dist, _mm256_mul_ps(gain, both)));
  const __m256 residue = _mm256_max_ps(left, epsilon);
#pragma GCC unroll 2
  for (int i = 0; i < gains; ++i) {
    const __m256 limited = _mm256_min_ps(gain, _mm256_set1_ps(limits.limit[i]));
    const __m256 explained = _mm256_mul_ps(_mm256_mul_ps(limited, limited), ref);
    const __m128 low = one_and_quotient(_mm256_castps256_ps128(explained), _mm256_castps256_ps128(residue));
    const __m128 high = one_and_quotient(_mm256_extractf128_ps(explained, 1), _mm256_extractf128_ps(residue, 1));
    const __m256 value = _mm256_insertf128_ps(_mm256_castps128_ps256(low), high, 1);
    _mm256_store_ps(work.inside[i][column], _mm256_blendv_ps(value, one, empty));
  }
  const __m256 den = _mm256_add_ps(one, _mm256_mul_ps(ref, _mm256_set1_ps(1.0F / kNoise)));
  _mm256_store_ps(work.inside[gains][column], _mm256_blendv_ps(den, _mm256_set1_ps(2.0F), flat));
  const __m256 weighted = _mm256_mul_ps(dist, _mm256_set1_ps(kFlatWeight));
  _mm256_store_ps(work.plain[column], _mm256_and_ps(flat, _mm256_sub_ps(one, weighted)));
}

// Adds the first `count` of 8 columns.
template <int gains>
CINEMILL_AVX2 void add_columns(Work& work, int count, const Gains& limits, Lanes& sums) noexcept {
  for (int c = 0; c < 8; ++c) prepare_logs<gains>(work, c, limits);
  auto* const values = work.inside[0];
  for (int v = 0; v < 8 * (gains + 1); v += 4) {
    __m256 four[4];
    for (int j = 0; j < 4; ++j) four[j] = _mm256_load_ps(values[v + j]);
    log2_of(four);
    for (int j = 0; j < 4; ++j) _mm256_store_ps(values[v + j], four[j]);
  }
  for (int c = 0; c < count; ++c) {
    const __m256 plain = _mm256_load_ps(work.plain[c]);
    for (int i = 0; i < gains; ++i) {
      sums.num[i] = _mm256_add_ps(sums.num[i], _mm256_add_ps(_mm256_load_ps(work.inside[i][c]), plain));
    }
    sums.den = _mm256_add_ps(sums.den, _mm256_load_ps(work.inside[gains][c]));
  }
}

CINEMILL_INLINE static inline void keep(const Eight& sum, float (*first)[kBand], float (*second)[kBand]) noexcept {
#pragma GCC unroll 4
  for (int o = 0; o < 4; ++o) {
    _mm256_store_ps(first[o], sum.at[o][0]);
    _mm256_store_ps(second[o], sum.at[o][1]);
  }
}

// Filters rows of 8 columns from `at` on.
template <int taps>
CINEMILL_AVX2 void filter_rows(Work& work, int at, const float* tap) noexcept {
  for (int column = 0; column < 8; column += 4) {
    for (int kind = 0; kind < 4; kind += 2) {
      Eight sum;
      filter<taps, 1>(OfTurned{work.turned[kind][at + column], work.turned[kind + 1][at + column]}, tap, sum);
      keep(sum, work.mean[kind] + column, work.mean[kind + 1] + column);
    }
  }
  Eight sum;
  filter<taps, 1>(OfTurned{work.turned[4][at], work.turned[4][at + 4]}, tap, sum);
  keep(sum, work.mean[4], work.mean[4] + 4);
}

// --- bands -----------------------------------------------------------------------------------------------------------

// Columns [x, x + count) of all kinds, filtered and turned, to column `at`.
template <int taps>
CINEMILL_AVX2 void prepare(const float* const* ref, const float* const* dist, int x, int count, const float* tap,
                           Work& work, int at) noexcept {
  for (int kind = 0; kind < kKinds; ++kind) {
    for (int c = 0; c < count; c += 16) filter_columns<taps>(ref, dist, kind, x + c, tap, work, c);
    turn(work, count, work.turned[kind] + at);
  }
}

template <int taps, int gains>
CINEMILL_AVX2 void add_band(const float* const* ref, const float* const* dist, int width, int rows, const float* tap,
                            const Gains& limits, Work& work, Sums& sums) noexcept {
  constexpr int kRadius = taps / 2;
  constexpr int kCarried = 2 * kRadius;
  Lanes lanes = {{_mm256_setzero_ps(), _mm256_setzero_ps()}, _mm256_setzero_ps()};
  prepare<taps>(ref, dist, -kRadius, 16, tap, work, 0);
  for (int x = 0; x < width; x += kChunk) {
    const int count = std::min(kChunk, width - x);
    prepare<taps>(ref, dist, x + kRadius, (count + 15) & ~15, tap, work, kCarried);
    for (int column = 0; column < count; column += 8) {
      filter_rows<taps>(work, column, tap);
      add_columns<gains>(work, std::min(8, count - column), limits, lanes);
    }
    for (auto& kind : work.turned) std::copy_n(kind[kChunk], kCarried * kBand, kind[0]);
  }
  alignas(32) float row[kMaxGains + 1][kBand];
  for (int i = 0; i < kMaxGains; ++i) _mm256_store_ps(row[i], lanes.num[i]);
  _mm256_store_ps(row[kMaxGains], lanes.den);
  for (int y = 0; y < rows; ++y) {
    for (int i = 0; i < gains; ++i) sums.num[i] += row[i][y];
    sums.den += row[kMaxGains][y];
  }
}

// --- the next scale --------------------------------------------------------------------------------------------------

// Mirrors a row at both ends, and makes the rest of what vectors read behind it numbers.
void mirror_ends(float* row, int width, int radius) noexcept {
  for (int i = 1; i <= radius; ++i) {
    row[-i] = row[i];
    row[width - 1 + i] = row[width - 1 - i];
  }
  std::fill(row + width + radius, row + width + kMargin, 0.0F);
}

// Even and odd places of `row`.
CINEMILL_AVX2 void split(const float* row, int count, float* even, float* odd) noexcept {
  const __m256i order = _mm256_setr_epi32(0, 1, 4, 5, 2, 3, 6, 7);
  for (int x = 0; x < count; x += 8) {
    const __m256 a = _mm256_loadu_ps(row + 2 * x);
    const __m256 b = _mm256_loadu_ps(row + 2 * x + 8);
    _mm256_storeu_ps(even + x, _mm256_permutevar8x32_ps(_mm256_shuffle_ps(a, b, 0x88), order));
    _mm256_storeu_ps(odd + x, _mm256_permutevar8x32_ps(_mm256_shuffle_ps(a, b, 0xDD), order));
  }
}

// Every second place of a row filtered, from its even and odd samples.
template <int taps>
CINEMILL_AVX2 void filter_split(const float* even, const float* odd, int width, const float* tap, float* to) noexcept {
  for (int x = 0; x < width; x += 16) {
    __m256 first = _mm256_setzero_ps();
    __m256 second = _mm256_setzero_ps();
#pragma GCC unroll 9
    for (int k = 0; k < taps; ++k) {
      const float* const from = (k % 2 ? odd : even) + x + k / 2;
      const __m256 factor = _mm256_broadcast_ss(tap + k);
      first = _mm256_add_ps(first, _mm256_mul_ps(_mm256_loadu_ps(from), factor));
      second = _mm256_add_ps(second, _mm256_mul_ps(_mm256_loadu_ps(from + 8), factor));
    }
    _mm256_storeu_ps(to + x, first);
    _mm256_storeu_ps(to + x + 8, second);
  }
}

// Rows [y / 2, y / 2 + 4) of the next scale, from rows around y.
template <int taps>
CINEMILL_AVX2 void halve_band(const float* const* rows, Size size, int y, const float* tap, float* memory,
                              const Plane& to) noexcept {
  constexpr int kRadius = taps / 2;
  const int stride = stride_of(size.width);
  const Size small = half(size);
  for (int x = -kRadius; x < size.width + kRadius; x += 16) {
    Eight sum;
    filter<taps, 2>(OfRows{rows, x}, tap, sum);
    for (int o = 0; o < 4; ++o) {
      float* const row = memory + o * stride + kMargin + x;
      _mm256_storeu_ps(row, sum.at[o][0]);
      _mm256_storeu_ps(row + 8, sum.at[o][1]);
    }
  }
  float* const even = memory + 4 * stride;
  float* const odd = even + stride / 2;
  for (int o = 0; o < 4 && y / 2 + o < small.height; ++o) {
    split(memory + o * stride + kMargin - kRadius, small.width + kRadius, even, odd);
    float* const row = to.row(y / 2 + o);
    filter_split<taps>(even, odd, small.width, tap, row);
    mirror_ends(row, small.width, kRadius);
  }
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
      mirror_ends(row, width, kMostTaps / 2);
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

// Rows [y - radius, y + kBand + radius) of a plane.
void point_at(const Plane& plane, int height, int y, int radius, const float** rows) noexcept {
  for (int i = 0; i < kBand + 2 * radius; ++i) {
    rows[i] = plane.row(mirror(std::min(y - radius + i, height - 1 + radius), height));
  }
}

template <int scale, int gains, class Source>
void run(const Pair& now, const Pair& next, Size size, Source ref, Source dist, const Gains& limits, float* memory,
         Work& work, Sums& sums) noexcept {
  constexpr int kTapCount = taps_of(scale);
  constexpr int kRadius = kTapCount / 2;
  const float* rows[2][kMostRows];
  sums = {};
  for (int y = 0; y < size.height; y += kBand) {
    const int end = std::min(y + kBand + kRadius, size.height);
    ref.until(end, now.side[0]);
    dist.until(end, now.side[1]);
    for (int i = 0; i < 2; ++i) point_at(now.side[i], size.height, y, kRadius, rows[i]);
    add_band<kTapCount, gains>(rows[0], rows[1], size.width, std::min(kBand, size.height - y), kTaps[scale], limits,
                               work, sums);
    if constexpr (scale + 1 < kScales) {
      constexpr int kNext = taps_of(scale + 1);
      for (int i = 0; i < 2; ++i) {
        halve_band<kNext>(rows[i] + kRadius - kNext / 2, size, y, kTaps[scale + 1], memory, next.side[i]);
      }
    }
  }
}

template <int gains, class T>
void all_scales(PlaneView<T> ref, PlaneView<T> dist, Size size, int bit_depth, const Gains& limits,
                std::byte* workspace, Sums* sums) noexcept {
  auto* memory = reinterpret_cast<float*>(workspace);
  const auto pair = [&memory](Size of, int rows, int mask) {
    Pair made{};
    for (Plane& plane : made.side) {
      plane = {memory + kMargin, stride_of(of.width), mask};
      memory += plane_floats({of.width, rows});
    }
    return made;
  };
  const Size small[3] = {half(size), half(half(size)), half(half(half(size)))};
  const Pair ring = pair(size, kRing, kRing - 1);
  const Pair one = pair(small[0], small[0].height, -1);
  const Pair two = pair(small[1], small[1].height, -1);
  Work work;
  const float unit = 1.0F / static_cast<float>(1 << (bit_depth - 8));
  run<0, gains>(ring, one, size, Samples<T>{ref, size.width, unit}, Samples<T>{dist, size.width, unit}, limits, memory,
                work, sums[0]);
  run<1, gains>(one, two, small[0], Ready{}, Ready{}, limits, memory, work, sums[1]);
  run<2, gains>(two, one, small[1], Ready{}, Ready{}, limits, memory, work, sums[2]);
  run<3, gains>(one, two, small[2], Ready{}, Ready{}, limits, memory, work, sums[3]);
}

template <class T>
void vif(PlaneView<T> ref, PlaneView<T> dist, Size size, int bit_depth, const Gains& gains, std::byte* workspace,
         Sums* sums) noexcept {
  const auto run_all = gains.count == 1 ? all_scales<1, T> : all_scales<2, T>;
  run_all(ref, dist, size, bit_depth, gains, workspace, sums);
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

}  // namespace cinemill::float_vif::avx2
#endif
