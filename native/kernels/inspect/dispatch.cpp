// Which functions make up each target.
#include "kernels/inspect/inspect.h"

namespace cinemill::inspect {

const Table& table(Target target) noexcept {
#if CINEMILL_HAVE_AVX2
  if (target >= Target::avx2) return avx2::kTable;
#endif
  static_cast<void>(target);  // unused where scalar is all there is
  return scalar::kTable;
}

}  // namespace cinemill::inspect
