// The inspection for AVX2: bytes by hand, words as the compiler vectorises the scalar sources.
#include "kernels/inspect/inspect.h"

#if CINEMILL_HAVE_AVX2
#include <algorithm>
#include <bit>
#include <cmath>
#include <initializer_list>
#include <type_traits>

#include "kernels/avx2.h"

namespace cinemill::inspect::avx2 {

#define CINEMILL_INSPECT_TARGET CINEMILL_AVX2
#include "kernels/inspect/rows.inc"

namespace {

// 16 bytes as 16-bit lanes.
CINEMILL_AVX2 static inline __m256i widened(const std::uint8_t* samples) noexcept {
  return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(samples)));
}

// All eight unsigned 32-bit lanes added up.
CINEMILL_AVX2 static inline std::uint64_t sum_u32(__m256i lanes) noexcept { return sum_u64(widen_add_u32(lanes)); }

CINEMILL_AVX2 static inline std::uint64_t least_of(__m256i bytes) noexcept {
  alignas(32) std::uint8_t lanes[32];
  _mm256_store_si256(reinterpret_cast<__m256i*>(lanes), bytes);
  return *std::min_element(lanes, lanes + 32);
}

CINEMILL_AVX2 static inline std::uint64_t most_of(__m256i bytes) noexcept {
  alignas(32) std::uint8_t lanes[32];
  _mm256_store_si256(reinterpret_cast<__m256i*>(lanes), bytes);
  return *std::max_element(lanes, lanes + 32);
}

// Bytes by vector, the rest by the functions of rows.inc. A stretch is at most 64 steps of 16 samples.
CINEMILL_AVX2 static inline void add_level(const std::uint8_t* row, int from, int to, Luma* out) noexcept {
  const int whole = from + ((to - from) & ~31);
  const __m256i zero = _mm256_setzero_si256();
  __m256i sum = zero;      // 4 x 64 bits
  __m256i squares = zero;  // 8 x 32 bits: <= 64 * 4 * 255^2 < 2^25
  __m256i least = _mm256_set1_epi8(-1);
  __m256i most = zero;
  for (int x = from; x < whole; x += 32) {
    const __m256i c = load(row + x);
    sum = _mm256_add_epi64(sum, _mm256_sad_epu8(c, zero));
    const __m256i low = _mm256_unpacklo_epi8(c, zero);
    const __m256i high = _mm256_unpackhi_epi8(c, zero);
    squares = _mm256_add_epi32(squares, _mm256_madd_epi16(low, low));
    squares = _mm256_add_epi32(squares, _mm256_madd_epi16(high, high));
    least = _mm256_min_epu8(least, c);
    most = _mm256_max_epu8(most, c);
  }
  if (whole > from) {
    out->sum += sum_u64(sum);
    out->squares += sum_u32(squares);
    out->least = std::min(out->least, least_of(least));
    out->most = std::max(out->most, most_of(most));
  }
  if (whole < to) add_level<std::uint8_t>(row, whole, to, out);
}

CINEMILL_AVX2 static inline void add_change(const std::uint8_t* row, const std::uint8_t* before, int from, int to,
                                            Luma* out) noexcept {
  const int whole = from + ((to - from) & ~31);
  const __m256i zero = _mm256_setzero_si256();
  __m256i change = zero;  // 4 x 64 bits, as the next two
  __m256i now = zero;
  __m256i then = zero;
  __m256i squares = zero;  // 8 x 32 bits: <= 64 * 4 * 255^2 < 2^25
  std::uint64_t equal = 0;
  for (int x = from; x < whole; x += 32) {
    const __m256i c = load(row + x);
    const __m256i p = load(before + x);
    change = _mm256_add_epi64(change, _mm256_sad_epu8(c, p));
    now = _mm256_add_epi64(now, _mm256_sad_epu8(c, zero));
    then = _mm256_add_epi64(then, _mm256_sad_epu8(p, zero));
    const __m256i step = _mm256_or_si256(_mm256_subs_epu8(c, p), _mm256_subs_epu8(p, c));
    const __m256i low = _mm256_unpacklo_epi8(step, zero);
    const __m256i high = _mm256_unpackhi_epi8(step, zero);
    squares = _mm256_add_epi32(squares, _mm256_madd_epi16(low, low));
    squares = _mm256_add_epi32(squares, _mm256_madd_epi16(high, high));
    const auto same = static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(c, p)));
    equal += static_cast<std::uint64_t>(__builtin_popcount(same));
  }
  out->change += sum_u64(change);
  out->drift += static_cast<std::int64_t>(sum_u64(now)) - static_cast<std::int64_t>(sum_u64(then));
  out->change_squares += sum_u32(squares);
  out->changed += static_cast<std::uint64_t>(whole - from) - equal;
  if (whole < to) add_change<std::uint8_t>(row, before, whole, to, out);
}

