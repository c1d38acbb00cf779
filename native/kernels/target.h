// Instruction-set levels ("targets") of the kernels, and which of them this processor can run.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

// Functions for a level above the compiler's baseline carry such an attribute; no file is compiled with -mavx2.
// Reason: an inline function that such a file instantiates (std::min, say) may be the copy that the linker keeps for
// the whole program, which then dies with SIGILL on an older processor. An attribute ends with its function.
// Helpers that take or return vectors need the same attribute and `static inline`, or they are not inlined.
#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#define CINEMILL_HAVE_AVX2 1
#define CINEMILL_AVX2 __attribute__((target("avx2,bmi,bmi2")))
#else
#define CINEMILL_HAVE_AVX2 0
#endif

namespace cinemill {

// In rising order. Table builders compare with `>=`: a kernel without code for a level uses the next lower one.
enum class Target { scalar, avx2 };
inline constexpr std::size_t kTargets = 2;

// Name as users write it: "scalar", "avx2".
std::string_view name(Target target) noexcept;

// The target of that name; nothing for an unknown name.
std::optional<Target> parse_target(std::string_view text) noexcept;

// The levels that were compiled in and that this processor and operating system support, in rising order.
// Never empty: scalar is always there. Decided once, at the first call; thread-safe.
const std::vector<Target>& available_targets();

bool is_available(Target target);

// One function table per target, in order of rising level; for the static tables of the dispatch files.
template <class Table>
constexpr std::array<Table, kTargets> tables(Table (*make)(Target)) {
  return {make(Target::scalar), make(Target::avx2)};
}

}  // namespace cinemill
