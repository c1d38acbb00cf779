// VIF with 256-bit vectors. Every comment on a range says why nothing overflows: keep them true.
//
// Filters are sums of products of pairs: one multiply-add takes two neighbouring rows (or samples) and yields 32 bits.
// Samples of 16 bits are made signed by flipping their highest bit, which takes 2^15 from each; as taps add up to 2^16,
// a sum is then short of 2^31, which flipping its highest bit gives back, modulo 2^32 and so exactly. What has 32 bits
// goes in as two halves. Two rows at a time share the loads.
#include <algorithm>

#include "kernels/mirror.h"
#include "kernels/vif/vif.h"

#if CINEMILL_HAVE_AVX2
#include "kernels/vif/bytes_avx2.h"
#include "kernels/vif/rows_avx2.h"
#include "kernels/vif/statistics_avx2.h"

namespace cinemill::vif::avx2 {
namespace {

// 8 samples of two rows: (a0, b0, a1, b1, ...).
CINEMILL_AVX2 static inline __m256i interleaved(const std::uint16_t* a, const std::uint16_t* b) noexcept {
  const __m128i va = _mm_loadu_si128(reinterpret_cast<const __m128i*>(a));
  const __m128i vb = _mm_loadu_si128(reinterpret_cast<const __m128i*>(b));
  return _mm256_set_m128i(_mm_unpackhi_epi16(va, vb), _mm_unpacklo_epi16(va, vb));
}

// 8 numbers of 16 bits in 32.
CINEMILL_AVX2 static inline void store_two(std::uint16_t* first, std::uint16_t* second, __m256i a, __m256i b) noexcept {
  const __m256i both = flip16(_mm256_permute4x64_epi64(_mm256_packus_epi32(a, b), 0xD8));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(first), _mm256_castsi256_si128(both));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(second), _mm256_extracti128_si256(both, 1));
}

CINEMILL_AVX2 static inline void store_halves(std::uint16_t* high, std::uint16_t* low, __m256i v) noexcept {
  store_two(low, high, _mm256_and_si256(v, _mm256_set1_epi32(0xffff)), _mm256_srli_epi32(v, 16));
}

// The sources of two rows of output, one pointer per tap and side.
template <class T>
struct Sources {
  const T* ref[2 * kMaxPairs];
  const T* dist[2 * kMaxPairs];
};

template <class T>
Sources<T> sources(PlaneView<T> ref, PlaneView<T> dist, int height, const Pairs& pairs, int y) noexcept {
  Sources<T> found;
  for (int k = 0; k < pairs.count; ++k) {
    for (int i = 0; i < 2; ++i) {
      const int row = mirror(y + pairs.pair[k].at + i, height);
      found.ref[2 * k + i] = ref.row(row);
      found.dist[2 * k + i] = dist.row(row);
    }
  }
  return found;
}

// --- columns, 9 to 16 bits -------------------------------------------------------------------------------------------

// (high * 2^16 + low + half) >> shift of sums of the halves of squares, shift 2 to 16. The result fits 32 bits, since
// squares are below 2^(2 * bit depth); low + half is at most 65535 * 65536 + 2^15.
CINEMILL_AVX2 static inline __m256i joined(__m256i high, __m256i low, int shift) noexcept {
  return _mm256_add_epi32(_mm256_sll_epi32(flip32(high), _mm_cvtsi32_si128(16 - shift)), rounded(flip32(low), shift));
}

// 16-bit products in two halves, as sums of pairs take them.
struct Product {
  __m256i high;
  __m256i low;
};

CINEMILL_AVX2 static inline Product product(__m256i a, __m256i b) noexcept {
  return {flip16(_mm256_mulhi_epu16(a, b)), flip16(_mm256_mullo_epi16(a, b))};
}

