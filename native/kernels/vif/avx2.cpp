#include "kernels/vif/vif.h"
#if CINEMILL_HAVE_AVX2
namespace cinemill::vif::avx2 {
void u8(PlaneView<std::uint8_t> a, PlaneView<std::uint8_t> b, Size s, int d, const Gains& o, std::byte* w,
        Sums* q) noexcept {
  scalar::u8(a, b, s, d, o, w, q);
}
void u16(PlaneView<std::uint16_t> a, PlaneView<std::uint16_t> b, Size s, int d, const Gains& o, std::byte* w,
         Sums* q) noexcept {
  scalar::u16(a, b, s, d, o, w, q);
}
}  // namespace cinemill::vif::avx2
#endif
