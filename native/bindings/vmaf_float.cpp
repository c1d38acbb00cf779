// Bindings of the features in single precision, which VMAF's float models take.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "bindings/arguments.h"
#include "bindings/vmaf.h"
#include "kernels/float_vif/float_vif.h"

namespace cinemill::bindings {
namespace {

nb::list float_vif(nb::handle ref, nb::handle dist, nb::sequence gains, nb::handle target) {
  const PlaneArgument first(ref, "ref");
  const PlaneArgument second(dist, "dist");
  check_alike(first, "ref", second, "dist");
  check_sides(first.size(), "ref", float_vif::kMinSide);
  const std::vector<double> limits = gain_limits(gains, float_vif::kMaxGains);
  float_vif::Gains wanted{static_cast<int>(limits.size()), {}};
  std::transform(limits.begin(), limits.end(), wanted.limit, [](double limit) { return static_cast<float>(limit); });
  const float_vif::Table& kernels = float_vif::table(pick_target(target));
  float_vif::Sums sums[float_vif::kScales] = {};
  {
    const nb::gil_scoped_release unlocked;
    std::byte* const memory = workspace(kernels.workspace_bytes(first.size()));
    first.is_wide() ? kernels.u16(first.view<std::uint16_t>(), second.view<std::uint16_t>(), first.size(),
                                  first.bit_depth(), wanted, memory, sums)
                    : kernels.u8(first.view<std::uint8_t>(), second.view<std::uint8_t>(), first.size(),
                                 first.bit_depth(), wanted, memory, sums);
  }
  nb::list scales;
  for (const float_vif::Sums& scale : sums) {
    nb::list nums;
    for (int gain = 0; gain < wanted.count; ++gain) nums.append(scale.num[gain]);
    scales.append(nb::make_tuple(nb::tuple(nums), scale.den));
  }
  return scales;
}

constexpr const char* kFloatVifDoc =
    R"(Visual information fidelity at four scales, in libvmaf's single precision (`float_vif`).

Releases the GIL; any number of threads may call at once.

Args:
    ref, dist: luma planes of the same size (at least 17x17) and bit depth; samples in the range of the bit depth.
    gains: one or two limits of the enhancement gain, 1 to 100: 100 is VMAF's default, 1 is VMAF NEG.
    target: a level of `targets()` to force.

Returns:
    Per scale (numerators per gain, denominator), bits; numerator / denominator is libvmaf's vif_scale.

Raises:
    ShapeMismatch: the planes differ in size or bit depth.
    TooSmall: a side is shorter than 17.
    ValueError: gains are out of range.
    NotAPlane, TargetUnavailable: as in `sse`.)";

}  // namespace

void add_vmaf_float(nb::module_& module) {
  using namespace nb::literals;
  module.def("float_vif", float_vif, "ref"_a.none(), "dist"_a.none(), "gains"_a = nb::make_tuple(100.0), nb::kw_only(),
             "target"_a = nb::none(), kFloatVifDoc);
}

}  // namespace cinemill::bindings
