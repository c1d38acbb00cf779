// Which functions make up each target: filled with scalar, then overwritten by every level that has something faster.
#include "kernels/motion/motion.h"

namespace cinemill::motion {
namespace {

Table make(Target target) {
  Table table = {scalar::u8, scalar::u16};
#if CINEMILL_HAVE_AVX2
  if (target >= Target::avx2) table = {avx2::u8, avx2::u16};
#endif
  static_cast<void>(target);  // unused where scalar is all there is
  return table;
}

}  // namespace

std::size_t workspace_bytes(Size size) noexcept {
  constexpr std::size_t kMargin = 64;  // samples before and behind a row, for mirrored samples and whole vectors
  constexpr std::size_t kRows = 8;     // 7 of 16 bits, or one of 32
  return kRows * sizeof(std::int16_t) * (static_cast<std::size_t>(size.width) + 2 * kMargin);
}

const Table& table(Target target) noexcept {
  static const auto all = tables(make);
  return all[static_cast<std::size_t>(target)];
}

}  // namespace cinemill::motion