// 8 columns of two rows: means and ref^2, then dist^2 and ref * dist, because all sums at once do not fit the
// registers.
template <int kScale>
CINEMILL_AVX2 static inline void columns8(const Sources<std::uint16_t>& from, int x, Rounding round,
                                          const Row* out) noexcept {
  constexpr const Pairs& pairs = kPairs[kScale];
  const __m256i zero = _mm256_setzero_si256();
  __m256i a0 = zero, a1 = zero, b0 = zero, b1 = zero, h0 = zero, h1 = zero, l0 = zero, l1 = zero;
#pragma GCC unroll 9
  for (int k = 0; k < pairs.count; ++k) {
    const __m256i even = _mm256_set1_epi32(pairs.pair[k].even);
    const __m256i odd = _mm256_set1_epi32(pairs.pair[k].odd);
    const __m256i r = interleaved(from.ref[2 * k] + x, from.ref[2 * k + 1] + x);
    const __m256i d = flip16(interleaved(from.dist[2 * k] + x, from.dist[2 * k + 1] + x));
    const Product rr = product(r, r);
    const __m256i signed_r = flip16(r);
    a0 = fma16(a0, signed_r, even);
    a1 = fma16(a1, signed_r, odd);
    b0 = fma16(b0, d, even);
    b1 = fma16(b1, d, odd);
    h0 = fma16(h0, rr.high, even);
    h1 = fma16(h1, rr.high, odd);
    l0 = fma16(l0, rr.low, even);
    l1 = fma16(l1, rr.low, odd);
    in_registers(a0, a1, b0, b1, h0, h1, l0, l1);
  }
  const int mean = round.mean_shift;
  const int square = round.square_shift;
  store_two(out[0].mean[0] + x, out[0].mean[1] + x, rounded(flip32(a0), mean), rounded(flip32(b0), mean));
  store_two(out[1].mean[0] + x, out[1].mean[1] + x, rounded(flip32(a1), mean), rounded(flip32(b1), mean));
  store_halves(out[0].high[0] + x, out[0].low[0] + x, joined(h0, l0, square));
  store_halves(out[1].high[0] + x, out[1].low[0] + x, joined(h1, l1, square));
  a0 = a1 = b0 = b1 = h0 = h1 = l0 = l1 = zero;
#pragma GCC unroll 9
  for (int k = 0; k < pairs.count; ++k) {
    const __m256i even = _mm256_set1_epi32(pairs.pair[k].even);
    const __m256i odd = _mm256_set1_epi32(pairs.pair[k].odd);
    const __m256i r = interleaved(from.ref[2 * k] + x, from.ref[2 * k + 1] + x);
    const __m256i d = interleaved(from.dist[2 * k] + x, from.dist[2 * k + 1] + x);
    const Product dd = product(d, d);
    const Product rd = product(r, d);
    a0 = fma16(a0, dd.high, even);
    a1 = fma16(a1, dd.high, odd);
    b0 = fma16(b0, dd.low, even);
    b1 = fma16(b1, dd.low, odd);
    h0 = fma16(h0, rd.high, even);
    h1 = fma16(h1, rd.high, odd);
    l0 = fma16(l0, rd.low, even);
    l1 = fma16(l1, rd.low, odd);
    in_registers(a0, a1, b0, b1, h0, h1, l0, l1);
  }
  store_halves(out[0].high[1] + x, out[0].low[1] + x, joined(a0, b0, square));
  store_halves(out[1].high[1] + x, out[1].low[1] + x, joined(a1, b1, square));
  store_halves(out[0].high[2] + x, out[0].low[2] + x, joined(h0, l0, square));
  store_halves(out[1].high[2] + x, out[1].low[2] + x, joined(h1, l1, square));
}

// All columns of two rows. Planes of the caller end with their last sample: the last vector overlaps the one before.
template <int kScale, class T>
CINEMILL_AVX2 void columns(const Sources<T>& from, int width, bool padded, Rounding round, const Row* out) noexcept {
  int x = 0;
  for (; x + 8 <= width; x += 8) columns8<kScale>(from, x, round, out);
  if (x < width) columns8<kScale>(from, padded ? x : width - 8, round, out);
}

// --- rows ------------------------------------------------------------------------------------------------------------

// Filtered samples 0, 2, .. 14 and 1, 3, .. 15 of a row from x on.
struct EvenOdd {
  __m256i even;
  __m256i odd;
};

// Not inlined: with 8 sums it needs all registers for itself.
template <int kScale>
CINEMILL_AVX2 __attribute__((noinline)) void filter4(const std::uint16_t* const* rows, int x, EvenOdd* out) noexcept {
  constexpr const Pairs& pairs = kPairs[kScale];
  const __m256i zero = _mm256_setzero_si256();
  __m256i e0 = zero, e1 = zero, e2 = zero, e3 = zero, o0 = zero, o1 = zero, o2 = zero, o3 = zero;
#pragma GCC unroll 9
  for (int k = 0; k < pairs.count; ++k) {
    const __m256i even = _mm256_set1_epi32(pairs.pair[k].even);
    const __m256i odd = _mm256_set1_epi32(pairs.pair[k].odd);
    const std::ptrdiff_t at = std::ptrdiff_t{x} + pairs.pair[k].at;
    const __m256i v0 = load(rows[0] + at);
    const __m256i v1 = load(rows[1] + at);
    const __m256i v2 = load(rows[2] + at);
    const __m256i v3 = load(rows[3] + at);
    e0 = fma16(e0, v0, even);
    o0 = fma16(o0, v0, odd);
    e1 = fma16(e1, v1, even);
    o1 = fma16(o1, v1, odd);
    e2 = fma16(e2, v2, even);
    o2 = fma16(o2, v2, odd);
    e3 = fma16(e3, v3, even);
    o3 = fma16(o3, v3, odd);
    in_registers(e0, e1, e2, e3, o0, o1, o2, o3);
  }
  out[0] = {flip32(e0), flip32(o0)};
  out[1] = {flip32(e1), flip32(o1)};
  out[2] = {flip32(e2), flip32(o2)};
  out[3] = {flip32(e3), flip32(o3)};
}

