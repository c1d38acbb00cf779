// The kernels without Python, for the sanitizers (`make sanitize`): every target against scalar.
//
// tests/native/ proves the numbers against numpy; what it cannot see is a read outside a plane that does no harm. Here
// each plane lies in a heap block of its exact size, so that AddressSanitizer reports the first byte read too many, and
// rows are padded with values that would change every result.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <random>
#include <string>
#include <vector>

#include "kernels/adm/adm.h"
#include "kernels/block_motion/block_motion.h"
#include "kernels/cambi/cambi.h"
#include "kernels/float_adm/float_adm.h"
#include "kernels/float_motion/float_motion.h"
#include "kernels/float_vif/float_vif.h"
#include "kernels/histogram/histogram.h"
#include "kernels/histogram_sad/histogram_sad.h"
#include "kernels/inspect/inspect.h"
#include "kernels/motion/motion.h"
#include "kernels/row_sad/row_sad.h"
#include "kernels/sad/sad.h"
#include "kernels/speed/speed.h"
#include "kernels/sse/sse.h"
#include "kernels/ssim/ssim.h"
#include "kernels/thumbnail/thumbnail.h"
#include "kernels/vif/vif.h"

namespace {

using namespace cinemill;

std::mt19937 generator(20240607);  // fixed seed: a failure can be repeated
int checks = 0;

enum class Pattern { random, zeros, peaks, checkerboard };
constexpr Pattern kPatterns[] = {Pattern::random, Pattern::zeros, Pattern::peaks, Pattern::checkerboard};

template <class T>
T sample(Pattern pattern, int x, int y) {
  constexpr T peak = std::numeric_limits<T>::max();
  switch (pattern) {
    case Pattern::random:
      return static_cast<T>(generator());
    case Pattern::zeros:
      return 0;
    case Pattern::peaks:
      return peak;
    default:
      return (x + y) % 2 ? peak : T{0};
  }
}

// A plane in memory that ends with its last sample (or, upside down, begins with it: the stride is negative).
template <class T>
class TestPlane {
 public:
  TestPlane(Size size, int padding, bool upside_down, Pattern pattern)
      : pitch_(size.width + padding),
        memory_(static_cast<std::size_t>(pitch_) * static_cast<std::size_t>(size.height - 1) +
                static_cast<std::size_t>(size.width)),
        stride_(static_cast<std::ptrdiff_t>(sizeof(T)) * (upside_down ? -pitch_ : pitch_)),
        first_(upside_down ? memory_.data() + std::ptrdiff_t{pitch_} * (size.height - 1) : memory_.data()) {
    for (std::size_t i = 0; i < memory_.size(); ++i) {
      const int x = static_cast<int>(i % static_cast<std::size_t>(pitch_));
      const int y = static_cast<int>(i / static_cast<std::size_t>(pitch_));
      memory_[i] = x < size.width ? sample<T>(pattern, x, y) : static_cast<T>(generator());
    }
  }

  PlaneView<T> view() const { return {first_, stride_}; }

