// Bindings of the inspection: sums of a picture as dictionaries of integers and lists.
#include "bindings/inspect.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>

#include "bindings/arguments.h"
#include "bindings/unlocked.h"
#include "kernels/inspect/inspect.h"

namespace cinemill::bindings {
namespace {

void check_size(const PlaneArgument& plane, const char* role) {
  const Size size = plane.size();
  if (std::min(size.width, size.height) < inspect::kMinSide) {
    raise("TooSmall", std::string(role) + ": wanted sides of at least " + std::to_string(inspect::kMinSide) +
                          " samples, got " + std::to_string(size.width) + "x" + std::to_string(size.height));
  }
  if (size.width > inspect::kMaxWidth || size.height > inspect::kMaxArea / size.width) {
    throw nb::value_error((std::string(role) + ": wanted at most " + std::to_string(inspect::kMaxWidth) +
                           " columns and " + std::to_string(inspect::kMaxArea) + " samples, got " +
                           std::to_string(size.width) + "x" + std::to_string(size.height))
                              .c_str());
  }
}

// Hands counters to numpy.
nb::ndarray<nb::numpy, std::uint32_t, nb::ndim<1>> counters(const std::uint32_t* counts, std::size_t size) {
  auto* const copy = new std::uint32_t[size];
  std::copy_n(counts, size, copy);
  const nb::capsule owner(copy, [](void* data) noexcept { delete[] static_cast<std::uint32_t*>(data); });
  return {copy, {size}, owner};
}

template <class T>
nb::list listed(const T* values, std::size_t count) {
  nb::list found;
  for (std::size_t i = 0; i < count; ++i) found.append(values[i]);
  return found;
}

nb::dict as_dict(const inspect::Luma& sums, bool pair) {
  nb::dict found;
  found["sum"] = sums.sum;
  found["squares"] = sums.squares;
  found["least"] = sums.least;
  found["most"] = sums.most;
  found["laplacian"] = sums.laplacian;
  found["laplacian_squares"] = sums.laplacian_squares;
  found["noise"] = sums.noise;
  found["edge"] = sums.edge;
  found["edge_squares"] = sums.edge_squares;
  found["across"] = listed(sums.across, 2);
  found["down"] = listed(sums.down, inspect::kPhases);
  found["spots"] = sums.spots;
  nb::list places;
  for (std::size_t i = 0; i < std::min<std::size_t>(sums.spots, inspect::kSpots); ++i) {
    places.append(nb::make_tuple(sums.spot_x[i], sums.spot_y[i]));
  }
  found["places"] = places;
  found["bars"] = listed(sums.bars, 4);
  found["comb"] = listed(sums.comb, 2);
  found["comb_samples"] = sums.comb_samples;
  found["histogram"] = counters(sums.histogram, inspect::kBins);
  if (pair) {
    found["change"] = sums.change;
    found["drift"] = sums.drift;
    found["change_squares"] = sums.change_squares;
    found["changed"] = sums.changed;
    found["comb_before"] = listed(sums.comb_before, 2);
    found["comb_after"] = listed(sums.comb_after, 2);
    found["field_change"] = listed(sums.field_change, 2);
  }
  return found;
}

nb::dict inspect_luma(nb::handle current, nb::handle previous, int dark, int spot, nb::handle target) {
  const PlaneArgument now(current, "current");
  check_size(now, "current");
  std::optional<PlaneArgument> before;
  if (!previous.is_none()) {
    before.emplace(previous, "previous");
    check_alike(now, "current", *before, "previous");
  }
  if (dark < 0 || dark > 65535 || spot < 0 || spot > 65535) {
    throw nb::value_error("dark, spot: wanted samples of 0 to 65535");
  }
  const inspect::Table& kernels = inspect::table(pick_target(target));
  const auto workspace = std::make_unique_for_overwrite<std::byte[]>(inspect::kWorkspace);
  inspect::Luma sums;
  {
    const inspect::LumaSettings settings = {now.bit_depth() - 8, dark, spot};
    const Unlocked unlocked;
    if (now.is_wide()) {
      kernels.luma_u16(now.view<std::uint16_t>(), before ? before->view<std::uint16_t>() : PlaneView<std::uint16_t>{},
                       now.size(), settings, workspace.get(), &sums);
    } else {
      kernels.luma_u8(now.view<std::uint8_t>(), before ? before->view<std::uint8_t>() : PlaneView<std::uint8_t>{},
                      now.size(), settings, workspace.get(), &sums);
    }
  }
  return as_dict(sums, before.has_value());
}

// Log2 subsampling along one side; raises ShapeMismatch where chroma is no half, quarter or whole of luma, rounded up.
int subsampling(int luma, int chroma) {
  for (int shift = 0; shift <= 2; ++shift) {
    if (chroma == (luma + (1 << shift) - 1) >> shift) return shift;
  }
  raise("ShapeMismatch", "cb: wanted luma's size, or a half or quarter of it, got " + std::to_string(chroma) +
                             " samples to " + std::to_string(luma));
}

nb::dict inspect_chroma(nb::handle luma, nb::handle cb, nb::handle cr, std::array<float, 2> zeros,
                        std::array<float, 5> matrix, nb::handle target) {
  const PlaneArgument y(luma, "luma");
  const PlaneArgument a(cb, "cb");
  const PlaneArgument b(cr, "cr");
  check_size(y, "luma");
  check_alike(a, "cb", b, "cr");
  if (a.bit_depth() != y.bit_depth()) raise("ShapeMismatch", "cb: wanted the bit depth of luma");
  const int x_shift = subsampling(y.size().width, a.size().width);
  const int y_shift = subsampling(y.size().height, a.size().height);
  const inspect::Table& kernels = inspect::table(pick_target(target));
  inspect::Chroma sums;
  {
    const inspect::ChromaSettings settings = {x_shift,   y_shift,   zeros[0],  zeros[1], matrix[0],
                                              matrix[1], matrix[2], matrix[3], matrix[4]};
    const Unlocked unlocked;
    if (y.is_wide()) {
      kernels.chroma_u16(y.view<std::uint16_t>(), a.view<std::uint16_t>(), b.view<std::uint16_t>(), a.size(), settings,
                         &sums);
    } else {
      kernels.chroma_u8(y.view<std::uint8_t>(), a.view<std::uint8_t>(), b.view<std::uint8_t>(), a.size(), settings,
                        &sums);
    }
  }
  nb::dict found;
  found["sum_a"] = sums.sum_a;
  found["sum_b"] = sums.sum_b;
  found["squares_a"] = sums.squares_a;
  found["squares_b"] = sums.squares_b;
  found["products"] = sums.products;
  found["least_a"] = sums.least_a;
  found["most_a"] = sums.most_a;
  found["least_b"] = sums.least_b;
  found["most_b"] = sums.most_b;
  found["gamut"] = sums.gamut;
  return found;
}

constexpr const char* kInspectLumaDoc = R"(The sums from which features of a luma plane follow, in one pass.

Releases the GIL; any number of threads may call at once. What each sum is: native/kernels/inspect/inspect.h.

Args:
    current: the picture, sides of 3 and more samples, at most 16384 columns and 2 ** 26 samples.
    previous: the one before it in time, of the same size; None for the first.
    dark: largest sample of a letterbox bar.
    spot: by how much a lone sample stands out of its neighbours.
    target: a level of `targets()` to force.

Returns:
    integers by name, and lists of them: `across` and `down` (8), `bars` (4), `comb` (2), `places` (x, y of up
    to 16 spots); `histogram` (256,) uint32, of even rows; with `previous` also `change`, `drift`, `change_squares`, `changed`, `comb_before`,
    `comb_after` and `field_change`.

Raises:
    TooSmall: a side is shorter than 3 samples.
    ValueError: the plane is too large, or a setting out of range.
    ShapeMismatch: the planes differ in size or bit depth.
    NotAPlane: an argument is no plane that a kernel can read.
    TargetUnavailable: no such target here.)";

constexpr const char* kInspectChromaDoc = R"(The sums from which features of a picture's colours follow, in one pass.

Releases the GIL; any number of threads may call at once. What each sum is: native/kernels/inspect/inspect.h.

Args:
    luma, cb, cr: planes of one picture; chroma may have a half or a quarter of the samples of luma along each side.
    zeros: the samples that stand for black in luma and for no colour in chroma.
    matrix: R = m[0] y + m[1] v; G = m[0] y - m[2] u - m[3] v; B = m[0] y + m[4] u, where 0 to 1 is in gamut.
    target: a level of `targets()` to force.

Returns:
    integers by name.

Raises:
    TooSmall, ValueError, ShapeMismatch, NotAPlane, TargetUnavailable: as `inspect_luma`.)";

}  // namespace

void add_inspect(nb::module_& module) {
  using namespace nanobind::literals;
  module.def("inspect_luma", inspect_luma, "current"_a.none(), "previous"_a = nb::none(), nb::kw_only(), "dark"_a,
             "spot"_a, "target"_a = nb::none(), kInspectLumaDoc);
  module.def("inspect_chroma", inspect_chroma, "luma"_a.none(), "cb"_a.none(), "cr"_a.none(), nb::kw_only(), "zeros"_a,
             "matrix"_a, "target"_a = nb::none(), kInspectChromaDoc);
}

}  // namespace cinemill::bindings