// (high * 2^16 + low + 2^15) >> 16, less the product of the means.
CINEMILL_AVX2 static inline __m256i spread(__m256i high, __m256i low, __m256i a, __m256i b) noexcept {
  return _mm256_sub_epi32(_mm256_add_epi32(high, rounded(low, 16)), product_high(a, b));
}

CINEMILL_AVX2 static inline void moments8(__m256i mean_r, __m256i mean_d, __m256i rr_high, __m256i rr_low,
                                          __m256i dd_high, __m256i dd_low, __m256i rd_high, __m256i rd_low, int at,
                                          MomentRows& out) noexcept {
  store(out.ref + at, spread(rr_high, rr_low, mean_r, mean_r));
  store(out.dist + at, _mm256_max_epi32(spread(dd_high, dd_low, mean_d, mean_d), _mm256_setzero_si256()));
  store(out.both + at, spread(rd_high, rd_low, mean_r, mean_d));
}

// Moments of `count` samples from x on; each 16 in the order 0, 2, .. 14, 1, 3, .. 15.
template <int kScale>
CINEMILL_AVX2 static inline void moments(const Row& row, int x, int count, MomentRows& out) noexcept {
  const std::uint16_t* const first[4] = {row.mean[0], row.mean[1], row.high[0], row.low[0]};
  const std::uint16_t* const second[4] = {row.high[1], row.low[1], row.high[2], row.low[2]};
  for (int i = 0; i < count; i += 16) {
    EvenOdd a[4];
    EvenOdd b[4];
    filter4<kScale>(first, x + i, a);
    filter4<kScale>(second, x + i, b);
    moments8(a[0].even, a[1].even, a[2].even, a[3].even, b[0].even, b[1].even, b[2].even, b[3].even, i, out);
    moments8(a[0].odd, a[1].odd, a[2].odd, a[3].odd, b[0].odd, b[1].odd, b[2].odd, b[3].odd, i + 8, out);
  }
}

// Zeroes what is behind the row in the last 16 of `count` moments.
void clear_behind(int count, MomentRows& out) noexcept {
  for (int i = count; i % 16; ++i) {
    const int at = (i & ~15) + (i % 2 ? 8 : 0) + (i % 16) / 2;
    out.ref[at] = out.dist[at] = out.both[at] = 0;
  }
}

template <int kScale, bool kBytes>
CINEMILL_AVX2 void add_row(const Row& row, int width, Statistics& statistics, Sums& sums) noexcept {
  for (std::uint16_t* part :
       {row.mean[0], row.mean[1], row.high[0], row.high[1], row.high[2], row.low[0], row.low[1], row.low[2]}) {
    mirror_ends(part, width, kPairs[kScale].radius);
  }
  MomentRows found;
  for (int x = 0; x < width; x += kSegment) {
    const int count = std::min(kSegment, width - x);
    const int whole = (count + 15) & ~15;
    if constexpr (kBytes) {
      byte_moments(row, x, count, found);
    } else {
      moments<kScale>(row, x, count, found);
    }
    clear_behind(count, found);
    statistics.add(found, whole, sums);
    sums.flat -= whole - count;
  }
}

// --- scales ----------------------------------------------------------------------------------------------------------

struct Memory {
  Row rows[kBatch];
  std::byte* planes;
  std::size_t plane_bytes;
};