// What a row adds to the filters of 16 places in it, and in the rows above and below: 16-bit lanes.
struct Across {
  __m256i middle;  // c
  __m256i slope;   // r - l
  __m256i smooth;  // l + r + 2 c
  __m256i second;  // l + r - 2 c
};

CINEMILL_AVX2 static inline Across across_of(const std::uint8_t* samples) noexcept {
  const __m256i left = widened(samples - 1);
  const __m256i right = widened(samples + 1);
  Across found;
  found.middle = widened(samples);
  const __m256i sides = _mm256_add_epi16(left, right);
  const __m256i twice = _mm256_add_epi16(found.middle, found.middle);
  found.slope = _mm256_sub_epi16(right, left);
  found.smooth = _mm256_add_epi16(sides, twice);
  found.second = _mm256_sub_epi16(sides, twice);
  return found;
}

// Bits of eight gradients' lengths plus kRounder: squares are <= 2 * 1020^2 < 2^24, exact in single precision.
CINEMILL_AVX2 static inline __m256i lengths(__m256i squares) noexcept {
  const __m256 root = _mm256_sqrt_ps(_mm256_cvtepi32_ps(squares));
  return _mm256_castps_si256(_mm256_add_ps(_mm256_mul_ps(_mm256_set1_ps(kEdgeUnit), root), _mm256_set1_ps(kRounder)));
}

// What a block adds up, as 32-bit lanes: at most kBand * kBlock / 16 = 512 steps of 16 samples.
struct Inner {
  __m256i laplacians;  // <= 512 * 2 * 1020^2 < 2^31
  __m256i gradients;   // <= 512 * 4 * 1020^2 < 2^32
  __m256i edges;       // <= 512 * 2 * 16 * 1443 < 2^25, and as many times kRounderBits, modulo 2^32
  __m256i noise;       // <= 512 * 2 * 2040 < 2^21
  __m256i largest;     // 16 x 16 bits: |laplacian| <= 1020
};

// Rows [top, bottom) of 16 columns from x on, downwards: each row's part is worked out once and used three times.
CINEMILL_AVX2 static inline Inner add_strip(PlaneView<std::uint8_t> plane, int top, int bottom, int x,
                                            Inner sums) noexcept {
  __m256i noise = _mm256_setzero_si256();  // 16 x 16 bits, unsigned: <= kBand * 2040 < 2^16
  Across up = across_of(plane.row(top - 1) + x);
  Across here = across_of(plane.row(top) + x);
  for (int y = top; y < bottom; ++y) {
    const Across down = across_of(plane.row(y + 1) + x);
    const __m256i column =
        _mm256_sub_epi16(_mm256_add_epi16(up.middle, down.middle), _mm256_add_epi16(here.middle, here.middle));
    const __m256i laplacian = _mm256_add_epi16(here.second, column);
    const __m256i ripple =
        _mm256_sub_epi16(_mm256_add_epi16(up.second, down.second), _mm256_add_epi16(here.second, here.second));
    const __m256i gx =
        _mm256_add_epi16(_mm256_add_epi16(up.slope, down.slope), _mm256_add_epi16(here.slope, here.slope));
    const __m256i gy = _mm256_sub_epi16(down.smooth, up.smooth);
    const __m256i low = _mm256_unpacklo_epi16(gx, gy);
    const __m256i high = _mm256_unpackhi_epi16(gx, gy);
    const __m256i low_squares = _mm256_madd_epi16(low, low);
    const __m256i high_squares = _mm256_madd_epi16(high, high);
    sums.largest = _mm256_max_epi16(sums.largest, _mm256_abs_epi16(laplacian));
    sums.laplacians = _mm256_add_epi32(sums.laplacians, _mm256_madd_epi16(laplacian, laplacian));
    noise = _mm256_add_epi16(noise, _mm256_abs_epi16(ripple));
    sums.gradients = _mm256_add_epi32(sums.gradients, _mm256_add_epi32(low_squares, high_squares));
    sums.edges = _mm256_add_epi32(sums.edges, _mm256_add_epi32(lengths(low_squares), lengths(high_squares)));
    up = here;
    here = down;
  }
  sums.noise = _mm256_add_epi32(sums.noise, widen_add_u16(noise));
  return sums;
}

