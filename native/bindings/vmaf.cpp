// Bindings of the features of VMAF v0. Their kernels need workspaces, which live as long as the thread that calls.
#include "bindings/vmaf.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "bindings/arguments.h"
#include "bindings/unlocked.h"
#include "kernels/adm/adm.h"
#include "kernels/motion/motion.h"
#include "kernels/vif/vif.h"

namespace cinemill::bindings {
namespace {

constexpr std::size_t kAlign = 64;

// Memory that grows to the largest kernel's wish.
class Workspace {
 public:
  std::byte* at_least(std::size_t bytes) {
    if (bytes > size_) {
      memory_.reset();
      size_ = 0;
      memory_.reset(static_cast<std::byte*>(::operator new(bytes, std::align_val_t{kAlign})));
      size_ = bytes;
    }
    return memory_.get();
  }

 private:
  struct Delete {
    void operator()(std::byte* memory) const noexcept { ::operator delete(memory, std::align_val_t{kAlign}); }
  };
  std::unique_ptr<std::byte, Delete> memory_;
  std::size_t size_ = 0;
};

}  // namespace

std::byte* workspace(std::size_t bytes) {
  thread_local Workspace mine;
  return mine.at_least(bytes);
}

void check_sides(Size size, const char* role, int least) {
  if (std::min(size.width, size.height) >= least) return;
  raise("TooSmall", std::string(role) + ": wanted sides of at least " + std::to_string(least) + " samples, got " +
                        std::to_string(size.width) + "x" + std::to_string(size.height) +
                        "; the filters of this feature do not fit; scale the picture up, or use another metric");
}

std::vector<double> gain_limits(nb::sequence gains, int most) {
  std::vector<double> limits;
  for (const nb::handle item : gains) limits.push_back(nb::cast<double>(item));
  const bool in_range =
      std::all_of(limits.begin(), limits.end(), [](double limit) { return limit >= 1.0 && limit <= 100.0; });
  if (limits.empty() || limits.size() > static_cast<std::size_t>(most) || !in_range) {
    throw nb::value_error(("gains: wanted 1 to " + std::to_string(most) + " limits from 1 to 100").c_str());
  }
  return limits;
}

namespace {

std::uint64_t motion_sad(nb::handle previous, nb::handle current, nb::handle target) {
  const PlaneArgument before(previous, "previous");
  const PlaneArgument now(current, "current");
  check_alike(before, "previous", now, "current");
  check_sides(now.size(), "current", motion::kMinSide);
  const motion::Table& kernels = motion::table(pick_target(target));
  const Unlocked unlocked;
  std::byte* const memory = workspace(motion::workspace_bytes(now.size()));
  return now.is_wide()
             ? kernels.u16(before.view<std::uint16_t>(), now.view<std::uint16_t>(), now.size(), now.bit_depth(), memory)
             : kernels.u8(before.view<std::uint8_t>(), now.view<std::uint8_t>(), now.size(), now.bit_depth(), memory);
}

nb::list vif_result(const vif::Sums* sums, int gains) {
  nb::list scales;
  for (int scale = 0; scale < vif::kScales; ++scale) {
    nb::list terms;
    nb::list logs;
    for (int gain = 0; gain < gains; ++gain) {
      const vif::Terms made = vif::terms(sums[scale], gain);
      terms.append(nb::make_tuple(made.num, made.den));
      logs.append(sums[scale].num_log[gain]);
    }
    const nb::tuple raw =
        nb::make_tuple(nb::tuple(logs), sums[scale].den_log, sums[scale].flat_energy, sums[scale].flat);
    scales.append(nb::make_tuple(nb::tuple(terms), raw));
  }
  return scales;
}

nb::list vif(nb::handle ref, nb::handle dist, nb::sequence gains, nb::handle target) {
  const PlaneArgument first(ref, "ref");
  const PlaneArgument second(dist, "dist");
  check_alike(first, "ref", second, "dist");
  check_sides(first.size(), "ref", vif::kMinSide);
  const std::vector<double> limits = gain_limits(gains, vif::kMaxGains);
  vif::Gains wanted{static_cast<int>(limits.size()), {}};
  std::copy(limits.begin(), limits.end(), wanted.limit);
  const vif::Table& kernels = vif::table(pick_target(target));
  vif::Sums sums[vif::kScales] = {};
  {
    const Unlocked unlocked;
    std::byte* const memory = workspace(vif::workspace_bytes(first.size()));
    first.is_wide() ? kernels.u16(first.view<std::uint16_t>(), second.view<std::uint16_t>(), first.size(),
                                  first.bit_depth(), wanted, memory, sums)
                    : kernels.u8(first.view<std::uint8_t>(), second.view<std::uint8_t>(), first.size(),
                                 first.bit_depth(), wanted, memory, sums);
  }
  return vif_result(sums, wanted.count);
}

template <class Sum>
nb::tuple three(const Sum* sums) {
  return nb::make_tuple(sums[0], sums[1], sums[2]);
}

nb::list adm_result(const adm::Sums* sums, const adm::Viewing& viewing, int gains, Size size) {
  nb::list scales;
  for (int scale = 0; scale < adm::kScales; ++scale) {
    nb::list terms;
    nb::list nums;
    nb::list aims;
    for (int gain = 0; gain < gains; ++gain) {
      const adm::Terms made = adm::terms(sums[scale], viewing, scale, gain, size);
      terms.append(nb::make_tuple(made.num, made.den, made.aim));
      nums.append(three(sums[scale].num[gain]));
      aims.append(three(sums[scale].aim[gain]));
    }
    const nb::tuple raw = nb::make_tuple(nb::tuple(nums), three(sums[scale].den), nb::tuple(aims));
    scales.append(nb::make_tuple(nb::tuple(terms), raw));
  }
  return scales;
}

adm::Viewing viewing_of(int csf_mode, double distance, int lines, double noise_weight) {
  const bool known = csf_mode == 0 || (csf_mode == 2 && adm::has_blended(distance, lines));
  if (!known) {
    throw nb::value_error(
        "csf_mode: wanted 0, or 2 with a display of 1080 lines at 3 or 5 heights or of 2160 lines at 1.5, 3 or 5");
  }
  if (distance * lines < adm::kLeastLines) {
    throw nb::value_error("view_distance * display_height: wanted at least 3 * 1080 (the arithmetic has 16 bits)");
  }
  if (!(noise_weight >= 0.0 && noise_weight <= 1500.0)) throw nb::value_error("noise_weight: wanted 0 to 1500");
  return {static_cast<adm::Csf>(csf_mode), distance, lines, noise_weight};
}

nb::list adm(nb::handle ref, nb::handle dist, nb::sequence gains, bool aim, int csf_mode, double view_distance,
             int display_height, double noise_weight, nb::handle target) {
  const PlaneArgument first(ref, "ref");
  const PlaneArgument second(dist, "dist");
  check_alike(first, "ref", second, "dist");
  check_sides(first.size(), "ref", adm::kMinSide);
  const std::vector<double> limits = gain_limits(gains, adm::kMaxGains);
  const adm::Viewing viewing = viewing_of(csf_mode, view_distance, display_height, noise_weight);
  adm::Options options{static_cast<int>(limits.size()), {}, aim, viewing};
  std::copy(limits.begin(), limits.end(), options.gain_limit);
  const adm::Table& kernels = adm::table(pick_target(target));
  adm::Sums sums[adm::kScales] = {};
  {
    const Unlocked unlocked;
    std::byte* const memory = workspace(kernels.workspace_bytes(first.size()));
    first.is_wide() ? kernels.u16(first.view<std::uint16_t>(), second.view<std::uint16_t>(), first.size(),
                                  first.bit_depth(), options, memory, sums)
                    : kernels.u8(first.view<std::uint8_t>(), second.view<std::uint8_t>(), first.size(),
                                 first.bit_depth(), options, memory, sums);
  }
  return adm_result(sums, viewing, options.gains, first.size());
}

constexpr const char* kMotionDoc =
    R"(Sum of absolute differences of the low-passed difference of two luma planes, exact.

libvmaf's motion feature is this / 256 / (width * height). Releases the GIL; any number of threads may call at once.

Args:
    previous, current: planes of the same size (at least 3x3) and bit depth; samples in the range of the bit depth.
    target: a level of `targets()` to force.

Raises:
    ShapeMismatch: the planes differ in size or bit depth.
    TooSmall: a side is shorter than 3.
    NotAPlane, TargetUnavailable: as in `sse`.)";

constexpr const char* kVifDoc = R"(Visual information fidelity at four scales, in libvmaf's integer arithmetic.

Releases the GIL; any number of threads may call at once.

Args:
    ref, dist: luma planes of the same size (at least 17x17) and bit depth; samples in the range of the bit depth.
    gains: one or two limits of the enhancement gain, 1 to 100: 100 is VMAF's default, 1 is VMAF NEG.
    target: a level of `targets()` to force.

Returns:
    Per scale (terms, sums). `terms` has (numerator, denominator) per gain, single precision; their quotient in single
    precision is libvmaf's vif_scale. `sums` are the exact integers behind them: (sums of logarithms per gain, of the
    denominator's logarithms, of flat samples' variance, number of flat samples).