 private:
  int pitch_;
  std::vector<T> memory_;
  std::ptrdiff_t stride_;
  const T* first_;
};

void require(bool equal, const char* kernel, Target target, Size size, std::size_t sample_bytes) {
  ++checks;
  if (equal) return;
  const std::string level(name(target));
  std::fprintf(stderr, "%s[%s] differs from scalar: %dx%d, %zu bytes a sample\n", kernel, level.c_str(), size.width,
               size.height, sample_bytes);
  std::exit(1);
}

// The function of a table for the sample type.
template <class T, class Table>
auto of(const Table& table) {
  if constexpr (sizeof(T) == 1) {
    return table.u8;
  } else {
    return table.u16;
  }
}

template <class T>
void check_sums(PlaneView<T> a, PlaneView<T> b, Size size, Target target) {
  require(of<T>(sse::table(target))(a, b, size) == of<T>(sse::table(Target::scalar))(a, b, size), "sse", target, size,
          sizeof(T));
  require(of<T>(sad::table(target))(a, b, size) == of<T>(sad::table(Target::scalar))(a, b, size), "sad", target, size,
          sizeof(T));
}

template <class T>
void check_histograms(PlaneView<T> a, PlaneView<T> b, Size size, Target target, histogram::Bins bins) {
  const auto length = static_cast<std::size_t>(bins.count);
  std::vector<std::uint32_t> expected(length, 1);
  std::vector<std::uint32_t> got(length, 2);  // must be overwritten
  std::vector<std::uint32_t> fused(length, 3);
  of<T>(histogram::table(Target::scalar))(a, size, bins, expected.data());
  of<T>(histogram::table(target))(a, size, bins, got.data());
  require(got == expected, "histogram", target, size, sizeof(T));
  const std::uint64_t sum = of<T>(histogram_sad::table(target))(a, b, size, bins, fused.data());
  require(fused == expected && sum == of<T>(sad::table(Target::scalar))(a, b, size), "histogram_sad", target, size,
          sizeof(T));
}

template <class T>
void check_thumbnail(PlaneView<T> plane, Size size, Target target, thumbnail::Grid grid) {
  const auto length = static_cast<std::size_t>(grid.rows * grid.columns);
  std::vector<std::uint8_t> expected(length, 1);
  std::vector<std::uint8_t> got(length, 2);  // must be overwritten
  of<T>(thumbnail::table(Target::scalar))(plane, size, grid, expected.data());
  of<T>(thumbnail::table(target))(plane, size, grid, got.data());
  require(got == expected, "thumbnail", target, size, sizeof(T));
}

// `small` is chroma of half the width, so that the last column of luma stands alone.
template <class T>
void check_inspection(PlaneView<T> a, PlaneView<T> b, Size size, Target target) {
  const Size small = {(size.width + 1) / 2, size.height};
  const inspect::LumaSettings luma = {static_cast<int>(8 * sizeof(T)) - 8, 40, 20};
  const inspect::ChromaSettings chroma = {1, 0, 16, 128, 0.0045F, 0.007F, 0.0008F, 0.0021F, 0.0083F};
  std::vector<std::byte> workspace(inspect::kWorkspace);
  const auto run = [&](Target level, const PlaneView<T> previous, inspect::Luma* first, inspect::Chroma* second) {
    const inspect::Table& kernels = inspect::table(level);
    if constexpr (sizeof(T) == 1) {
      kernels.luma_u8(a, previous, size, luma, workspace.data(), first);
      kernels.chroma_u8(a, b, b, small, chroma, second);
    } else {
      kernels.luma_u16(a, previous, size, luma, workspace.data(), first);
      kernels.chroma_u16(a, b, b, small, chroma, second);
    }
  };
  for (const PlaneView<T> previous : {b, PlaneView<T>{}}) {
    inspect::Luma luma_wanted, luma_got;
    inspect::Chroma chroma_wanted, chroma_got;
    run(Target::scalar, previous, &luma_wanted, &chroma_wanted);
    run(target, previous, &luma_got, &chroma_got);
    require(std::memcmp(&luma_wanted, &luma_got, sizeof luma_got) == 0 &&
                std::memcmp(&chroma_wanted, &chroma_got, sizeof chroma_got) == 0,
            "inspect", target, size, sizeof(T));
  }
}

void check_thumbnails(Size size) {
  const auto length = static_cast<std::size_t>(size.width * size.height);
  for (const Pattern pattern : kPatterns) {
    std::vector<std::uint8_t> current(length);
    std::vector<std::uint8_t> previous(length);
    for (std::size_t i = 0; i < length; ++i) {
      current[i] = sample<std::uint8_t>(pattern, static_cast<int>(i) % size.width, static_cast<int>(i) / size.width);
      previous[i] = sample<std::uint8_t>(Pattern::random, 0, 0);
    }
    for (const Target target : available_targets()) {
      const auto rows = static_cast<std::size_t>(size.height);
      std::vector<std::uint32_t> expected(rows, 1);
      std::vector<std::uint32_t> sums(rows, 2);  // must be overwritten
      row_sad::scalar::u8(current.data(), previous.data(), rows, size.width, expected.data());
      row_sad::kernel(target)(current.data(), previous.data(), rows, size.width, sums.data());
      require(sums == expected, "row_sad", target, size, 1);
      const auto wanted = block_motion::scalar::u8(current.data(), previous.data(), size.width, size.height);
      const auto got = block_motion::kernel(target)(current.data(), previous.data(), size.width, size.height);
      require(got == wanted, "block_motion", target, size, 1);
    }
  }
}

template <class T>
void check_size(Size size, int padding, bool upside_down) {
  constexpr int kBits = static_cast<int>(8 * sizeof(T));
  for (const Pattern pattern_a : kPatterns) {
    for (const Pattern pattern_b : {Pattern::random, Pattern::peaks}) {
      const TestPlane<T> a(size, padding, upside_down, pattern_a);
      const TestPlane<T> b(size, padding + 3, false, pattern_b);
      for (const Target target : available_targets()) {
        check_sums(a.view(), b.view(), size, target);
        check_histograms(a.view(), b.view(), size, target, {256, kBits - 8});
        check_histograms(a.view(), b.view(), size, target, {2, kBits - 1});
        check_thumbnail(a.view(), size, target, {2, 5, kBits - 8});
        check_thumbnail(a.view(), size, target, {1, 1, 0});
        const bool inspected = size.width >= inspect::kMinSide && size.width <= inspect::kMaxWidth;
        if (inspected && size.height >= inspect::kMinSide) check_inspection(a.view(), b.view(), size, target);
        // A 10-bit plane with samples that are out of its range: they count in the last bin.
        if constexpr (sizeof(T) == 2) check_histograms(a.view(), b.view(), size, target, {1024, 0});
      }
    }
  }
}

// A workspace of exactly the size that was asked for.
class Workspace {
 public:
  explicit Workspace(std::size_t bytes) : memory_(static_cast<std::byte*>(::operator new(bytes, kAlign))) {
    std::memset(memory_, 0xA5, bytes);  // kernels must not count on zeros
  }
  ~Workspace() { ::operator delete(memory_, kAlign); }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  std::byte* get() const { return memory_; }