CINEMILL_AVX2 static inline std::int32_t add_block(PlaneView<std::uint8_t> plane, int top, int bottom, int from, int to,
                                                   Luma* out) noexcept {
  const int whole = from + ((to - from) & ~15);
  const __m256i zero = _mm256_setzero_si256();
  Inner sums = {zero, zero, zero, zero, zero};
  for (int x = from; x < whole; x += 16) sums = add_strip(plane, top, bottom, x, sums);
  const auto roots = static_cast<std::uint32_t>((whole - from) / 8 * (bottom - top));  // of each lane
  const __m256i rounders = _mm256_set1_epi32(static_cast<std::int32_t>(kRounderBits * roots));
  out->laplacian_squares += sum_u32(sums.laplacians);
  out->noise += sum_u32(sums.noise);
  out->edge += sum_u32(_mm256_sub_epi32(sums.edges, rounders));
  out->edge_squares += sum_u32(sums.gradients);
  alignas(32) std::int16_t sizes[16];
  _mm256_store_si256(reinterpret_cast<__m256i*>(sizes), sums.largest);
  const std::int32_t most = *std::max_element(sizes, sizes + 16);
  return whole < to ? std::max(most, add_block<std::uint8_t>(plane, top, bottom, whole, to, out)) : most;
}

CINEMILL_AVX2 static inline bool has_spots(Rows<std::uint8_t> rows, int from, int to, int spot) noexcept {
  if (spot > 255) return false;
  const int whole = from + ((to - from) & ~31);
  const __m256i bound = _mm256_set1_epi8(static_cast<char>(spot));
  __m256i found = _mm256_setzero_si256();
  for (int x = from; x < whole; x += 32) {
    const __m256i c = load(rows.here + x);
    __m256i most = load(rows.here + x - 1);
    __m256i least = most;
    const std::uint8_t* const around[] = {rows.here + x + 1, rows.up + x - 1, rows.up + x,      rows.up + x + 1,
                                          rows.down + x - 1, rows.down + x,   rows.down + x + 1};
    for (const std::uint8_t* place : around) {
      const __m256i other = load(place);
      most = _mm256_max_epu8(most, other);
      least = _mm256_min_epu8(least, other);
    }
    // What is left of the distance beyond `spot` is above 0.
    found = _mm256_or_si256(found, _mm256_subs_epu8(_mm256_subs_epu8(c, most), bound));
    found = _mm256_or_si256(found, _mm256_subs_epu8(_mm256_subs_epu8(least, c), bound));
  }
  return !_mm256_testz_si256(found, found) || has_spots<std::uint8_t>(rows, whole, to, spot);
}

CINEMILL_AVX2 static inline void add_across(const std::uint8_t* row, int width, Luma* out) noexcept {
  const __m256i last = _mm256_set1_epi64x(static_cast<std::int64_t>(0xFF00000000000000));  // of each eight bytes
  __m256i all = _mm256_setzero_si256();                                                    // 4 x 64 bits, as the next
  __m256i border = all;
  int x = 0;
  for (; x + 32 < width; x += 32) {
    const __m256i here = load(row + x);
    const __m256i next = load(row + x + 1);
    all = _mm256_add_epi64(all, _mm256_sad_epu8(here, next));
    border = _mm256_add_epi64(border, _mm256_sad_epu8(_mm256_and_si256(here, last), _mm256_and_si256(next, last)));
  }
  const std::uint64_t between_blocks = sum_u64(border);
  out->across[0] += sum_u64(all) - between_blocks;
  out->across[1] += between_blocks;
  if (x + 1 < width) add_across<std::uint8_t>(row + x, width - x, out);  // x is a multiple of 32
}