Memory carve(std::byte* workspace, Size size) noexcept {
  Memory made{};
  made.planes = workspace;
  made.plane_bytes = half_stride(size) * static_cast<std::size_t>(size.height / 2);
  // Rows must not lie a multiple of 4096 bytes apart: a first-level cache holds 8 lines of such addresses.
  constexpr std::size_t kStagger = 192;
  const std::size_t row_bytes = aligned(sizeof(std::uint16_t) * (static_cast<std::size_t>(size.width) + 2 * kMargin));
  const std::size_t pitch = (row_bytes + 4095) / 4096 * 4096 + kStagger;
  std::byte* next = workspace + 4 * made.plane_bytes;
  const auto take = [&] {
    auto* const taken = reinterpret_cast<std::uint16_t*>(next) + kMargin;
    next += pitch;
    return taken;
  };
  for (Row& row : made.rows) {
    for (std::uint16_t*& part : row.mean) part = take();
    for (std::uint16_t*& part : row.high) part = take();
    for (std::uint16_t*& part : row.low) part = take();
  }
  return made;
}

template <int kScale, class T>
CINEMILL_AVX2 void add_plane(PlaneView<T> ref, PlaneView<T> dist, Size size, Rounding round, const Memory& memory,
                             const Gains& gains, Sums& sums) noexcept {
  const Pairs& pairs = kPairs[kScale];
  Statistics statistics(gains);
  for (int y = 0; y < size.height; y += 2) {
    columns<kScale>(sources(ref, dist, size.height, pairs, y), size.width, kScale > 0, round, memory.rows);
    add_row<kScale, false>(memory.rows[0], size.width, statistics, sums);
    if (y + 1 < size.height) add_row<kScale, false>(memory.rows[1], size.width, statistics, sums);
  }
  statistics.finish(sums);
}

// Scale 0 of 8 bits.
CINEMILL_AVX2 void add_bytes(PlaneView<std::uint8_t> ref, PlaneView<std::uint8_t> dist, Size size, const Memory& memory,
                             const Gains& gains, Sums& sums) noexcept {
  Statistics statistics(gains);
  for (int y = 0; y < size.height; y += kBatch) {
    const int count = std::min(kBatch, size.height - y);
    batch(ref, dist, size, y, count, memory.rows);
    for (int j = 0; j < count; ++j) add_row<0, true>(memory.rows[j], size.width, statistics, sums);
  }
  statistics.finish(sums);
}

// 16 columns of a low-passed row of bytes: 9 rows with the filter of scale 1, those of the same tap added first. The
// middle one comes with the rounding.
CINEMILL_AVX2 static inline void mean16(const std::uint8_t* const* rows, int x, std::uint16_t* out) noexcept {
  constexpr const std::uint16_t* kTap = kFilters[1].tap;
  const __m256i middle = widened(rows[4] + x);
  const __m256i one = _mm256_set1_epi16(1);
  const __m256i last = _mm256_set1_epi32(two(kTap[4], 1 << 7));
  __m256i low = _mm256_madd_epi16(_mm256_unpacklo_epi16(middle, one), last);
  __m256i high = _mm256_madd_epi16(_mm256_unpackhi_epi16(middle, one), last);
#pragma GCC unroll 2
  for (int k = 0; k < 4; k += 2) {
    const __m256i a = _mm256_add_epi16(widened(rows[k] + x), widened(rows[8 - k] + x));
    const __m256i b = _mm256_add_epi16(widened(rows[k + 1] + x), widened(rows[7 - k] + x));
    const __m256i taps = _mm256_set1_epi32(two(kTap[k], kTap[k + 1]));
    low = fma16(low, _mm256_unpacklo_epi16(a, b), taps);
    high = fma16(high, _mm256_unpackhi_epi16(a, b), taps);
  }
  store(out + x, flip16(_mm256_packus_epi32(_mm256_srli_epi32(low, 8), _mm256_srli_epi32(high, 8))));
}

// One low-passed row of both sides, in out.mean.
CINEMILL_AVX2 static inline void low_passed(const Sources<std::uint8_t>& from, int width, const Row& out) noexcept {
  for (int begin = 0; begin < width; begin += 16) {
    const int x = std::min(begin, width - 16);
    mean16(from.ref, x, out.mean[0]);
    mean16(from.dist, x, out.mean[1]);
  }
}

CINEMILL_AVX2 static inline void means8(const Sources<std::uint16_t>& from, const Pairs& pairs, int x, int shift,
                                        const Row& out) noexcept {
  __m256i r = _mm256_setzero_si256();
  __m256i d = r;
  for (int k = 0; k < pairs.count; ++k) {
    const __m256i even = _mm256_set1_epi32(pairs.pair[k].even);
    r = fma16(r, flip16(interleaved(from.ref[2 * k] + x, from.ref[2 * k + 1] + x)), even);
    d = fma16(d, flip16(interleaved(from.dist[2 * k] + x, from.dist[2 * k + 1] + x)), even);
  }
  store_two(out.mean[0] + x, out.mean[1] + x, rounded(flip32(r), shift), rounded(flip32(d), shift));
}