 private:
  static constexpr std::align_val_t kAlign{64};
  std::byte* memory_;
};

template <class T>
std::uint64_t motion_of(PlaneView<T> a, PlaneView<T> b, Size size, int bit_depth, Target target) {
  const Workspace work(motion::workspace_bytes(size));
  return of<T>(motion::table(target))(a, b, size, bit_depth, work.get());
}

template <class T>
std::vector<vif::Sums> vif_of(PlaneView<T> a, PlaneView<T> b, Size size, int bit_depth, Target target) {
  const Workspace work(vif::workspace_bytes(size));
  std::vector<vif::Sums> sums(vif::kScales);
  of<T>(vif::table(target))(a, b, size, bit_depth, {2, {100, 1}}, work.get(), sums.data());
  return sums;
}

template <class T>
std::vector<adm::Sums> adm_of(PlaneView<T> a, PlaneView<T> b, Size size, int bit_depth, Target target) {
  const Workspace work(adm::table(target).workspace_bytes(size));
  std::vector<adm::Sums> sums(adm::kScales);
  of<T>(adm::table(target))(a, b, size, bit_depth, {2, {100, 1}, true}, work.get(), sums.data());
  return sums;
}

// Structures of integers only, without padding.
template <class S>
bool same(const std::vector<S>& a, const std::vector<S>& b) {
  return std::memcmp(a.data(), b.data(), sizeof(S) * a.size()) == 0;
}

template <class T>
std::vector<double> cambi_of(PlaneView<T> a, Size size, int bit_depth, Target target) {
  std::vector<double> scores;
  for (const bool halve : {false, true}) {
    const Size encode = halve ? size : Size{std::max(size.width - 1, cambi::kMinSide), size.height};
    const cambi::Options options{encode, bit_depth == 8,       halve,          halve ? 7 : cambi::kMaxWindow,
                                 4,      {178, 305, 432, 559}, halve ? 80 : 0, 0.6};
    const Workspace work(cambi::table(target).workspace_bytes(options));
    scores.resize(scores.size() + cambi::kScales);
    of<T>(cambi::table(target))(a, size, bit_depth, options, work.get(), &scores[scores.size() - cambi::kScales]);
  }
  return scores;
}

template <class T>
float speed_of(PlaneView<T> a, PlaneView<T> b, Size size, int bit_depth, Size resized, Target target) {
  const speed::Options options{resized, 0.19F, 0.1F, 5};
  const Workspace work(speed::workspace_bytes(size, options));
  return of<T>(speed::table(target))(a, b, size, bit_depth, options, work.get()).score;
}

template <class T>
std::vector<float_adm::Sums> float_adm_of(PlaneView<T> a, PlaneView<T> b, Size size, int bit_depth, Target target) {
  const float_adm::Table& kernels = float_adm::table(target);
  const Workspace work(kernels.workspace_bytes(size));
  float_adm::Options options{1.0F, true, {}};
  float_adm::set_weights(3.0, 1080, options);
  std::vector<float_adm::Sums> sums(float_adm::kScales);
  of<T>(kernels)(a, b, size, bit_depth, options, work.get(), sums.data());
  return sums;
}

template <class T>
float float_motion_of(PlaneView<T> a, PlaneView<T> b, Size size, int bit_depth, Target target) {
  const Workspace work(float_motion::workspace_bytes(size));
  return of<T>(float_motion::table(target))(a, b, size, bit_depth, work.get());
}

template <class T>
std::vector<float_vif::Sums> float_vif_of(PlaneView<T> a, PlaneView<T> b, Size size, int bit_depth, Target target) {
  const float_vif::Table& kernels = float_vif::table(target);
  const Workspace work(kernels.workspace_bytes(size));
  std::vector<float_vif::Sums> sums(float_vif::kScales);
  of<T>(kernels)(a, b, size, bit_depth, {2, {100.0F, 1.0F}}, work.get(), sums.data());
  return sums;
}

template <class T>
std::vector<ssim::Means> ssim_of(PlaneView<T> a, PlaneView<T> b, Size size, int bit_depth, int scales, Target target) {
  const Workspace work(ssim::workspace_bytes(size));
  std::vector<ssim::Means> means(static_cast<std::size_t>(scales));
  of<T>(ssim::table(target))(a, b, size, bit_depth, scales, work.get(), means.data());
  return means;
}

// What is not computed from the whole range of samples alone: sizes matter.
template <class T>
void check_v1(Size size, int padding, bool upside_down) {
  constexpr int kBits = static_cast<int>(8 * sizeof(T));
  constexpr Target kPlain = Target::scalar;
  for (const Pattern pattern : kPatterns) {
    const TestPlane<T> a(size, padding, upside_down, pattern);
    const TestPlane<T> b(size, padding + 3, false, Pattern::random);
    const auto r = a.view();
    const auto d = b.view();
    for (const Target target : available_targets()) {
      require(same(cambi_of(r, size, kBits, target), cambi_of(r, size, kBits, kPlain)), "cambi", target, size,
              sizeof(T));
      require(same(ssim_of(r, d, size, kBits, 1, target), ssim_of(r, d, size, kBits, 1, kPlain)), "ssim", target, size,
              sizeof(T));
    }
  }
}

template <class T>
void check_large(Size size) {
  constexpr int kBits = static_cast<int>(8 * sizeof(T));
  constexpr Target kPlain = Target::scalar;
  const TestPlane<T> a(size, 1, true, Pattern::random);
  const TestPlane<T> b(size, 0, false, Pattern::random);
  for (const Target target : available_targets()) {
    for (const Size resized : {size, Size{size.width * 3 / 5, size.height * 3 / 5}}) {
      require(speed_of(a.view(), b.view(), size, kBits, resized, target) ==
                  speed_of(a.view(), b.view(), size, kBits, resized, kPlain),
              "speed", target, size, sizeof(T));
    }
    for (const int scales : {1, ssim::kMostScales}) {
      require(same(ssim_of(a.view(), b.view(), size, kBits, scales, target),
                   ssim_of(a.view(), b.view(), size, kBits, scales, kPlain)),
              "ssim", target, size, sizeof(T));
    }
  }
}

template <class T>
void check_vmaf(Size size, int padding, bool upside_down) {
  constexpr int kBits = static_cast<int>(8 * sizeof(T));
  for (const Pattern pattern : kPatterns) {
    const TestPlane<T> a(size, padding, upside_down, pattern);
    const TestPlane<T> b(size, padding + 3, false, Pattern::random);
    const auto r = a.view();
    const auto d = b.view();
    for (const Target target : available_targets()) {
      constexpr Target kPlain = Target::scalar;
      require(motion_of(r, d, size, kBits, target) == motion_of(r, d, size, kBits, kPlain), "motion", target, size,
              sizeof(T));
      require(same(vif_of(r, d, size, kBits, target), vif_of(r, d, size, kBits, kPlain)), "vif", target, size,
              sizeof(T));
      require(same(float_adm_of(r, d, size, kBits, target), float_adm_of(r, d, size, kBits, kPlain)), "float_adm",
              target, size, sizeof(T));
      require(float_motion_of(r, d, size, kBits, target) == float_motion_of(r, d, size, kBits, kPlain), "float_motion",
              target, size, sizeof(T));
      require(same(float_vif_of(r, d, size, kBits, target), float_vif_of(r, d, size, kBits, kPlain)), "float_vif",
              target, size, sizeof(T));
      require(same(adm_of(r, d, size, kBits, target), adm_of(r, d, size, kBits, kPlain)), "adm", target, size,
              sizeof(T));
    }
  }
}

}  // namespace

