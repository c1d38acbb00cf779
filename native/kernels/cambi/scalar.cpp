// The definition of CAMBI: as plain as it can be written. Other targets are tested against it.
#include "kernels/cambi/constants.h"

namespace cinemill::cambi::scalar {
namespace {

using Level = std::uint16_t;

template <class C>
struct Plane {
  C* samples;
  int stride;

  C* row(int y) const noexcept { return samples + std::ptrdiff_t{y} * stride; }
};

struct Planes {
  Plane<Level> image;
  Plane<Level> filtered;
  Plane<std::uint8_t> candidate;
  float* contrasts;
  std::uint32_t* counts;
};

class Carver {
 public:
  explicit Carver(std::byte* memory) noexcept : begin_(memory), next_(memory) {}

  template <class C>
  C* take(std::size_t count) noexcept {
    auto* const taken = reinterpret_cast<C*>(next_);
    next_ += aligned(count * sizeof(C));
    return taken;
  }

  template <class C>
  Plane<C> plane(Size size) noexcept {
    return {take<C>(static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height)), size.width};
  }

  std::size_t used() const noexcept { return static_cast<std::size_t>(next_ - begin_); }

 private:
  std::byte* begin_;
  std::byte* next_;
};

Planes carve(Carver& carver, Size size) noexcept {
  Planes planes{};
  planes.image = carver.plane<Level>(size);
  planes.filtered = carver.plane<Level>(size);
  planes.candidate = carver.plane<std::uint8_t>(size);
  planes.contrasts = carver.plane<float>(size).samples;
  planes.counts = carver.take<std::uint32_t>(kCounts);
  return planes;
}

// A sample in 10 bits.
template <class T>
Level ten_bits(T sample, int bit_depth) noexcept {
  if (bit_depth <= 10) return static_cast<Level>(sample << (10 - bit_depth));
  return static_cast<Level>((sample + (1 << (bit_depth - 11))) >> (bit_depth - 10));
}

template <class T>
void sample(PlaneView<T> plane, Size source, int bit_depth, Size size, const Plane<Level>& out) noexcept {
  Nearest down(source.height, size.height);
  for (int y = 0; y < size.height; ++y) {
    const T* const row = plane.row(source.height == size.height ? y : down.next());
    Nearest across(source.width, size.width);
    for (int x = 0; x < size.width; ++x) {
      out.row(y)[x] = ten_bits(row[source.width == size.width ? x : across.next()], bit_depth);
    }
  }
}

// Means of 2x2 samples, of 2 at the right and lower edge.
void smooth(const Plane<Level>& image, Size size) noexcept {
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      const bool right = x + 1 < size.width;
      const bool below = y + 1 < size.height;
      int sum = image.row(y)[x];
      if (right) sum += image.row(y)[x + 1];
      if (below) sum += image.row(y + 1)[x];
      if (right && below) sum += image.row(y + 1)[x + 1];
      image.row(y)[x] = static_cast<Level>(sum >> (right + below));
    }
  }
}

// Whether a sample equals those to the right and below.
bool flat(const Plane<Level>& image, Size size, int x, int y) noexcept {
  const Level here = image.row(y)[x];
  return (x + 1 == size.width || here == image.row(y)[x + 1]) && (y + 1 == size.height || here == image.row(y + 1)[x]);
}

void find_candidates(const Plane<Level>& image, Size size, const Plane<std::uint8_t>& out) noexcept {
  const int wanted = flat_enough(size);
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      int count = 0;
      for (int b = std::max(y - kReach, 0); b <= std::min(y + kReach, size.height - 1); ++b) {
        for (int a = std::max(x - kReach, 0); a <= std::min(x + kReach, size.width - 1); ++a) {
          count += flat(image, size, a, b);
        }
      }
      out.row(y)[x] = count > wanted;
    }
  }
}

template <class C>
void halve(const Plane<C>& plane, Size to) noexcept {
  for (int y = 0; y < to.height; ++y) {
    for (int x = 0; x < to.width; ++x) plane.row(y)[x] = plane.row(2 * y)[2 * x];
  }
}

