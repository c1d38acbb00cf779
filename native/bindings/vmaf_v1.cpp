// Bindings of the features that came with VMAF v1, and of SSIM.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "bindings/arguments.h"
#include "bindings/unlocked.h"
#include "bindings/vmaf.h"
#include "kernels/cambi/cambi.h"
#include "kernels/speed/speed.h"
#include "kernels/ssim/ssim.h"

namespace cinemill::bindings {
namespace {

void require(bool fits, const char* wanted) {
  if (!fits) throw nb::value_error(wanted);
}

cambi::Options cambi_options(Size size, bool smooth, bool halve, int window, nb::sequence highest, int dark,
                             double top) {
  cambi::Options options{size, smooth, halve, window, static_cast<int>(nb::len(highest)), {}, dark, top};
  require(options.steps >= 1 && options.steps <= cambi::kMaxSteps, "highest: wanted 1 to 32 levels");
  require(window >= 1 && window <= cambi::kMaxWindow && window % 2 == 1, "window: wanted an odd number up to 255");
  require(dark >= 0 && dark < cambi::kLevels, "dark: wanted a level from 0 to 1024");
  require(top > 0 && top <= 1, "top: wanted a share above 0, up to 1");
  for (int step = 0; step < options.steps; ++step) {
    const int level = nb::cast<int>(highest[step]);
    const int before = step ? options.highest[step - 1] : 0;
    require(level >= before && level < 1024, "highest: wanted rising levels from 0 to 1023");
    options.highest[step] = static_cast<std::uint16_t>(level);
  }
  return options;
}

nb::tuple cambi(nb::handle plane, int width, int height, bool smooth, bool halve, int window, nb::sequence highest,
                int dark, double top, nb::handle target) {
  const PlaneArgument source(plane, "plane");
  check_sides(source.size(), "plane", cambi::kMinSide);
  require(width >= cambi::kMinSide && height >= cambi::kMinSide && width <= kMaxSide && height <= kMaxSide,
          "width, height: wanted at least 16");
  const cambi::Options options = cambi_options({width, height}, smooth, halve, window, highest, dark, top);
  const cambi::Table& kernels = cambi::table(pick_target(target));
  double scores[cambi::kScales] = {};
  {
    const Unlocked unlocked;
    std::byte* const memory = workspace(kernels.workspace_bytes(options));
    source.is_wide()
        ? kernels.u16(source.view<std::uint16_t>(), source.size(), source.bit_depth(), options, memory, scores)
        : kernels.u8(source.view<std::uint8_t>(), source.size(), source.bit_depth(), options, memory, scores);
  }
  return nb::make_tuple(scores[0], scores[1], scores[2], scores[3], scores[4]);
}

nb::tuple speed(nb::handle ref, nb::handle dist, int width, int height, double noise, double noise_floor, int weighting,
                nb::handle target) {
  const PlaneArgument first(ref, "ref");
  const PlaneArgument second(dist, "dist");
  check_alike(first, "ref", second, "dist");
  const speed::Options options{{width, height}, static_cast<float>(noise), static_cast<float>(noise_floor), weighting};
  require(width >= 1 && height >= 1 && width <= kMaxSide && height <= kMaxSide, "width, height: wanted at least 80");
  check_sides(options.size, "chroma as it is measured", speed::kMinSide);
  require(weighting >= 0 && weighting < speed::kWeightings, "weighting: wanted 0 to 6");
  require(noise > 0 && noise_floor >= 0, "noise: wanted above 0, noise_floor: at least 0");
  const speed::Table& kernels = speed::table(pick_target(target));
  speed::Result found{};
  {
    const Unlocked unlocked;
    std::byte* const memory = workspace(speed::workspace_bytes(first.size(), options));
    found = first.is_wide() ? kernels.u16(first.view<std::uint16_t>(), second.view<std::uint16_t>(), first.size(),
                                          first.bit_depth(), options, memory)
                            : kernels.u8(first.view<std::uint8_t>(), second.view<std::uint8_t>(), first.size(),
                                         first.bit_depth(), options, memory);
  }
  return nb::make_tuple(found.score, found.singular);
}

nb::list ssim(nb::handle ref, nb::handle dist, int scales, nb::handle target) {
  const PlaneArgument first(ref, "ref");
  const PlaneArgument second(dist, "dist");
  check_alike(first, "ref", second, "dist");
  require(scales == 1 || scales == ssim::kMostScales, "scales: wanted 1 or 5");
  check_sides(first.size(), "ref", ssim::least_side(scales));
  const ssim::Table& kernels = ssim::table(pick_target(target));
  ssim::Means means[ssim::kMostScales] = {};
  {
    const Unlocked unlocked;
    std::byte* const memory = workspace(ssim::workspace_bytes(first.size()));
    first.is_wide() ? kernels.u16(first.view<std::uint16_t>(), second.view<std::uint16_t>(), first.size(),
                                  first.bit_depth(), scales, memory, means)
                    : kernels.u8(first.view<std::uint8_t>(), second.view<std::uint8_t>(), first.size(),
                                 first.bit_depth(), scales, memory, means);
  }
  nb::list found;
  for (int scale = 0; scale < scales; ++scale) {
    const ssim::Means& mean = means[scale];
    found.append(nb::make_tuple(mean.similarity, mean.luminance, mean.contrast, mean.structure));
  }
  return found;
}

constexpr const char* kCambiDoc =
    R"(Banding of a luma plane at five scales, finest first, as libvmaf's CAMBI measures it.

Releases the GIL; any number of threads may call at once.

Args:
    plane: luma, at least 16x16; samples in the range of the bit depth.
    width, height: size of the encode, at least 16x16; samples are picked where it differs from the plane's.
    smooth: average 2x2 samples first (encodes of less than 10 bits).
    halve: begin at half the size.
    window: side of the square in which levels are counted, odd, up to 255.
    highest: level (10 bits) up to which a step of 1, 2 ... levels is visible, rising.
    dark: level up to which nothing is visible.
    top: share of the samples, the most banded ones, that the means are taken of.
    target: a level of `targets()` to force.

Returns:
    The mean contrast of the five scales.

Raises:
    TooSmall: a side is shorter than 16.
    ValueError: an option is out of range.
    NotAPlane, TargetUnavailable: as in `sse`.)";

constexpr const char* kSpeedDoc = R"(SpEED-QA of one chroma plane, as libvmaf's `speed_chroma` measures it.

Releases the GIL; any number of threads may call at once.

Args:
    ref, dist: planes of the same size and bit depth.
    width, height: size to which they are resized (bilinear) first, at least 80x80.
    noise: deviation of neural noise.
    noise_floor: share of it below which nothing is seen.
    weighting: of variances, 0 to 6; VMAF v1 uses 5.
    target: a level of `targets()` to force.

Returns:
    (score, whether a plane's covariances were singular: it is flat; the score is 0 if that is so of one plane only).

Raises:
    ShapeMismatch: the planes differ in size or bit depth.
    TooSmall: a side of the size is shorter than 80.
    ValueError: an option is out of range.
    NotAPlane, TargetUnavailable: as in `sse`.)";

constexpr const char* kSsimDoc =
    R"(Structural similarity of two luma planes, as libvmaf's `float_ssim` and `float_ms_ssim` measure it.

Releases the GIL; any number of threads may call at once.

Args:
    ref, dist: planes of the same size (at least 11x11, or 176x176 for five scales) and bit depth.
    scales: 1, after averaging down to about 256 lines; or 5, from full size on, each half the one before.
    target: a level of `targets()` to force.

Returns:
    Per scale the means of similarity, luminance, contrast and structure, single precision.

Raises:
    ShapeMismatch: the planes differ in size or bit depth.
    TooSmall: a side is too short.
    ValueError: scales is neither 1 nor 5.
    NotAPlane, TargetUnavailable: as in `sse`.)";

}  // namespace

void add_vmaf_v1(nb::module_& module) {
  using namespace nb::literals;
  module.def("cambi", cambi, "plane"_a.none(), nb::kw_only(), "width"_a, "height"_a, "smooth"_a, "halve"_a, "window"_a,
             "highest"_a, "dark"_a, "top"_a = 0.6, "target"_a = nb::none(), kCambiDoc);
  module.def("speed", speed, "ref"_a.none(), "dist"_a.none(), nb::kw_only(), "width"_a, "height"_a, "noise"_a = 0.29,
             "noise_floor"_a = 0.0, "weighting"_a = 0, "target"_a = nb::none(), kSpeedDoc);
  module.def("ssim", ssim, "ref"_a.none(), "dist"_a.none(), "scales"_a = 1, nb::kw_only(), "target"_a = nb::none(),
             kSsimDoc);
}

}  // namespace cinemill::bindings
