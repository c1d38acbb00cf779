// The inspection as the compiler makes it for the baseline.
#include <algorithm>
#include <bit>
#include <cmath>
#include <initializer_list>
#include <type_traits>

#include "kernels/inspect/inspect.h"

namespace cinemill::inspect::scalar {

#define CINEMILL_INSPECT_TARGET
#include "kernels/inspect/rows.inc"
// Behind it: whole pictures of rows.
#include "kernels/inspect/picture.inc"
#undef CINEMILL_INSPECT_TARGET

const Table kTable = {luma_u8, luma_u16, chroma_u8, chroma_u16};

}  // namespace cinemill::inspect::scalar