// The value that two of three have, else the least.
Level mode(Level a, Level b, Level c) noexcept {
  if (a == b || a == c) return a;
  return b == c ? b : std::min({a, b, c});
}

// Modes of 3 samples of a row, then of 3 rows; the first and the last row stay as they are.
void filter(const Plane<Level>& image, Size size, const Plane<Level>& work) noexcept {
  for (int y = 0; y < size.height; ++y) {
    const Level* const row = image.row(y);
    for (int x = 0; x < size.width; ++x) {
      const bool edge = x == 0 || x + 1 == size.width;
      work.row(y)[x] = edge ? row[x] : mode(row[x - 1], row[x], row[x + 1]);
    }
  }
  for (int y = 1; y + 1 < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      image.row(y)[x] = mode(work.row(y - 1)[x], work.row(y)[x], work.row(y + 1)[x]);
    }
  }
}

// One scale: levels are counted among the candidates in a window.
class Windows {
 public:
  Windows(const Planes& planes, Size size, const Options& options) noexcept
      : planes_(planes), size_(size), options_(options) {}

  float contrast_at(int x, int y) const noexcept {
    if (!planes_.candidate.row(y)[x]) return 0.0F;
    const int level = planes_.image.row(y)[x];
    const int first = first_visible(options_, level);
    float most = 0.0F;
    const int here = first < options_.steps ? count(x, y, level) : 0;
    for (int step = first; step < options_.steps; ++step) {
      const int there = std::max(count(x, y, level + step + 1), count(x, y, level - step - 1));
      most = std::max(most, contrast(kWeight[step], here, there));
    }
    return most;
  }

 private:
  const Planes& planes_;
  Size size_;
  const Options& options_;

  int count(int x, int y, int level) const noexcept {
    const int reach = options_.window / 2;
    int found = 0;
    for (int b = std::max(y - reach, 0); b <= std::min(y + reach, size_.height - 1); ++b) {
      for (int a = std::max(x - reach, 0); a <= std::min(x + reach, size_.width - 1); ++a) {
        found += planes_.candidate.row(b)[a] && planes_.image.row(b)[a] == level;
      }
    }
    return found;
  }
};

template <class T>
void cambi(PlaneView<T> plane, Size source, int bit_depth, const Options& options, std::byte* workspace,
           double* scores) noexcept {
  Carver carver(workspace);
  Size size = options.size;
  const Planes planes = carve(carver, size);
  sample(plane, source, bit_depth, size, planes.image);
  if (options.smooth) smooth(planes.image, size);
  find_candidates(planes.image, size, planes.candidate);
  for (int scale = 0; scale < kScales; ++scale) {
    if (scale || options.halve) {
      size = halved(size);
      halve(planes.image, size);
      halve(planes.candidate, size);
    }
    filter(planes.image, size, planes.filtered);
    const Windows windows(planes, size, options);
    std::int64_t count = 0;
    for (int y = 0; y < size.height; ++y) {
      for (int x = 0; x < size.width; ++x) planes.contrasts[count++] = windows.contrast_at(x, y);
    }
    scores[scale] = pooled(planes.contrasts, count, count, options.top, planes.counts);
  }
}

}  // namespace

void u8(PlaneView<std::uint8_t> plane, Size source, int bit_depth, const Options& options, std::byte* workspace,
        double* scores) noexcept {
  cambi(plane, source, bit_depth, options, workspace, scores);
}

void u16(PlaneView<std::uint16_t> plane, Size source, int bit_depth, const Options& options, std::byte* workspace,
         double* scores) noexcept {
  cambi(plane, source, bit_depth, options, workspace, scores);
}

std::size_t workspace_bytes(const Options& options) noexcept {
  Carver carver(nullptr);
  carve(carver, options.size);
  return carver.used();
}

}  // namespace cinemill::cambi::scalar
