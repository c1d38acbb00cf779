// The definition: full search, block by block. Other targets are tested against it.
#include <algorithm>
#include <cstdlib>

#include "kernels/block_motion/block_motion.h"

namespace cinemill::block_motion::scalar {
namespace {

struct Pair {
  const std::uint8_t* current;
  const std::uint8_t* previous;
  int width;
  int height;
};

std::uint32_t difference(Pair pair, int left, int top, int dx, int dy) noexcept {
  std::uint32_t sum = 0;
  for (int y = top; y < top + kBlockHeight; ++y) {
    for (int x = left; x < left + kBlockWidth; ++x) {
      const int from_x = std::clamp(x + dx, 0, pair.width - 1);
      const int from_y = std::clamp(y + dy, 0, pair.height - 1);
      const int d = pair.current[y * pair.width + x] - pair.previous[from_y * pair.width + from_x];
      sum += static_cast<std::uint32_t>(std::abs(d));
    }
  }
  return sum;
}

}  // namespace

std::uint32_t u8(const std::uint8_t* current, const std::uint8_t* previous, int width, int height) noexcept {
  const Pair pair = {current, previous, width, height};
  std::uint32_t total = 0;
  for (int top = 0; top < height; top += kBlockHeight) {
    for (int left = 0; left < width; left += kBlockWidth) {
      std::uint32_t least = UINT32_MAX;
      for (int dy = -kReach; dy <= kReach; ++dy) {
        for (int dx = -kReach; dx <= kReach; ++dx) least = std::min(least, difference(pair, left, top, dx, dy));
      }
      total += least;
    }
  }
  return total;
}

}  // namespace cinemill::block_motion::scalar