CINEMILL_AVX2 static inline std::uint32_t apart(const std::uint8_t* a, const std::uint8_t* b, int width) noexcept {
  const int whole = width & ~31;
  __m256i sum = _mm256_setzero_si256();
  for (int x = 0; x < whole; x += 32) sum = _mm256_add_epi64(sum, _mm256_sad_epu8(load(a + x), load(b + x)));
  return static_cast<std::uint32_t>(sum_u64(sum)) + apart<std::uint8_t>(a + whole, b + whole, width - whole);
}

CINEMILL_AVX2 static inline std::uint32_t between(const std::uint8_t* a, const std::uint8_t* b, const std::uint8_t* c,
                                                  int width) noexcept {
  const int whole = width & ~15;
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i sum = _mm256_setzero_si256();  // 8 x 32 bits: <= 1024 * 2 * 510
  for (int x = 0; x < whole; x += 16) {
    const __m256i twice = _mm256_slli_epi16(widened(c + x), 1);
    const __m256i step = _mm256_sub_epi16(_mm256_add_epi16(widened(a + x), widened(b + x)), twice);
    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_abs_epi16(step), ones));
  }
  return static_cast<std::uint32_t>(sum_u32(sum)) +
         between<std::uint8_t>(a + whole, b + whole, c + whole, width - whole);
}

CINEMILL_AVX2 static inline void add_colours(const std::uint8_t* a_row, const std::uint8_t* b_row, int from, int to,
                                             Chroma* out) noexcept {
  const int whole = from + ((to - from) & ~31);
  const __m256i zero = _mm256_setzero_si256();
  __m256i sum_a = zero;  // 4 x 64 bits
  __m256i sum_b = zero;
  __m256i squares_a = zero;  // 8 x 32 bits, as the next two: <= 32 * 4 * 255^2 < 2^24
  __m256i squares_b = zero;
  __m256i products = zero;
  __m256i least_a = _mm256_set1_epi8(-1);
  __m256i least_b = least_a;
  __m256i most_a = zero;
  __m256i most_b = zero;
  for (int x = from; x < whole; x += 32) {
    const __m256i a = load(a_row + x);
    const __m256i b = load(b_row + x);
    sum_a = _mm256_add_epi64(sum_a, _mm256_sad_epu8(a, zero));
    sum_b = _mm256_add_epi64(sum_b, _mm256_sad_epu8(b, zero));
    least_a = _mm256_min_epu8(least_a, a);
    least_b = _mm256_min_epu8(least_b, b);
    most_a = _mm256_max_epu8(most_a, a);
    most_b = _mm256_max_epu8(most_b, b);
    const __m256i low_a = _mm256_unpacklo_epi8(a, zero);
    const __m256i low_b = _mm256_unpacklo_epi8(b, zero);
    const __m256i high_a = _mm256_unpackhi_epi8(a, zero);
    const __m256i high_b = _mm256_unpackhi_epi8(b, zero);
    squares_a = _mm256_add_epi32(squares_a,
                                 _mm256_add_epi32(_mm256_madd_epi16(low_a, low_a), _mm256_madd_epi16(high_a, high_a)));
    squares_b = _mm256_add_epi32(squares_b,
                                 _mm256_add_epi32(_mm256_madd_epi16(low_b, low_b), _mm256_madd_epi16(high_b, high_b)));
    products = _mm256_add_epi32(products,
                                _mm256_add_epi32(_mm256_madd_epi16(low_a, low_b), _mm256_madd_epi16(high_a, high_b)));
  }
  if (whole > from) {
    out->sum_a += sum_u64(sum_a);
    out->sum_b += sum_u64(sum_b);
    out->squares_a += sum_u32(squares_a);
    out->squares_b += sum_u32(squares_b);
    out->products += sum_u32(products);
    out->least_a = std::min(out->least_a, least_of(least_a));
    out->least_b = std::min(out->least_b, least_of(least_b));
    out->most_a = std::max(out->most_a, most_of(most_a));
    out->most_b = std::max(out->most_b, most_of(most_b));
  }
  if (whole < to) add_colours<std::uint8_t>(a_row, b_row, whole, to, out);
}

