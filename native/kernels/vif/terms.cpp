// What does not depend on the target: the table of logarithms, the last step in floating point, the size of the
// workspace.
#include <cmath>

#include "kernels/vif/constants.h"

namespace cinemill::vif {

const LogTable& log_table() noexcept {
  static const LogTable table = [] {
    LogTable made{};
    for (std::size_t i = 0; i < made.size(); ++i) {
      const float log = std::log2(static_cast<float>(i + 32768)) * 2048.0F;
      made[i] = static_cast<std::uint16_t>(std::round(static_cast<double>(log)));
    }
    return made;
  }();
  return table;
}

Terms terms(const Sums& sums, int gain) noexcept {
  const auto flat = static_cast<double>(sums.flat);
  const double energy = static_cast<double>(sums.flat_energy) / 16384.0 / 65025.0;
  return {static_cast<float>(static_cast<double>(sums.num_log[gain]) / 2048.0 + (flat - energy)),
          static_cast<float>(static_cast<double>(sums.den_log) / 2048.0 + flat)};
}

std::size_t workspace_bytes(Size size) noexcept {
  // Scale 1 in two planes, scale 2 in two (half as large each way), and scale 3 where scale 1 was.
  const std::size_t scale1 = half_stride(size) * static_cast<std::size_t>(size.height / 2);
  // Rows of work: 5 of 32 bits, or 96 of 16 bits that are set apart by up to two pages.
  const std::size_t row = aligned(sizeof(std::uint32_t) * (static_cast<std::size_t>(size.width) + 2 * kMargin));
  return 4 * scale1 + 96 * (row / 2 + 8192);
}

}  // namespace cinemill::vif
