// Block search with the instruction made for it: MPSADBW gives the differences of four bytes at eight displacements.
#include "kernels/block_motion/block_motion.h"

#if CINEMILL_HAVE_AVX2
#include <array>
#include <cstring>

#include "kernels/avx2.h"

namespace cinemill::block_motion::avx2 {
namespace {

// The older thumbnail with its edges repeated kReach times, and room behind each row for a 16-byte load of the last
// block: columns left + 0 .. left + 15 with left <= kMaxWidth - 8.
constexpr int kPitch = kMaxWidth + 16;
using Padded = std::array<std::uint8_t, kPitch*(kMaxHeight + 2 * kReach)>;

void pad(const std::uint8_t* from, int width, int height, Padded& to) noexcept {
  for (int y = -kReach; y < height + kReach; ++y) {
    const std::uint8_t* row = from + (y < 0 ? 0 : y < height ? y : height - 1) * width;
    std::uint8_t* out = to.data() + (y + kReach) * kPitch;
    std::memset(out, row[0], kReach);
    std::memcpy(out + kReach, row, static_cast<std::size_t>(width));
    std::memset(out + kReach + width, row[width - 1], static_cast<std::size_t>(kPitch - kReach - width));
  }
}

// Differences of a block at displacements -3 to 4 in x: 8 lanes of 16 bits, each <= 72 * 255 = 18360.
CINEMILL_AVX2 static inline __m128i differences(const std::uint8_t* block, int pitch,
                                                const std::uint8_t* window) noexcept {
  __m128i sum = _mm_setzero_si128();
  for (int y = 0; y < kBlockHeight; ++y) {
    const __m128i row = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(block + y * pitch));
    const __m128i there = _mm_loadu_si128(reinterpret_cast<const __m128i*>(window + y * kPitch));
    sum = _mm_add_epi16(sum, _mm_mpsadbw_epu8(there, row, 0));  // bytes 0 to 3 of the block, from offset 0
    sum = _mm_add_epi16(sum, _mm_mpsadbw_epu8(there, row, 5));  // bytes 4 to 7, from offset 4
  }
  return sum;
}

}  // namespace

CINEMILL_AVX2 std::uint32_t u8(const std::uint8_t* current, const std::uint8_t* previous, int width,
                               int height) noexcept {
  Padded padded;
  pad(previous, width, height, padded);
  const __m128i outside = _mm_set_epi16(-1, 0, 0, 0, 0, 0, 0, 0);  // displacement 4 is beyond the reach: 65535
  std::uint32_t total = 0;
  for (int top = 0; top < height; top += kBlockHeight) {
    for (int left = 0; left < width; left += kBlockWidth) {
      __m128i least = _mm_set1_epi16(-1);  // 65535, unsigned
      for (int dy = 0; dy <= 2 * kReach; ++dy) {
        const std::uint8_t* window = padded.data() + (top + dy) * kPitch + left;
        const __m128i found = differences(current + top * width + left, width, window);
        least = _mm_min_epu16(least, _mm_or_si128(found, outside));
      }
      total += static_cast<std::uint32_t>(_mm_extract_epi16(_mm_minpos_epu16(least), 0));
    }
  }
  return total;
}

}  // namespace cinemill::block_motion::avx2

#endif  // CINEMILL_HAVE_AVX2
