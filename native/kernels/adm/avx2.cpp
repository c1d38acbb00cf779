#include "kernels/adm/adm.h"
#if CINEMILL_HAVE_AVX2
namespace cinemill::adm::avx2 {
void u8(PlaneView<std::uint8_t> a, PlaneView<std::uint8_t> b, Size s, int d, const Options& o, std::byte* w,
        Sums* q) noexcept {
  scalar::u8(a, b, s, d, o, w, q);
}
void u16(PlaneView<std::uint16_t> a, PlaneView<std::uint16_t> b, Size s, int d, const Options& o, std::byte* w,
         Sums* q) noexcept {
  scalar::u16(a, b, s, d, o, w, q);
}
std::size_t workspace_bytes(Size s) noexcept { return scalar::workspace_bytes(s); }
}  // namespace cinemill::adm::avx2
#endif
