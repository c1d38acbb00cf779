// Motion with 256-bit vectors. Every comment on a range says why nothing overflows: keep them true.
#include <algorithm>
#include <cstdlib>

#include "kernels/mirror.h"
#include "kernels/motion/motion.h"

#if CINEMILL_HAVE_AVX2
#include "kernels/avx2.h"

namespace cinemill::motion::avx2 {
namespace {

constexpr int kMargin = 32;

// Rows of work: differences of 5 rows of samples, then a row of filtered columns; all of 16 bits.
struct Work {
  std::int16_t* difference[kTaps];
  std::int16_t* columns;
  std::int16_t* last_bits;  // of columns of 17 bits
};

Work carve(std::byte* workspace, Size size) noexcept {
  const std::ptrdiff_t pitch = (std::ptrdiff_t{size.width} + 2 * kMargin + 31) & ~std::ptrdiff_t{31};
  auto* const first = reinterpret_cast<std::int16_t*>(workspace) + kMargin;
  Work work{};
  for (int i = 0; i < kTaps; ++i) work.difference[i] = first + i * pitch;
  work.columns = first + kTaps * pitch;
  work.last_bits = first + (kTaps + 1) * pitch;
  return work;
}

CINEMILL_AVX2 static inline __m256i words(const std::uint8_t* from) noexcept {
  return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
}

CINEMILL_AVX2 static inline __m256i words(const std::uint16_t* from) noexcept { return load(from); }

// previous - current of a row; fits 16 bits up to a bit depth of 15.
template <class T>
CINEMILL_AVX2 void subtract(const T* previous, const T* current, int width, std::int16_t* out) noexcept {
  int x = 0;
  for (; x + 16 <= width; x += 16) store(out + x, _mm256_sub_epi16(words(previous + x), words(current + x)));
  for (; x < width; ++x) out[x] = static_cast<std::int16_t>(previous[x] - current[x]);
  store(out + width, _mm256_setzero_si256());  // what the last vector of a row finds behind it
}

constexpr std::int32_t two(std::int32_t first, std::int32_t second) noexcept { return first | second << 16; }

// Sum of 5 rows times the filter, 8 columns: |.| <= 32767 * 65536 < 2^31.
CINEMILL_AVX2 static inline __m256i column_sums(__m256i ab, __m256i cd, __m256i e) noexcept {
  const __m256i outer = _mm256_madd_epi16(ab, _mm256_set1_epi32(two(kFilter[0], kFilter[1])));
  const __m256i inner = _mm256_madd_epi16(cd, _mm256_set1_epi32(two(kFilter[2], kFilter[3])));
  return _mm256_add_epi32(_mm256_add_epi32(outer, inner), _mm256_madd_epi16(e, _mm256_set1_epi32(kFilter[4])));
}

// (sum + half) >> depth; the half does not overflow because |sum| <= (2^depth - 1) * 2^16 <= 2^31 - 2^16.
CINEMILL_AVX2 static inline __m256i rounded(__m256i sum, int depth) noexcept {
  const __m256i half = _mm256_set1_epi32(1 << (depth - 1));
  return _mm256_sra_epi32(_mm256_add_epi32(sum, half), _mm_cvtsi32_si128(depth));
}

// 16 columns in the order that unpacking gives and packing takes back.
struct Sums {
  __m256i low;
  __m256i high;
};

CINEMILL_AVX2 static inline Sums columns16(const std::int16_t* const* rows, int x, int depth) noexcept {
  const __m256i zero = _mm256_setzero_si256();
  const __m256i a = load(rows[0] + x);
  const __m256i b = load(rows[1] + x);
  const __m256i c = load(rows[2] + x);
  const __m256i d = load(rows[3] + x);
  const __m256i e = load(rows[4] + x);
  return {rounded(column_sums(_mm256_unpacklo_epi16(a, b), _mm256_unpacklo_epi16(c, d), _mm256_unpacklo_epi16(e, zero)),
                  depth),
          rounded(column_sums(_mm256_unpackhi_epi16(a, b), _mm256_unpackhi_epi16(c, d), _mm256_unpackhi_epi16(e, zero)),
                  depth)};
}

enum class Found { nothing, narrow, wide };

// Filters columns into 16 bits, where the result usually fits. It is up to 17 bits: `split_columns` does such rows.
CINEMILL_AVX2 Found filter_columns(const std::int16_t* const* rows, int width, int depth, std::int16_t* out) noexcept {
  const __m256i zero = _mm256_setzero_si256();
  __m256i any = zero;
  __m256i beyond = zero;
  for (int x = 0; x < width; x += 16) {
    const Sums sum = columns16(rows, x, depth);
    const __m256i packed = _mm256_packs_epi32(sum.low, sum.high);
    const __m256i back = _mm256_unpacklo_epi16(packed, _mm256_srai_epi16(packed, 15));
    const __m256i back_high = _mm256_unpackhi_epi16(packed, _mm256_srai_epi16(packed, 15));
    beyond = _mm256_or_si256(beyond,
                             _mm256_or_si256(_mm256_xor_si256(back, sum.low), _mm256_xor_si256(back_high, sum.high)));
    any = _mm256_or_si256(any, packed);
    store(out + x, packed);
  }
  if (!_mm256_testz_si256(beyond, beyond)) return Found::wide;
  return _mm256_testz_si256(any, any) ? Found::nothing : Found::narrow;
}

// Columns of 17 bits, |.| <= 65534, as their halves and their last bits.
CINEMILL_AVX2 void split_columns(const std::int16_t* const* rows, int width, int depth, std::int16_t* halves,
                                 std::int16_t* last_bits) noexcept {
  const __m256i one = _mm256_set1_epi32(1);
  for (int x = 0; x < width; x += 16) {
    const Sums sum = columns16(rows, x, depth);
    store(halves + x, _mm256_packs_epi32(_mm256_srai_epi32(sum.low, 1), _mm256_srai_epi32(sum.high, 1)));
    store(last_bits + x, _mm256_packs_epi32(_mm256_and_si256(sum.low, one), _mm256_and_si256(sum.high, one)));
  }
}

void mirror_ends(std::int16_t* row, int width) noexcept {
  for (int i = 1; i <= kRadius; ++i) {
    row[-i] = row[i];
    row[width - 1 + i] = row[width - 1 - i];
  }
}

constexpr std::int32_t kEven[3] = {two(kFilter[0], kFilter[1]), two(kFilter[2], kFilter[3]), two(kFilter[4], 0)};
constexpr std::int32_t kOdd[3] = {two(0, kFilter[0]), two(kFilter[1], kFilter[2]), two(kFilter[3], kFilter[4])};

// |(sum + 2^15) >> 16| of a row that was split: with the sums h of halves and b of last bits, |h| <= 32767 * 65536,
// that is (h + ((b + 2^15) >> 1)) >> 15.
CINEMILL_AVX2 std::uint64_t filter_split_row(std::int16_t* halves, std::int16_t* last_bits, int width) noexcept {
  mirror_ends(halves, width);
  mirror_ends(last_bits, width);
  const __m256i half = _mm256_set1_epi32(1 << 15);
  __m256i total = _mm256_setzero_si256();  // 8 x 32 bits: <= 4096 * 2^16 * 2 in a row of 65535
  const int whole = width & ~15;
  for (int x = 0; x < whole; x += 16) {
    for (const std::int32_t* taps : {kEven, kOdd}) {
      __m256i sum = _mm256_setzero_si256();
      __m256i bits = half;
      for (int k = 0; k < 3; ++k) {
        const std::ptrdiff_t at = x - kRadius + std::ptrdiff_t{2} * k;
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(load(halves + at), _mm256_set1_epi32(taps[k])));
        bits = _mm256_add_epi32(bits, _mm256_madd_epi16(load(last_bits + at), _mm256_set1_epi32(taps[k])));
      }
      const __m256i value = _mm256_srai_epi32(_mm256_add_epi32(sum, _mm256_srai_epi32(bits, 1)), 15);
      total = _mm256_add_epi32(total, _mm256_abs_epi32(value));
    }
  }
  std::uint64_t sum = sum_u64(widen_add_u32(total));
  for (int x = whole; x < width; ++x) {
    std::int64_t value = 1 << 15;
    for (int k = 0; k < kTaps; ++k) {
      const int at = x - kRadius + k;
      value += std::int64_t{kFilter[k]} * (2 * halves[at] + last_bits[at]);
    }
    sum += static_cast<std::uint64_t>(std::abs(value >> 16));
  }
  return sum;
}

// |(sum + 2^15) >> 16| of a row; |sum| <= 32768 * 65536 = 2^31 only if all are -32768, and then 2^15 is added to -2^31.
CINEMILL_AVX2 std::uint64_t filter_row(std::int16_t* row, int width) noexcept {
  mirror_ends(row, width);
  const __m256i half = _mm256_set1_epi32(1 << 15);
  __m256i total = _mm256_setzero_si256();  // 8 x 32 bits: <= 4096 * 2^15 * 2 in a row of 65535
  const int whole = width & ~15;
  for (int x = 0; x < whole; x += 16) {
    __m256i even = half;
    __m256i odd = half;
    for (int k = 0; k < 3; ++k) {
      const __m256i v = load(row + x - kRadius + std::ptrdiff_t{2} * k);
      even = _mm256_add_epi32(even, _mm256_madd_epi16(v, _mm256_set1_epi32(kEven[k])));
      odd = _mm256_add_epi32(odd, _mm256_madd_epi16(v, _mm256_set1_epi32(kOdd[k])));
    }
    total = _mm256_add_epi32(total, _mm256_abs_epi32(_mm256_srai_epi32(even, 16)));
    total = _mm256_add_epi32(total, _mm256_abs_epi32(_mm256_srai_epi32(odd, 16)));
  }
  std::uint64_t sum = sum_u64(widen_add_u32(total));
  for (int x = whole; x < width; ++x) {
    std::int32_t value = 1 << 15;
    for (int k = 0; k < kTaps; ++k) value += kFilter[k] * row[x - kRadius + k];
    sum += static_cast<std::uint64_t>(std::abs(value >> 16));
  }
  return sum;
}

template <class T>
CINEMILL_AVX2 std::uint64_t motion(PlaneView<T> previous, PlaneView<T> current, Size size, int bit_depth,
                                   std::byte* workspace) noexcept {
  const Work work = carve(workspace, size);
  std::uint64_t total = 0;
  int ready = 0;
  for (int y = 0; y < size.height; ++y) {
    for (; ready <= std::min(y + kRadius, size.height - 1); ++ready) {
      subtract(previous.row(ready), current.row(ready), size.width, work.difference[ready % kTaps]);
    }
    const std::int16_t* rows[kTaps];
    for (int k = 0; k < kTaps; ++k) rows[k] = work.difference[mirror(y - kRadius + k, size.height) % kTaps];
    const Found found = filter_columns(rows, size.width, bit_depth, work.columns);
    if (found == Found::narrow) total += filter_row(work.columns, size.width);
    if (found == Found::wide) {
      split_columns(rows, size.width, bit_depth, work.columns, work.last_bits);
      total += filter_split_row(work.columns, work.last_bits, size.width);
    }
  }
  return total;
}

}  // namespace

std::uint64_t u8(PlaneView<std::uint8_t> previous, PlaneView<std::uint8_t> current, Size size, int bit_depth,
                 std::byte* workspace) noexcept {
  return motion(previous, current, size, bit_depth, workspace);
}

// Differences of 16 bits have 17: scalar.
std::uint64_t u16(PlaneView<std::uint16_t> previous, PlaneView<std::uint16_t> current, Size size, int bit_depth,
                  std::byte* workspace) noexcept {
  return bit_depth > 15 ? scalar::u16(previous, current, size, bit_depth, workspace)
                        : motion(previous, current, size, bit_depth, workspace);
}

}  // namespace cinemill::motion::avx2

#endif  // CINEMILL_HAVE_AVX2
