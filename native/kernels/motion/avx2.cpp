#include "kernels/motion/motion.h"
#if CINEMILL_HAVE_AVX2
namespace cinemill::motion::avx2 {
std::uint64_t u8(PlaneView<std::uint8_t> a, PlaneView<std::uint8_t> b, Size s, int d, std::byte* w) noexcept {
  return scalar::u8(a, b, s, d, w);
}
std::uint64_t u16(PlaneView<std::uint16_t> a, PlaneView<std::uint16_t> b, Size s, int d, std::byte* w) noexcept {
  return scalar::u16(a, b, s, d, w);
}
}  // namespace cinemill::motion::avx2
#endif