// 8 bytes as floats; every second of 16 where kShift is 1.
CINEMILL_AVX2 static inline __m256 floats(const std::uint8_t* samples) noexcept {
  return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(samples))));
}

template <int kShift>
CINEMILL_AVX2 static inline __m256 luma_floats(const std::uint8_t* samples) noexcept {
  if constexpr (kShift == 0) return floats(samples);
  const __m128i both = _mm_loadu_si128(reinterpret_cast<const __m128i*>(samples));
  return _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(_mm_and_si128(both, _mm_set1_epi16(0xFF))));
}

// The arithmetic of the template of rows.inc, in its order, for 8 samples.
template <int kShift>
CINEMILL_AVX2 static inline std::uint32_t out_of_eight(const std::uint8_t* luma, const std::uint8_t* a_row,
                                                       const std::uint8_t* b_row, ChromaSettings settings) noexcept {
  const __m256 chroma_zero = _mm256_set1_ps(settings.chroma_zero);
  const __m256 y = _mm256_mul_ps(_mm256_set1_ps(settings.luma),
                                 _mm256_sub_ps(luma_floats<kShift>(luma), _mm256_set1_ps(settings.luma_zero)));
  const __m256 u = _mm256_sub_ps(floats(a_row), chroma_zero);
  const __m256 v = _mm256_sub_ps(floats(b_row), chroma_zero);
  const __m256 red = _mm256_add_ps(y, _mm256_mul_ps(_mm256_set1_ps(settings.red), v));
  const __m256 green = _mm256_sub_ps(_mm256_sub_ps(y, _mm256_mul_ps(_mm256_set1_ps(settings.green_blue), u)),
                                     _mm256_mul_ps(_mm256_set1_ps(settings.green_red), v));
  const __m256 blue = _mm256_add_ps(y, _mm256_mul_ps(_mm256_set1_ps(settings.blue), u));
  const __m256 least = _mm256_min_ps(_mm256_min_ps(red, green), blue);
  const __m256 most = _mm256_max_ps(_mm256_max_ps(red, green), blue);
  const __m256 out = _mm256_or_ps(_mm256_cmp_ps(least, _mm256_set1_ps(-0.05F), _CMP_LT_OQ),
                                  _mm256_cmp_ps(most, _mm256_set1_ps(1.05F), _CMP_GT_OQ));
  return static_cast<std::uint32_t>(__builtin_popcount(static_cast<unsigned>(_mm256_movemask_ps(out))));
}

// R, G and B in sixty-fourths of a luma sample, 16 bits: near enough to tell which samples need the exact look.
struct Rough {
  std::int16_t luma_zero, chroma_zero;
  std::int16_t red, green_blue, green_red, blue;  // halves of the factors' ratios to luma's, in 2^-15
  std::int16_t low, high;                         // what is safely within gamut
  bool usable;
};

constexpr float kRoughUnit = 64.0F;
constexpr float kRoughDoubt = 4.0F;  // of its units: every rounding below is at most half of one, and there are six

