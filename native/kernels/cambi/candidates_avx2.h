// From samples to the levels and candidates of the finest scale, with 256-bit vectors: rows stay in the cache, planes
// are written once, at their final size.
#pragma once

#include <bit>

#include "kernels/avx2.h"
#include "kernels/cambi/constants.h"

namespace cinemill::cambi::avx2 {

using Level = std::uint16_t;
inline constexpr int kMargin = 32;  // elements before and behind each row

constexpr int stride_of(int width) noexcept { return (width + 2 * kMargin + 31) & ~31; }

class Carver {
 public:
  explicit Carver(std::byte* memory) noexcept : begin_(memory), next_(memory) {}

  template <class C>
  C* take(std::size_t count) noexcept {
    auto* const taken = reinterpret_cast<C*>(next_);
    next_ += aligned(count * sizeof(C)) + kAlign;  // rows of several planes do not share cache sets
    return taken;
  }

  // `rows` rows of `width` elements with margins; the first element of the first row.
  template <class C>
  C* rows(std::size_t rows, int width) noexcept {
    return take<C>(rows * static_cast<std::size_t>(stride_of(width))) + kMargin;
  }

  std::size_t used() const noexcept { return static_cast<std::size_t>(next_ - begin_); }

 private:
  std::byte* begin_;
  std::byte* next_;
};

// The even ones of 32 lanes of 16 bits, or of 64 lanes of 8 bits.
CINEMILL_AVX2 static inline __m256i even_u16(const Level* from) noexcept {
  const __m256i low = _mm256_set1_epi32(0xFFFF);
  const __m256i packed = _mm256_packus_epi32(_mm256_and_si256(load(from), low), _mm256_and_si256(load(from + 16), low));
  return _mm256_permute4x64_epi64(packed, 0xD8);
}

CINEMILL_AVX2 static inline __m256i even_u8(const std::uint8_t* from) noexcept {
  const __m256i low = _mm256_set1_epi16(0xFF);
  const __m256i packed = _mm256_packus_epi16(_mm256_and_si256(load(from), low), _mm256_and_si256(load(from + 32), low));
  return _mm256_permute4x64_epi64(packed, 0xD8);
}

// Writes a row of half the width; `out` may be the row itself. Reads and writes into the margins.
CINEMILL_AVX2 static inline void halve_row(const Level* from, int to, Level* out) noexcept {
  for (int x = 0; x < to; x += 16) store(out + x, even_u16(from + 2 * x));
}

CINEMILL_AVX2 static inline void halve_row(const std::uint8_t* from, int to, std::uint8_t* out) noexcept {
  for (int x = 0; x < to; x += 32) store(out + x, even_u8(from + 2 * x));
}

// Rows of work of the first stage.
struct FirstRows {
  Level* ten[2];          // samples in 10 bits, of rows y % 2
  Level* level[2];        // smoothed
  std::uint8_t* flat[8];  // whether a sample is flat (1), of rows y % 8
  std::uint8_t* sum;      // flat samples of 7 rows
  std::uint8_t* found;    // candidates of a row
  std::int32_t* across;   // sample of the source at each place of a row
};

FirstRows carve_first(Carver& carver, int width) noexcept;

// What the first stage makes: levels and candidates (0 or 0xFF), rows `stride` apart.
struct Finest {
  Level* level;
  std::uint8_t* candidate;
  int stride;
};

template <class T>
class FirstStage {
 public:
  FirstStage(PlaneView<T> plane, Size source, int bit_depth, const Options& options, const FirstRows& rows) noexcept
      : plane_(plane),
        source_(source),
        bit_depth_(bit_depth),
        options_(options),
        size_(options.size),
        rows_(rows),
        down_(source.height, options.size.height) {}

  CINEMILL_AVX2 void run(const Finest& out) noexcept {
    Nearest across(source_.width, size_.width);
    for (int x = 0; x < size_.width; ++x) rows_.across[x] = across.next();
    std::fill_n(rows_.sum - kMargin, stride_of(size_.width), std::uint8_t{0});
    for (std::uint8_t* row : rows_.flat) std::fill_n(row - kMargin, stride_of(size_.width), std::uint8_t{0});
    ten_row(0);
    level_row(0);
    for (int y = 0; y < size_.height + kReach; ++y) {
      if (y < size_.height) {
        if (y + 1 < size_.height) level_row(y + 1);
        flat_row(y);
        if (wanted(y)) keep_levels(y, out);
      }
      add_row(y);
      if (y >= kReach && wanted(y - kReach)) keep_candidates(y - kReach, out);
    }
  }

 private:
  PlaneView<T> plane_;
  Size source_;
  int bit_depth_;
  const Options& options_;
  Size size_;
  const FirstRows& rows_;
  Nearest down_;

  bool wanted(int y) const noexcept { return !options_.halve || y % 2 == 0; }

  CINEMILL_AVX2 void ten_row(int y) noexcept {
    const T* const row = plane_.row(source_.height == size_.height ? y : down_.next());
    Level* const out = rows_.ten[y % 2];
    int x = 0;
    if (source_.width == size_.width) {
      for (; x + 16 <= size_.width; x += 16) store(out + x, ten_bits(row + x));
    }
    for (; x < size_.width; ++x) {
      const int sample = row[source_.width == size_.width ? x : rows_.across[x]];
      out[x] = static_cast<Level>(bit_depth_ <= 10 ? sample << (10 - bit_depth_)
                                                   : (sample + (1 << (bit_depth_ - 11))) >> (bit_depth_ - 10));
    }
  }

