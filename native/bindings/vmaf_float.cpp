// Bindings of the features in single precision, which VMAF's float models take.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "bindings/arguments.h"
#include "bindings/unlocked.h"
#include "bindings/vmaf.h"
#include "kernels/float_adm/float_adm.h"
#include "kernels/float_motion/float_motion.h"
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
    const Unlocked unlocked;
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

nb::list float_adm(nb::handle ref, nb::handle dist, double gain, bool aim, double view_distance, int display_height,
                   double noise_weight, nb::handle target) {
  const PlaneArgument first(ref, "ref");
  const PlaneArgument second(dist, "dist");
  check_alike(first, "ref", second, "dist");
  check_sides(first.size(), "ref", float_adm::kMinSide);
  if (!(gain >= 1.0 && gain <= 100.0)) throw nb::value_error("gain: wanted a limit from 1 to 100");
  if (!(noise_weight >= 0.0 && noise_weight <= 1500.0)) throw nb::value_error("noise_weight: wanted 0 to 1500");
  if (!(view_distance >= 0.75 && view_distance <= 24.0 && display_height >= 1 && display_height <= 4320)) {
    throw nb::value_error("view_distance: wanted 0.75 to 24; display_height: wanted 1 to 4320");
  }
  float_adm::Options options{static_cast<float>(gain), aim, {}};
  float_adm::set_weights(view_distance, display_height, options);
  const float_adm::Table& kernels = float_adm::table(pick_target(target));
  float_adm::Sums sums[float_adm::kScales] = {};
  {
    const Unlocked unlocked;
    std::byte* const memory = workspace(kernels.workspace_bytes(first.size()));
    first.is_wide() ? kernels.u16(first.view<std::uint16_t>(), second.view<std::uint16_t>(), first.size(),
                                  first.bit_depth(), options, memory, sums)
                    : kernels.u8(first.view<std::uint8_t>(), second.view<std::uint8_t>(), first.size(),
                                 first.bit_depth(), options, memory, sums);
  }
  nb::list scales;
  for (int scale = 0; scale < float_adm::kScales; ++scale) {
    const float_adm::Terms made = float_adm::terms(sums[scale], noise_weight, scale, first.size());
    scales.append(nb::make_tuple(made.num, made.den, made.aim));
  }
  return scales;
}

float float_motion(nb::handle previous, nb::handle current, nb::handle target) {
  const PlaneArgument before(previous, "previous");
  const PlaneArgument now(current, "current");
  check_alike(before, "previous", now, "current");
  check_sides(now.size(), "current", float_motion::kMinSide);
  const float_motion::Table& kernels = float_motion::table(pick_target(target));
  const Unlocked unlocked;
  std::byte* const memory = workspace(float_motion::workspace_bytes(now.size()));
  return now.is_wide()
             ? kernels.u16(before.view<std::uint16_t>(), now.view<std::uint16_t>(), now.size(), now.bit_depth(), memory)
             : kernels.u8(before.view<std::uint8_t>(), now.view<std::uint8_t>(), now.size(), now.bit_depth(), memory);
}

constexpr const char* kFloatMotionDoc =
    R"(Mean absolute difference of two low-passed luma planes in single precision, as libvmaf's `float_motion` measures it.

Releases the GIL; any number of threads may call at once.

Args:
    previous, current: planes of the same size (at least 3x3) and bit depth; samples in the range of the bit depth.
    target: a level of `targets()` to force.

Returns:
    Levels of 8 bits, 0 to 255.

Raises:
    ShapeMismatch: the planes differ in size or bit depth.
    TooSmall: a side is shorter than 3.
    NotAPlane, TargetUnavailable: as in `sse`.)";

constexpr const char* kFloatAdmDoc =
    R"(Detail loss at four scales, in single precision, as libvmaf's `float_adm` measures it.

Equal to libvmaf's up to its quotients, which processors approximate: to about 7 digits. Releases the GIL; any number of
threads may call at once.

Args:
    ref, dist: luma planes of the same size (at least 17x17) and bit depth; samples in the range of the bit depth.
    gain: limit of the enhancement gain, 1 to 100: 100 is VMAF's default, 1 is VMAF NEG.
    aim: also measure what the distortion added.
    view_distance: of the viewer, in heights of the display, whose lines are `display_height`.
    noise_weight: of the noise in every band, 0 to 1500.
    target: a level of `targets()` to force.

Returns:
    Per scale (numerator, denominator, numerator of AIM).

Raises:
    ShapeMismatch: the planes differ in size or bit depth.
    TooSmall: a side is shorter than 17.
    ValueError: an option is out of range.
    NotAPlane, TargetUnavailable: as in `sse`.)";

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
  module.def("float_adm", float_adm, "ref"_a.none(), "dist"_a.none(), "gain"_a = 100.0, nb::kw_only(), "aim"_a = false,
             "view_distance"_a = 3.0, "display_height"_a = 1080, "noise_weight"_a = 0.03125, "target"_a = nb::none(),
             kFloatAdmDoc);
  module.def("float_motion", float_motion, "previous"_a.none(), "current"_a.none(), nb::kw_only(),
             "target"_a = nb::none(), kFloatMotionDoc);
  module.def("float_vif", float_vif, "ref"_a.none(), "dist"_a.none(), "gains"_a = nb::make_tuple(100.0), nb::kw_only(),
             "target"_a = nb::none(), kFloatVifDoc);
}

}  // namespace cinemill::bindings