int main() {
  for (int width = 1; width <= 65; ++width) {
    for (const int padding : {0, 1, 31}) {
      for (const bool upside_down : {false, true}) {
        check_size<std::uint8_t>({width, 3}, padding, upside_down);
        check_size<std::uint16_t>({width, 3}, padding, upside_down);
      }
    }
  }
  for (int side = 17; side <= 50; ++side) {
    for (const bool upside_down : {false, true}) {
      check_vmaf<std::uint8_t>({side, 21}, side % 3, upside_down);
      check_vmaf<std::uint8_t>({19, side}, side % 3, upside_down);
      check_vmaf<std::uint16_t>({side, 21}, side % 3, upside_down);
      check_vmaf<std::uint16_t>({19, side}, side % 3, upside_down);
    }
  }
  for (int side = 16; side <= 50; ++side) {
    check_v1<std::uint8_t>({side, 17}, side % 3, side % 2 == 0);
    check_v1<std::uint16_t>({19, side}, side % 3, side % 2 == 0);
  }
  check_large<std::uint8_t>({179, 178});
  check_large<std::uint16_t>({390, 385});
  check_vmaf<std::uint8_t>({600, 40}, 0, false);
  check_vmaf<std::uint16_t>({600, 40}, 0, false);
  check_size<std::uint8_t>({1100, 12}, 0, false);
  check_size<std::uint16_t>({1100, 12}, 0, true);
  // One row of the largest width: the accumulators of a row are as full as they ever get.
  check_size<std::uint8_t>({kMaxSide, 1}, 0, false);
  check_size<std::uint16_t>({kMaxSide, 1}, 0, false);
  for (const Size size : {Size{8, 9}, Size{48, 27}, Size{64, 63}, Size{8, 63}, Size{64, 9}}) check_thumbnails(size);
  const std::string best(name(available_targets().back()));
  std::printf("check_kernels: %d checks passed, up to target %s\n", checks, best.c_str());
  return 0;
}
