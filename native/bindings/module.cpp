// The extension module `cinemill_native._kernels`: one function per kernel. Types for checkers are in _kernels.pyi.
//
// Every binding has the same four steps: take the arguments (arguments.h raises), pick the table, let go of the GIL,
// call. Nothing else belongs here: what can be written in Python is written in Python (_psnr.py).
#include <algorithm>
#include <bit>
#include <memory>
#include <string>

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include "bindings/arguments.h"
#include "bindings/inspect.h"
#include "bindings/unlocked.h"
#include "bindings/vmaf.h"
#include "kernels/block_motion/block_motion.h"
#include "kernels/histogram/histogram.h"
#include "kernels/histogram_sad/histogram_sad.h"
#include "kernels/row_sad/row_sad.h"
#include "kernels/sad/sad.h"
#include "kernels/sse/sse.h"
#include "kernels/thumbnail/thumbnail.h"

namespace cinemill::bindings {
namespace {

using Counts = nb::ndarray<nb::numpy, std::uint32_t, nb::ndim<1>>;
using Cells = nb::ndarray<nb::numpy, std::uint8_t, nb::ndim<2>>;
using Rows = nb::ndarray<const std::uint8_t, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Thumbnails = nb::ndarray<const std::uint8_t, nb::ndim<3>, nb::c_contig, nb::device::cpu>;

nb::tuple targets() {
  nb::list names;
  for (const Target target : available_targets()) names.append(nb::str(name(target).data(), name(target).size()));
  return nb::tuple(names);
}

nb::str default_target() {
  const std::string_view text = name(pick_target(nb::none()));
  return nb::str(text.data(), text.size());
}

// `sse` and `sad`: two planes in, one sum out.
template <class Table>
std::uint64_t sum_of_two(const Table& (*table)(Target) noexcept, nb::handle a, const char* role_a, nb::handle b,
                         const char* role_b, nb::handle target) {
  const PlaneArgument first(a, role_a);
  const PlaneArgument second(b, role_b);
  check_alike(first, role_a, second, role_b);
  const Table& kernels = table(pick_target(target));
  const Unlocked unlocked;
  return first.is_wide() ? kernels.u16(first.view<std::uint16_t>(), second.view<std::uint16_t>(), first.size())
                         : kernels.u8(first.view<std::uint8_t>(), second.view<std::uint8_t>(), first.size());
}

std::uint64_t sse(nb::handle ref, nb::handle dist, nb::handle target) {
  return sum_of_two(sse::table, ref, "ref", dist, "dist", target);
}

std::uint64_t sad(nb::handle a, nb::handle b, nb::handle target) {
  return sum_of_two(sad::table, a, "a", b, "b", target);
}

histogram::Bins check_bins(int count, const PlaneArgument& plane) {
  const int most = std::min(histogram::kMaxBins, 1 << plane.bit_depth());
  if (count < 2 || count > most || !std::has_single_bit(static_cast<unsigned>(count))) {
    throw nb::value_error(
        ("bins: wanted a power of two from 2 to " + std::to_string(most) + ", got " + std::to_string(count)).c_str());
  }
  return {count, plane.bit_depth() - std::countr_zero(static_cast<unsigned>(count))};
}

// Hands the counters to numpy, which deletes them with the array.
Counts to_numpy(std::unique_ptr<std::uint32_t[]> counts, std::size_t bins) {
  const nb::capsule owner(counts.get(), [](void* data) noexcept { delete[] static_cast<std::uint32_t*>(data); });
  return Counts(counts.release(), {bins}, owner);
}

Counts luma_histogram(nb::handle plane, int bins, nb::handle target) {
  const PlaneArgument luma(plane, "plane");
  const histogram::Bins chosen = check_bins(bins, luma);
  const histogram::Table& kernels = histogram::table(pick_target(target));
  auto counts = std::make_unique<std::uint32_t[]>(static_cast<std::size_t>(bins));
  {
    const Unlocked unlocked;
    luma.is_wide() ? kernels.u16(luma.view<std::uint16_t>(), luma.size(), chosen, counts.get())
                   : kernels.u8(luma.view<std::uint8_t>(), luma.size(), chosen, counts.get());
  }
  return to_numpy(std::move(counts), static_cast<std::size_t>(bins));
}

nb::tuple histogram_sad(nb::handle current, nb::handle previous, int bins, nb::handle target) {
  const PlaneArgument now(current, "current");
  const PlaneArgument before(previous, "previous");
  check_alike(now, "current", before, "previous");
  const histogram::Bins chosen = check_bins(bins, now);
  const histogram_sad::Table& kernels = histogram_sad::table(pick_target(target));
  auto counts = std::make_unique<std::uint32_t[]>(static_cast<std::size_t>(bins));
  std::uint64_t sum = 0;
  {
    const Unlocked unlocked;
    sum = now.is_wide()
              ? kernels.u16(now.view<std::uint16_t>(), before.view<std::uint16_t>(), now.size(), chosen, counts.get())
              : kernels.u8(now.view<std::uint8_t>(), before.view<std::uint8_t>(), now.size(), chosen, counts.get());
  }
  return nb::make_tuple(to_numpy(std::move(counts), static_cast<std::size_t>(bins)), sum);
}

Cells thumbnail(nb::handle plane, int rows, int columns, nb::handle target) {
  const PlaneArgument full(plane, "plane");
  if (rows < 1 || columns < 1 || rows > thumbnail::kMaxCells || columns > thumbnail::kMaxCells) {
    throw nb::value_error(("rows, columns: wanted 1 to " + std::to_string(thumbnail::kMaxCells) + ", got " +
                           std::to_string(rows) + " and " + std::to_string(columns))
                              .c_str());
  }
  const thumbnail::Table& kernels = thumbnail::table(pick_target(target));
  const std::size_t height = static_cast<std::size_t>(rows);
  const std::size_t width = static_cast<std::size_t>(columns);
  auto cells = std::make_unique<std::uint8_t[]>(height * width);
  {
    const thumbnail::Grid grid = {rows, columns, full.bit_depth() - 8};
    const Unlocked unlocked;
    full.is_wide() ? kernels.u16(full.view<std::uint16_t>(), full.size(), grid, cells.get())
                   : kernels.u8(full.view<std::uint8_t>(), full.size(), grid, cells.get());
  }
  const nb::capsule owner(cells.get(), [](void* data) noexcept { delete[] static_cast<std::uint8_t*>(data); });
  return Cells(cells.release(), {height, width}, owner);
}

void check_thumbnails(const Thumbnails& current, const Thumbnails& previous) {
  for (std::size_t i = 0; i < 3; ++i) {
    if (current.shape(i) != previous.shape(i)) {
      raise("ShapeMismatch", "previous: wanted as many thumbnails of one size as current");
    }
  }
  const std::size_t height = current.shape(1);
  const std::size_t width = current.shape(2);
  if (height < 1 || width < 1 || height > block_motion::kMaxHeight || width > block_motion::kMaxWidth ||
      height % block_motion::kBlockHeight || width % block_motion::kBlockWidth) {
    throw nb::value_error(
        ("thumbnails: wanted heights of 9 to 63 in steps of 9 and widths of 8 to 64 in steps of 8, got " +
         std::to_string(width) + "x" + std::to_string(height))
            .c_str());
  }
}

Counts block_motion(const Thumbnails& current, const Thumbnails& previous, nb::handle target) {
  check_thumbnails(current, previous);
  const block_motion::Kernel kernel = block_motion::kernel(pick_target(target));
  const std::size_t count = current.shape(0);
  auto sums = std::make_unique<std::uint32_t[]>(count);
  {
    const Unlocked unlocked;
    const std::size_t size = current.shape(1) * current.shape(2);
    for (std::size_t i = 0; i < count; ++i) {
      sums[i] = kernel(current.data() + i * size, previous.data() + i * size, static_cast<int>(current.shape(2)),
                       static_cast<int>(current.shape(1)));
    }
  }
  return to_numpy(std::move(sums), count);
}

Counts row_sad(const Rows& a, const Rows& b, nb::handle target) {
  if (a.shape(0) != b.shape(0) || a.shape(1) != b.shape(1)) {
    raise("ShapeMismatch", "b: wanted as many rows of one length as a");
  }
  if (a.shape(1) < 1 || a.shape(1) > kMaxSide) {
    throw nb::value_error(
        ("rows: wanted a length of 1 to " + std::to_string(kMaxSide) + ", got " + std::to_string(a.shape(1))).c_str());
  }
  const row_sad::Kernel kernel = row_sad::kernel(pick_target(target));
  auto sums = std::make_unique<std::uint32_t[]>(a.shape(0));
  {
    const Unlocked unlocked;
    kernel(a.data(), b.data(), a.shape(0), static_cast<int>(a.shape(1)), sums.get());
  }
  return to_numpy(std::move(sums), a.shape(0));
}

constexpr const char* kTargetsDoc =
    R"(Instruction-set levels that this build and processor have, in rising order; the first is `scalar`.

All give the same values. A kernel runs at its keyword `target`, else at CINEMILL_NATIVE_TARGET (read at the first
call), else at the last of these.)";

constexpr const char* kDefaultTargetDoc = R"(The level at which kernels run when a call does not name one.

Raises:
    TargetUnavailable: CINEMILL_NATIVE_TARGET names a level that is not in `targets()`.)";

