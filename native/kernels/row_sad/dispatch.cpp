// Which function makes up each target.
#include "kernels/row_sad/row_sad.h"

namespace cinemill::row_sad {

Kernel kernel(Target target) noexcept {
#if CINEMILL_HAVE_AVX2
  if (target >= Target::avx2) return avx2::u8;
#endif
  static_cast<void>(target);  // unused where scalar is all there is
  return scalar::u8;
}

}  // namespace cinemill::row_sad
