// Which functions make up each target: filled with scalar, then overwritten by every level that has something faster.
#include "kernels/float_adm/float_adm.h"

namespace cinemill::float_adm {
namespace {

Table make(Target target) {
  Table table = {scalar::u8, scalar::u16, scalar::workspace_bytes};
#if CINEMILL_HAVE_AVX2
  if (target >= Target::avx2) table = {avx2::u8, avx2::u16, avx2::workspace_bytes};
#endif
  static_cast<void>(target);  // unused where scalar is all there is
  return table;
}

}  // namespace

const Table& table(Target target) noexcept {
  static const auto all = tables(make);
  return all[static_cast<std::size_t>(target)];
}

}  // namespace cinemill::float_adm