  CINEMILL_AVX2 __m256i ten_bits(const std::uint8_t* from) const noexcept {
    return _mm256_slli_epi16(_mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))), 2);
  }

  // Above 10 bits: (v + half) >> n of 16 bits is (v >> n) plus bit n - 1 of v.
  CINEMILL_AVX2 __m256i ten_bits(const std::uint16_t* from) const noexcept {
    const __m256i v = load(from);
    if (bit_depth_ <= 10) return _mm256_sll_epi16(v, _mm_cvtsi32_si128(10 - bit_depth_));
    const __m256i odd = _mm256_and_si256(_mm256_srl_epi16(v, _mm_cvtsi32_si128(bit_depth_ - 11)), _mm256_set1_epi16(1));
    return _mm256_add_epi16(_mm256_srl_epi16(v, _mm_cvtsi32_si128(bit_depth_ - 10)), odd);
  }

  // Row y of the levels; when smoothing, row y + 1 of the samples is made on the way.
  CINEMILL_AVX2 void level_row(int y) noexcept {
    const int width = size_.width;
    Level* const out = rows_.level[y % 2];
    if (!options_.smooth) {
      if (y) ten_row(y);
      for (int x = 0; x < width; x += 16) store(out + x, load(rows_.ten[y % 2] + x));
    } else if (y + 1 < size_.height) {
      ten_row(y + 1);
      const Level* const a = rows_.ten[y % 2];
      const Level* const b = rows_.ten[1 - y % 2];
      for (int x = 0; x < width; x += 16) {
        const __m256i left = _mm256_add_epi16(load(a + x), load(b + x));
        const __m256i right = _mm256_add_epi16(load(a + x + 1), load(b + x + 1));
        store(out + x, _mm256_srli_epi16(_mm256_add_epi16(left, right), 2));
      }
      out[width - 1] = static_cast<Level>((a[width - 1] + b[width - 1]) >> 1);
    } else {
      const Level* const a = rows_.ten[y % 2];
      for (int x = 0; x < width; x += 16) {
        store(out + x, _mm256_srli_epi16(_mm256_add_epi16(load(a + x), load(a + x + 1)), 1));
      }
      out[width - 1] = a[width - 1];
    }
    out[width] = out[width - 1];  // the last sample equals its right neighbour
  }

  CINEMILL_AVX2 __m256i flat16(const Level* here, const Level* below) const noexcept {
    const __m256i level = load(here);
    return _mm256_and_si256(_mm256_cmpeq_epi16(level, load(here + 1)), _mm256_cmpeq_epi16(level, load(below)));
  }

  CINEMILL_AVX2 void flat_row(int y) noexcept {
    const Level* const here = rows_.level[y % 2];
    const Level* const below = y + 1 < size_.height ? rows_.level[1 - y % 2] : here;
    std::uint8_t* const out = rows_.flat[y % 8];
    for (int x = 0; x < size_.width; x += 32) {
      const __m256i packed = _mm256_packs_epi16(flat16(here + x, below + x), flat16(here + x + 16, below + x + 16));
      store(out + x, _mm256_and_si256(_mm256_permute4x64_epi64(packed, 0xD8), _mm256_set1_epi8(1)));
    }
    std::fill_n(out + size_.width, kMargin, std::uint8_t{0});
  }

  // Adds row y to the sums of columns, and takes off the one that leaves.
  CINEMILL_AVX2 void add_row(int y) noexcept {
    const std::uint8_t* const enters = rows_.flat[y % 8];
    const std::uint8_t* const leaves = rows_.flat[(y + 1) % 8];  // row y - 7; zeros at first
    for (int x = 0; x < size_.width; x += 32) {
      __m256i sum = load(rows_.sum + x);
      if (y < size_.height) sum = _mm256_add_epi8(sum, load(enters + x));
      store(rows_.sum + x, _mm256_sub_epi8(sum, y >= kMask ? load(leaves + x) : _mm256_setzero_si256()));
    }
  }

  // Candidates of row y: more flat samples in 7 columns than needed (at most 49).
  CINEMILL_AVX2 void keep_candidates(int y, const Finest& out) noexcept {
    const __m256i needed = _mm256_set1_epi8(static_cast<char>(flat_enough(size_)));
    std::uint8_t* const whole = options_.halve ? rows_.found : out.candidate + std::ptrdiff_t{y} * out.stride;
    for (int x = 0; x < size_.width; x += 32) {
      __m256i sum = load(rows_.sum + x - kReach);
      for (int k = 1 - kReach; k <= kReach; ++k) sum = _mm256_add_epi8(sum, load(rows_.sum + x + k));
      store(whole + x, _mm256_cmpgt_epi8(sum, needed));
    }
    if (options_.halve) {
      halve_row(whole, halved(size_).width, out.candidate + std::ptrdiff_t{y / 2} * out.stride);
    }
  }

  CINEMILL_AVX2 void keep_levels(int y, const Finest& out) noexcept {
    const Level* const row = rows_.level[y % 2];
    if (options_.halve) {
      halve_row(row, halved(size_).width, out.level + std::ptrdiff_t{y / 2} * out.stride);
      return;
    }
    Level* const to = out.level + std::ptrdiff_t{y} * out.stride;
    for (int x = 0; x < size_.width; x += 16) store(to + x, load(row + x));
  }
};

}  // namespace cinemill::cambi::avx2
