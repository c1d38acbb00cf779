// Thumbnail: the rows of a band of cells are added up column by column with vectors, then the columns of each cell.
#include "kernels/thumbnail/thumbnail.h"

#if CINEMILL_HAVE_AVX2
#include <array>

#include "kernels/avx2.h"

namespace cinemill::thumbnail::avx2 {
namespace {

// Rows of a band of cells that are read.
template <class T>
struct Band {
  std::array<const T*, kMaxRows> rows;
  int count;
};

// sums[x] = the column's samples added up, 16 columns at a time: at most 8 rows, <= 8 * 255 fits 16 bits.
CINEMILL_AVX2 static inline void add_columns(const Band<std::uint8_t>& band, int width, std::uint16_t* sums) noexcept {
  const int whole = width & ~15;
  for (int x = 0; x < whole; x += 16) {
    __m256i sum = _mm256_setzero_si256();
    for (int y = 0; y < band.count; ++y) {
      const __m128i samples =
          _mm_loadu_si128(reinterpret_cast<const __m128i*>(band.rows[static_cast<std::size_t>(y)] + x));
      sum = _mm256_add_epi16(sum, _mm256_cvtepu8_epi16(samples));
    }
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums + x), sum);
  }
  for (int x = whole; x < width; ++x) {
    int sum = 0;
    for (int y = 0; y < band.count; ++y) sum += band.rows[static_cast<std::size_t>(y)][x];
    sums[x] = static_cast<std::uint16_t>(sum);
  }
}

// The same for words, 8 at a time; <= 8 * 65535 fits 32 bits.
CINEMILL_AVX2 static inline void add_columns(const Band<std::uint16_t>& band, int width, std::uint32_t* sums) noexcept {
  const int whole = width & ~7;
  for (int x = 0; x < whole; x += 8) {
    __m256i sum = _mm256_setzero_si256();
    for (int y = 0; y < band.count; ++y) {
      const __m128i samples =
          _mm_loadu_si128(reinterpret_cast<const __m128i*>(band.rows[static_cast<std::size_t>(y)] + x));
      sum = _mm256_add_epi32(sum, _mm256_cvtepu16_epi32(samples));
    }
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums + x), sum);
  }
  for (int x = whole; x < width; ++x) {
    sums[x] = 0;
    for (int y = 0; y < band.count; ++y) sums[x] += band.rows[static_cast<std::size_t>(y)][x];
  }
}

// All ones in the lanes before `count`, for 0 <= count <= 16 lanes of 16 bits or 8 of 32.
CINEMILL_AVX2 static inline __m256i first_lanes(int count, std::size_t lane_bytes) noexcept {
  alignas(32) static constexpr auto kOnesThenZeros = [] {
    std::array<std::uint8_t, 64> bytes{};
    for (std::size_t i = 0; i < 32; ++i) bytes[i] = 0xFF;
    return bytes;
  }();
  return load(kOnesThenZeros.data() + 32 - static_cast<std::size_t>(count) * lane_bytes);
}

// Sum of `count` column sums, each <= 2040. May read 15 sums more and ignores them.
CINEMILL_AVX2 static inline std::uint64_t add_up(const std::uint16_t* sums, int count) noexcept {
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i total = _mm256_setzero_si256();  // 8 x 32 bits: <= 4096 vectors * 4080 < 2^24
  for (; count > 16; count -= 16, sums += 16) total = _mm256_add_epi32(total, _mm256_madd_epi16(load(sums), ones));
  const __m256i rest = _mm256_and_si256(load(sums), first_lanes(count, sizeof *sums));
  total = _mm256_add_epi32(total, _mm256_madd_epi16(rest, ones));
  // All lanes together are <= 65535 * 2040 < 2^27: they may be added up in 32 bits.
  __m128i half = _mm_add_epi32(_mm256_castsi256_si128(total), _mm256_extracti128_si256(total, 1));
  half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0x4E));
  half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0xB1));
  return static_cast<std::uint32_t>(_mm_cvtsi128_si32(half));
}

// Sum of `count` column sums, each < 2^19. May read 7 sums more and ignores them.
CINEMILL_AVX2 static inline std::uint64_t add_up(const std::uint32_t* sums, int count) noexcept {
  __m256i total = _mm256_setzero_si256();  // 4 x 64 bits
  for (; count > 8; count -= 8, sums += 8) total = _mm256_add_epi64(total, widen_add_u32(load(sums)));
  const __m256i rest = _mm256_and_si256(load(sums), first_lanes(count, sizeof *sums));
  return sum_u64(_mm256_add_epi64(total, widen_add_u32(rest)));
}

template <class T, class Sum>
CINEMILL_AVX2 static inline void thumbnail(PlaneView<T> plane, Size size, Grid grid, std::uint8_t* out) noexcept {
  std::array<Sum, kMaxSide + 16> sums;  // of a band's columns; up to 256 KiB of stack, little of it ever touched
  std::fill_n(sums.data() + size.width, 15, Sum{0});
  const int step = row_step(size.height, grid.rows);
  for (int r = 0; r < grid.rows; ++r) {
    const int top = edge(r, size.height, grid.rows);
    const int bottom = std::max(top + 1, edge(r + 1, size.height, grid.rows));
    Band<T> band = {};
    for (int y = top; y < bottom; y += step) band.rows[static_cast<std::size_t>(band.count++)] = plane.row(y);
    add_columns(band, size.width, sums.data());
    int left = 0;
    for (int c = 0; c < grid.columns; ++c) {
      const int right = edge(c + 1, size.width, grid.columns);
      const int first = right > left ? left : edge(c, size.width, grid.columns);
      const int columns = std::max(1, right - first);
      const std::uint64_t count = static_cast<std::uint64_t>(columns) * static_cast<std::uint64_t>(band.count);
      *out++ = mean(add_up(sums.data() + first, columns), count, grid.shift);
      left = right;
    }
  }
}

}  // namespace

CINEMILL_AVX2 void u8(PlaneView<std::uint8_t> plane, Size size, Grid grid, std::uint8_t* out) noexcept {
  thumbnail<std::uint8_t, std::uint16_t>(plane, size, grid, out);
}

CINEMILL_AVX2 void u16(PlaneView<std::uint16_t> plane, Size size, Grid grid, std::uint8_t* out) noexcept {
  thumbnail<std::uint16_t, std::uint32_t>(plane, size, grid, out);
}

}  // namespace cinemill::thumbnail::avx2

#endif  // CINEMILL_HAVE_AVX2