static inline Rough rough(ChromaSettings settings) noexcept {
  Rough found = {};
  const float factors[] = {settings.red, settings.green_blue, settings.green_red, settings.blue};
  std::int16_t* const ratios[] = {&found.red, &found.green_blue, &found.green_red, &found.blue};
  const float low = kRoughUnit * -0.05F / settings.luma + kRoughDoubt;
  const float high = kRoughUnit * 1.05F / settings.luma - kRoughDoubt;
  found.usable = settings.luma > 0 && low > -32000 && high < 32000 && settings.luma_zero >= 0 &&
                 settings.luma_zero <= 255 && settings.chroma_zero == 128.0F;
  for (int i = 0; i < 4 && found.usable; ++i) {
    const float ratio = factors[i] / settings.luma;
    found.usable = ratio >= 0 && ratio < 1.99F;
    if (found.usable) *ratios[i] = static_cast<std::int16_t>(std::lrint(ratio * 16384.0F));
  }
  if (!found.usable) return found;
  found.luma_zero = static_cast<std::int16_t>(std::lrint(settings.luma_zero * kRoughUnit));
  found.chroma_zero = 128;
  found.low = static_cast<std::int16_t>(std::ceil(low));
  found.high = static_cast<std::int16_t>(std::floor(high));
  return found;
}

// Whether some of 16 samples may be out of gamut. Luma is <= 255 * 64 and products are <= 128 * 64 * 1.99, so sums
// saturate at worst, beyond every bound.
template <int kShift>
CINEMILL_AVX2 static inline bool doubtful(const std::uint8_t* luma, const std::uint8_t* a_row,
                                          const std::uint8_t* b_row, const Rough& of) noexcept {
  const __m256i samples = kShift == 0 ? widened(luma) : _mm256_and_si256(load(luma), _mm256_set1_epi16(0xFF));
  const __m256i y = _mm256_sub_epi16(_mm256_slli_epi16(samples, 6), _mm256_set1_epi16(of.luma_zero));
  const __m256i zero = _mm256_set1_epi16(of.chroma_zero);
  const __m256i u = _mm256_slli_epi16(_mm256_sub_epi16(widened(a_row), zero), 7);
  const __m256i v = _mm256_slli_epi16(_mm256_sub_epi16(widened(b_row), zero), 7);
  const __m256i red = _mm256_adds_epi16(y, _mm256_mulhrs_epi16(v, _mm256_set1_epi16(of.red)));
  const __m256i blue = _mm256_adds_epi16(y, _mm256_mulhrs_epi16(u, _mm256_set1_epi16(of.blue)));
  const __m256i less = _mm256_adds_epi16(_mm256_mulhrs_epi16(u, _mm256_set1_epi16(of.green_blue)),
                                         _mm256_mulhrs_epi16(v, _mm256_set1_epi16(of.green_red)));
  const __m256i green = _mm256_subs_epi16(y, less);
  const __m256i least = _mm256_min_epi16(_mm256_min_epi16(red, green), blue);
  const __m256i most = _mm256_max_epi16(_mm256_max_epi16(red, green), blue);
  const __m256i out = _mm256_or_si256(_mm256_cmpgt_epi16(_mm256_set1_epi16(of.low), least),
                                      _mm256_cmpgt_epi16(most, _mm256_set1_epi16(of.high)));
  return !_mm256_testz_si256(out, out);
}

// Reads no luma behind the last sample that counts: the last column is left to the template of rows.inc.
template <int kShift>
CINEMILL_AVX2 static inline std::uint32_t out_of_gamut(const std::uint8_t* luma, const std::uint8_t* a_row,
                                                       const std::uint8_t* b_row, int width,
                                                       ChromaSettings settings) noexcept {
  int x = 0;
  std::uint32_t count = 0;
  if constexpr (kShift < 2) {
    const Rough near = rough(settings);
    for (; x + 16 < width; x += 16) {
      const std::uint8_t* const at = luma + (x << kShift);
      if (near.usable && !doubtful<kShift>(at, a_row + x, b_row + x, near)) continue;
      count += out_of_eight<kShift>(at, a_row + x, b_row + x, settings);
      count += out_of_eight<kShift>(at + (8 << kShift), a_row + x + 8, b_row + x + 8, settings);
    }
  }
  return count + out_of_gamut<kShift, std::uint8_t>(luma + (x << kShift), a_row + x, b_row + x, width - x, settings);
}

}  // namespace

#include "kernels/inspect/picture.inc"
#undef CINEMILL_INSPECT_TARGET

const Table kTable = {luma_u8, luma_u16, chroma_u8, chroma_u16};

}  // namespace cinemill::inspect::avx2

#endif  // CINEMILL_HAVE_AVX2