constexpr const char* kSseDoc = R"(Sum of squared error of two planes: exact, at most 65535 ** 4.

Releases the GIL; any number of threads may call at once.

Args:
    ref, dist: planes of the same size and bit depth; rows may be strided, also backwards.
    target: a level of `targets()` to force.

Raises:
    ShapeMismatch: the planes differ in size or bit depth.
    NotAPlane: an argument is no plane that a kernel can read.
    TargetUnavailable: no such target here.)";

constexpr const char* kSadDoc = R"(Sum of absolute differences of two planes: exact, at most 65535 ** 3.

Releases the GIL; any number of threads may call at once.

Args:
    a, b: planes of the same size and bit depth; rows may be strided, also backwards.
    target: a level of `targets()` to force.

Raises:
    ShapeMismatch: the planes differ in size or bit depth.
    NotAPlane: an argument is no plane that a kernel can read.
    TargetUnavailable: no such target here.)";

constexpr const char* kLumaHistogramDoc = R"(Counts of a plane's samples in `bins` equal ranges of values.

Releases the GIL; any number of threads may call at once.

Args:
    plane: any plane; usually luma.
    bins: a power of two, 2 to min(1024, 2 ** bit_depth).
    target: a level of `targets()` to force.

Returns:
    (bins,) uint32: sample v counts in bin min(v >> (bit_depth - log2(bins)), bins - 1). They add up to
    width * height.

