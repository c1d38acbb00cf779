#include "kernels/target.h"

#include <algorithm>
#include <array>
#include <utility>

namespace cinemill {
namespace {

constexpr std::array kNames = {
    std::pair{Target::scalar, std::string_view{"scalar"}},
    std::pair{Target::avx2, std::string_view{"avx2"}},
};

std::vector<Target> detect() {
  std::vector<Target> found = {Target::scalar};
#if CINEMILL_HAVE_AVX2
  // The builtin asks CPUID and also XGETBV: the operating system must save the upper register halves.
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2")) {
    found.push_back(Target::avx2);
  }
#endif
  return found;
}

}  // namespace

std::string_view name(Target target) noexcept {
  const auto* entry =
      std::find_if(kNames.begin(), kNames.end(), [target](const auto& pair) { return pair.first == target; });
  return entry->second;
}

std::optional<Target> parse_target(std::string_view text) noexcept {
  for (const auto& [target, label] : kNames) {
    if (label == text) return target;
  }
  return std::nullopt;
}

const std::vector<Target>& available_targets() {
  static const std::vector<Target> targets = detect();
  return targets;
}

bool is_available(Target target) {
  const auto& targets = available_targets();
  return std::find(targets.begin(), targets.end(), target) != targets.end();
}

}  // namespace cinemill