// Planes of the caller end with their last sample, halved ones do not.
CINEMILL_AVX2 static inline void low_passed(const Sources<std::uint16_t>& from, const Pairs& pairs, int width,
                                            int shift, const Row& out, bool padded) noexcept {
  int x = 0;
  for (; x + 8 <= width; x += 8) means8(from, pairs, x, shift, out);
  if (x < width) means8(from, pairs, padded ? x : width - 8, shift, out);
}

// Every second sample of a row, low-passed; writes up to 15 more.
template <int kScale>
CINEMILL_AVX2 void halve_row(std::uint16_t* row, int width, std::uint16_t* out) noexcept {
  constexpr const Pairs& pairs = kPairs[kScale];
  mirror_ends(row, width, pairs.radius);
  for (int x = 0; x < width / 2; x += 16) {
    __m256i low = _mm256_setzero_si256();
    __m256i high = low;
#pragma GCC unroll 5
    for (int k = 0; k < pairs.count; ++k) {
      const std::uint16_t* const from = row + std::ptrdiff_t{2} * x + pairs.pair[k].at;
      const __m256i even = _mm256_set1_epi32(pairs.pair[k].even);
      low = fma16(low, load(from), even);
      high = fma16(high, load(from + 16), even);
    }
    const __m256i packed = _mm256_packus_epi32(rounded(flip32(low), 16), rounded(flip32(high), 16));
    store(out + x, _mm256_permute4x64_epi64(packed, 0xD8));
  }
}

template <int kScale, class T>
CINEMILL_AVX2 void halve(PlaneView<T> ref, PlaneView<T> dist, Size size, int shift, const Row& row,
                         std::uint16_t* out_ref, std::uint16_t* out_dist, std::ptrdiff_t stride) noexcept {
  constexpr const Pairs& pairs = kPairs[kScale + 1];
  for (int y = 0; y < size.height / 2; ++y) {
    const Sources<T> from = sources(ref, dist, size.height, pairs, 2 * y);
    if constexpr (sizeof(T) == 1) {
      low_passed(from, size.width, row);
    } else {
      low_passed(from, pairs, size.width, shift, row, kScale > 0);
    }
    halve_row<kScale + 1>(row.mean[0], size.width, out_ref + y * stride);
    halve_row<kScale + 1>(row.mean[1], size.width, out_dist + y * stride);
  }
}

// Goes on from a plane of scale `kScale`, as in scalar.cpp.
template <int kScale, class T>
CINEMILL_AVX2 void all_scales(PlaneView<T> ref, PlaneView<T> dist, Size size, int bit_depth, const Gains& gains,
                              const Memory& memory, Sums* sums) noexcept {
  const Rounding round = rounding(kScale, bit_depth);
  sums[kScale] = {};
  if constexpr (sizeof(T) == 1) {
    add_bytes(ref, dist, size, memory, gains, sums[kScale]);
  } else {
    add_plane<kScale>(ref, dist, size, round, memory, gains, sums[kScale]);
  }
  if constexpr (kScale + 1 < kScales) {
    auto* const half =
        reinterpret_cast<std::uint16_t*>(memory.planes + 2 * memory.plane_bytes * static_cast<std::size_t>(kScale % 2));
    auto* const other = half + memory.plane_bytes / sizeof(std::uint16_t);
    const auto bytes = static_cast<std::ptrdiff_t>(half_stride(size));
    halve<kScale>(ref, dist, size, round.mean_shift, memory.rows[0], half, other,
                  bytes / static_cast<std::ptrdiff_t>(sizeof(std::uint16_t)));
    using Words = PlaneView<std::uint16_t>;
    all_scales<kScale + 1>(Words{half, bytes}, Words{other, bytes}, Size{size.width / 2, size.height / 2}, bit_depth,
                           gains, memory, sums);
  }
}

}  // namespace

void u8(PlaneView<std::uint8_t> ref, PlaneView<std::uint8_t> dist, Size size, int bit_depth, const Gains& gains,
        std::byte* workspace, Sums* sums) noexcept {
  all_scales<0>(ref, dist, size, bit_depth, gains, carve(workspace, size), sums);
}

void u16(PlaneView<std::uint16_t> ref, PlaneView<std::uint16_t> dist, Size size, int bit_depth, const Gains& gains,
         std::byte* workspace, Sums* sums) noexcept {
  all_scales<0>(ref, dist, size, bit_depth, gains, carve(workspace, size), sums);
}

}  // namespace cinemill::vif::avx2

#endif  // CINEMILL_HAVE_AVX2