Raises:
    ShapeMismatch: the planes differ in size or bit depth.
    TooSmall: a side is shorter than 17.
    ValueError: gains are out of range.
    NotAPlane, TargetUnavailable: as in `sse`.)";

constexpr const char* kAdmDoc = R"(Detail loss at four scales, in libvmaf's integer arithmetic.

Releases the GIL; any number of threads may call at once.

Args:
    ref, dist: luma planes of the same size (at least 17x17) and bit depth; samples in the range of the bit depth.
    gains: one or two limits of the enhancement gain, 1 to 100: 100 is VMAF's default, 1 is VMAF NEG.
    aim: also measure what the distortion added.
    csf_mode: contrast sensitivity: 0 Watson 1997, 2 Barten and Watson blended (VMAF v1; 1080 lines at 3 or 5 heights,
        2160 at 1.5, 3 or 5).
    view_distance: of the viewer, in heights of the display, whose lines are `display_height`; their product is at
        least 3240.
    noise_weight: of the noise in every band, 0 to 1500.
    target: a level of `targets()` to force.

Returns:
    Per scale (terms, sums). `terms` has (numerator, denominator, numerator of AIM) per gain, single precision.
    `sums` are the exact integers behind them: (numerators per gain and band, denominator per band, AIM per gain and
    band).

Raises:
    ShapeMismatch: the planes differ in size or bit depth.
    TooSmall: a side is shorter than 17.
    ValueError: gains or the display are out of range.
    NotAPlane, TargetUnavailable: as in `sse`.)";

}  // namespace

void add_vmaf(nb::module_& module) {
  using namespace nb::literals;
  module.def("motion_sad", motion_sad, "previous"_a.none(), "current"_a.none(), nb::kw_only(), "target"_a = nb::none(),
             kMotionDoc);
  module.def("vif", vif, "ref"_a.none(), "dist"_a.none(), "gains"_a = nb::make_tuple(100.0), nb::kw_only(),
             "target"_a = nb::none(), kVifDoc);
  module.def("adm", adm, "ref"_a.none(), "dist"_a.none(), "gains"_a = nb::make_tuple(100.0), nb::kw_only(),
             "aim"_a = false, "csf_mode"_a = 0, "view_distance"_a = 3.0, "display_height"_a = 1080,
             "noise_weight"_a = 0.03125, "target"_a = nb::none(), kAdmDoc);
}

}  // namespace cinemill::bindings