Raises:
    ValueError: bins is out of range.
    NotAPlane: the argument is no plane that a kernel can read.
    TargetUnavailable: no such target here.)";

constexpr const char* kHistogramSadDoc =
    R"(`(luma_histogram(current, bins), sad(current, previous))` in one pass over the memory.

Releases the GIL; any number of threads may call at once.

Raises:
    ShapeMismatch: the planes differ in size or bit depth.
    ValueError: bins is out of range.
    NotAPlane: an argument is no plane that a kernel can read.
    TargetUnavailable: no such target here.)";

constexpr const char* kThumbnailDoc =
    R"(Means of a grid of cells of a plane, in 8-bit units, from some rows of each cell.

Releases the GIL; any number of threads may call at once.

Args:
    plane: any plane; one smaller than the grid repeats its samples.
    rows, columns: of the grid, 1 to 256.
    target: a level of `targets()` to force.

Returns:
    (rows, columns) uint8: mean of the cell / 2 ** (bit_depth - 8), rounded half up. Of cells with 8 and more rows
    of samples, 4 to 8 rows at equal distances are read.

Raises:
    ValueError: rows or columns is out of range.
    NotAPlane: the argument is no plane that a kernel can read.
    TargetUnavailable: no such target here.)";

constexpr const char* kRowSadDoc = R"(Sums of absolute differences of many pairs of short rows: exact.

Releases the GIL; any number of threads may call at once.

Args:
    a, b: (n, length) uint8, C order; length 1 to 65535. They may share memory.
    target: a level of `targets()` to force.

Returns:
    (n,) uint32.

Raises:
    ShapeMismatch: the arrays differ in shape.
    ValueError: rows of another length.
    TargetUnavailable: no such target here.)";

constexpr const char* kBlockMotionDoc = R"(What motion cannot explain between pairs of thumbnails.

Each block of 8x9 cells is looked for up to 3 cells around its place in the thumbnail before (edges repeat).

Releases the GIL; any number of threads may call at once.

Args:
    current, previous: (n, height, width) uint8, C order; height 9 to 63 in steps of 9, width 8 to 64 in steps of 8.
    target: a level of `targets()` to force.

Returns:
    (n,) uint32: the sum over the blocks of their least sum of absolute differences.

Raises:
    ShapeMismatch: the arrays differ in shape.
    ValueError: thumbnails of another size.
    TargetUnavailable: no such target here.)";

}  // namespace
}  // namespace cinemill::bindings

NB_MODULE(_kernels, module) {
  using namespace nanobind::literals;
  namespace bindings = cinemill::bindings;
  namespace nb = nanobind;
  module.def("targets", bindings::targets, bindings::kTargetsDoc);
  module.def("default_target", bindings::default_target, bindings::kDefaultTargetDoc);
  module.def("sse", bindings::sse, "ref"_a.none(), "dist"_a.none(), nb::kw_only(), "target"_a = nb::none(),
             bindings::kSseDoc);
  module.def("sad", bindings::sad, "a"_a.none(), "b"_a.none(), nb::kw_only(), "target"_a = nb::none(),
             bindings::kSadDoc);
  module.def("luma_histogram", bindings::luma_histogram, "plane"_a.none(), "bins"_a = 256, nb::kw_only(),
             "target"_a = nb::none(), bindings::kLumaHistogramDoc);
  module.def("thumbnail", bindings::thumbnail, "plane"_a.none(), "rows"_a, "columns"_a, nb::kw_only(),
             "target"_a = nb::none(), bindings::kThumbnailDoc);
  module.def("block_motion", bindings::block_motion, "current"_a, "previous"_a, nb::kw_only(), "target"_a = nb::none(),
             bindings::kBlockMotionDoc);
  module.def("row_sad", bindings::row_sad, "a"_a, "b"_a, nb::kw_only(), "target"_a = nb::none(), bindings::kRowSadDoc);
  module.def("histogram_sad", bindings::histogram_sad, "current"_a.none(), "previous"_a.none(), "bins"_a = 256,
             nb::kw_only(), "target"_a = nb::none(), bindings::kHistogramSadDoc);
  bindings::add_inspect(module);
  bindings::add_vmaf(module);
  bindings::add_vmaf_float(module);
  bindings::add_vmaf_v1(module);
}
