// CAMBI with 256-bit vectors. Flat areas, of which candidates are made, consist of runs of one level: a run enters and
// leaves the counts as a whole, and so are its contrasts found, with vectors along the row.
#include "kernels/cambi/cambi.h"

#if CINEMILL_HAVE_AVX2
#include "kernels/cambi/candidates_avx2.h"

namespace cinemill::cambi::avx2 {
namespace {

constexpr Level kNone = 0xFFFF;    // no candidate, or of no interest
constexpr int kLongest = 1 << 14;  // of a run: positions within it fit 16 bits with the window around
constexpr int kNarrow = 175;       // side of a window: 9 * (175 * 175 / 2)^2 < 2^31

// Candidates [begin, end) of one level.
struct Run {
  std::uint16_t begin;
  std::uint16_t end;
  Level level;
};

struct Runs {
  Run* run;
  int count;
};

struct Work {
  FirstRows first;
  Finest finest;
  Level* filtered[3];
  Level* keys;
  std::uint16_t* counts;  // of each level of the band, by column
  Run* runs;              // of window + 1 rows
  int* run_counts;
  float* contrasts;
  std::uint32_t* places;
};

Work carve(Carver& carver, const Options& options) noexcept {
  Work work{};
  const Size size = finest(options);
  const Band levels = band(options);
  const auto area = static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height);
  const auto rows = static_cast<std::size_t>(options.window) + 1;
  work.first = carve_first(carver, options.size.width);
  work.finest.stride = stride_of(size.width);
  work.finest.level = carver.rows<Level>(static_cast<std::size_t>(size.height), size.width);
  work.finest.candidate = carver.rows<std::uint8_t>(static_cast<std::size_t>(size.height) + 1, size.width);
  for (Level*& row : work.filtered) row = carver.rows<Level>(1, size.width);
  work.keys = carver.rows<Level>(1, size.width);
  work.counts = carver.rows<std::uint16_t>(static_cast<std::size_t>(levels.last - levels.first) + 1, size.width);
  work.runs = carver.take<Run>(rows * (static_cast<std::size_t>(size.width) + 1));
  work.run_counts = carver.take<int>(rows);
  work.contrasts = carver.take<float>(area + 2 * kMargin);
  work.places = carver.take<std::uint32_t>(kCounts);
  return work;
}

// --- filter ----------------------------------------------------------------------------------------------------------

CINEMILL_AVX2 __m256i mode(__m256i a, __m256i b, __m256i c) noexcept {
  const __m256i least = _mm256_min_epu16(_mm256_min_epu16(a, b), c);
  const __m256i first = _mm256_or_si256(_mm256_cmpeq_epi16(a, b), _mm256_cmpeq_epi16(a, c));
  return _mm256_blendv_epi8(_mm256_blendv_epi8(least, b, _mm256_cmpeq_epi16(b, c)), a, first);
}

CINEMILL_AVX2 void filter(const Finest& plane, Size size, Level* const* work) noexcept {
  for (int y = 0; y < size.height; ++y) {
    const Level* const row = plane.level + std::ptrdiff_t{y} * plane.stride;
    Level* const out = work[y % 3];
    for (int x = 0; x < size.width; x += 16) store(out + x, mode(load(row + x - 1), load(row + x), load(row + x + 1)));
    out[0] = row[0];
    out[size.width - 1] = row[size.width - 1];
    if (y < 2) continue;
    Level* const middle = plane.level + std::ptrdiff_t{y - 1} * plane.stride;
    for (int x = 0; x < size.width; x += 16) {
      store(middle + x, mode(load(work[(y + 1) % 3] + x), load(work[(y + 2) % 3] + x), load(out + x)));
    }
  }
}

CINEMILL_AVX2 void halve(const Finest& plane, Size to) noexcept {
  for (int y = 0; y < to.height; ++y) {
    const std::ptrdiff_t from = std::ptrdiff_t{2 * y} * plane.stride;
    halve_row(plane.level + from, to.width, plane.level + std::ptrdiff_t{y} * plane.stride);
    halve_row(plane.candidate + from, to.width, plane.candidate + std::ptrdiff_t{y} * plane.stride);
  }
}

// --- one scale -------------------------------------------------------------------------------------------------------

class Scale {
 public:
  Scale(const Work& work, Size size, const Options& options) noexcept
      : work_(work),
        size_(size),
        reach_(options.window / 2),
        steps_(options.steps),
        stride_(stride_of(finest(options).width)),
        rows_(options.window + 1),
        band_(band(options)) {
    for (int level = std::max(band_.first, 0); level <= band_.last; ++level) {
      first_[level] = static_cast<std::uint8_t>(first_visible(options, level));
    }
  }

  // Writes the contrasts that are not 0 for sure; their number. The counts are all 0 before and afterwards.
  CINEMILL_AVX2 std::int64_t run() noexcept {
    float* next = work_.contrasts;
    for (int y = -reach_; y < size_.height + reach_ + 1; ++y) {
      if (y + reach_ < size_.height) count(found(y + reach_), 1);
      const int gone = y - reach_ - 1;
      if (gone >= 0 && gone < size_.height) count(runs(gone), -1);
      if (y < 0 || y >= size_.height) continue;
      const Runs here = runs(y);
      for (int i = 0; i < here.count; ++i) next = contrasts(here.run[i], next);
    }
    return next - work_.contrasts;
  }

 private:
  const Work& work_;
  Size size_;
  int reach_;
  int steps_;
  int stride_;
  int rows_;
  Band band_;
  std::uint8_t first_[kLevels + kMaxSteps];

  Runs runs(int y) const noexcept {
    const int place = y % rows_;
    return {work_.runs + std::ptrdiff_t{place} * (size_.width + 1), work_.run_counts[place]};
  }

  std::uint16_t* counts(int level) const noexcept {
    return work_.counts + std::ptrdiff_t{level - band_.first} * stride_;
  }

  // Levels of candidates in the band, kNone elsewhere, and at the ends of the row.
  CINEMILL_AVX2 void make_keys(int y) const noexcept {
    const Level* const level = work_.finest.level + std::ptrdiff_t{y} * work_.finest.stride;
    const std::uint8_t* const candidate = work_.finest.candidate + std::ptrdiff_t{y} * work_.finest.stride;
    const __m256i first = _mm256_set1_epi16(static_cast<short>(band_.first));
    const __m256i height = _mm256_set1_epi16(static_cast<short>(band_.last - band_.first));
    for (int x = 0; x < size_.width; x += 16) {
      const __m256i value = load(level + x);
      const __m256i above = _mm256_sub_epi16(value, first);
      const __m256i inside = _mm256_cmpeq_epi16(_mm256_min_epu16(above, height), above);
      const __m256i chosen = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(candidate + x)));
      const __m256i kept = _mm256_and_si256(inside, chosen);
      store(work_.keys + x, _mm256_or_si256(value, _mm256_xor_si256(kept, _mm256_set1_epi16(-1))));
    }
    work_.keys[-1] = work_.keys[size_.width] = kNone;
  }

  // The runs of row y, found.
  CINEMILL_AVX2 Runs found(int y) noexcept {
    make_keys(y);
    Runs out = runs(y);
    out.count = 0;
    Run open{0, 0, kNone};
    for (int x = 0; x <= size_.width; x += 16) {
      const __m256i same = _mm256_cmpeq_epi16(load(work_.keys + x), load(work_.keys + x - 1));
      std::uint32_t changes = ~static_cast<std::uint32_t>(_mm256_movemask_epi8(same)) & 0x55555555U;
      for (; changes; changes &= changes - 1) {
        const int at = x + std::countr_zero(changes) / 2;
        if (at > size_.width) break;
        close(open, at, out);
        open = {static_cast<std::uint16_t>(at), 0, work_.keys[at]};
      }
    }
    work_.run_counts[y % rows_] = out.count;
    return out;
  }

  static void close(Run open, int end, Runs& out) noexcept {
    if (open.level == kNone) return;
    int begin = open.begin;
    for (; end - begin > kLongest; begin += kLongest) out.run[out.count++] = piece(begin, begin + kLongest, open.level);
    out.run[out.count++] = piece(begin, end, open.level);
  }

  static Run piece(int begin, int end, Level level) noexcept {
    return {static_cast<std::uint16_t>(begin), static_cast<std::uint16_t>(end), level};
  }

  CINEMILL_AVX2 void count(const Runs& all, int sign) const noexcept {
    for (int i = 0; i < all.count; ++i) count_run(all.run[i], sign);
  }

  // Adds to the count of each column in reach how many samples of the run its window holds: with places p relative to
  // the run's begin, min(p + reach, length - 1) - max(p - reach, 0) + 1. Lanes further right come out as 0 or lie
  // behind the row.
  CINEMILL_AVX2 void count_run(const Run& run, int sign) const noexcept {
    const int from = std::max(run.begin - reach_, 0);
    const int to = std::min(run.end + reach_, size_.width);
    std::uint16_t* const row = counts(run.level);
    const __m256i reach = _mm256_set1_epi16(static_cast<short>(reach_));
    const __m256i last = _mm256_set1_epi16(static_cast<short>(run.end - run.begin - 1));
    const __m256i one = _mm256_set1_epi16(1);
    const __m256i lanes = _mm256_setr_epi16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    __m256i at = _mm256_add_epi16(_mm256_set1_epi16(static_cast<short>(from - run.begin)), lanes);
    for (int x = from; x < to; x += 16) {
      const __m256i right = _mm256_min_epi16(_mm256_add_epi16(at, reach), last);
      const __m256i left = _mm256_max_epi16(_mm256_sub_epi16(at, reach), _mm256_setzero_si256());
      const __m256i more =
          _mm256_max_epi16(_mm256_add_epi16(_mm256_sub_epi16(right, left), one), _mm256_setzero_si256());
      const __m256i before = load(row + x);
      store(row + x, sign > 0 ? _mm256_add_epi16(before, more) : _mm256_sub_epi16(before, more));
      at = _mm256_add_epi16(at, _mm256_set1_epi16(16));
    }
  }

  // Appends the contrasts of a run; writes up to 7 floats behind.
  CINEMILL_AVX2 float* contrasts(const Run& run, float* out) const noexcept {
    const int first = first_[run.level];
    if (first == steps_) return out;
    const std::uint16_t* const here = counts(run.level);
    for (int x = run.begin; x < run.end; x += 8, out += 8) {
      const __m128i own = _mm_loadu_si128(reinterpret_cast<const __m128i*>(here + x));
      const __m256i own32 = _mm256_cvtepu16_epi32(own);
      __m256 most = _mm256_setzero_ps();
      for (int step = first; step < steps_; ++step) {
        const std::ptrdiff_t away = std::ptrdiff_t{step + 1} * stride_;
        const __m128i up = _mm_loadu_si128(reinterpret_cast<const __m128i*>(here + x + away));
        const __m128i down = _mm_loadu_si128(reinterpret_cast<const __m128i*>(here + x - away));
        const __m256i there = _mm256_cvtepu16_epi32(_mm_max_epu16(up, down));
        most = _mm256_max_ps(most, contrast8(step, own32, there));
      }
      _mm256_storeu_ps(out, most);
    }
    return out - (run.begin + (run.end - run.begin + 7) / 8 * 8 - run.end);
  }

  // Lanes behind the run can hold no sample at all: their place in the table is limited. Products of counts are below
  // 2^30; with the weight they fit 32 bits up to a window of kNarrow samples.
  CINEMILL_AVX2 __m256 contrast8(int step, __m256i here, __m256i there) const noexcept {
    const __m256i product = _mm256_mullo_epi32(here, there);
    const __m256i sum = _mm256_min_epi32(_mm256_add_epi32(here, there), _mm256_set1_epi32(kMostCounted));
    const __m256 weighted = reach_ > kNarrow / 2
                                ? weighted8(product, kWeight[step])
                                : _mm256_cvtepi32_ps(_mm256_mullo_epi32(product, _mm256_set1_epi32(kWeight[step])));
    return _mm256_mul_ps(weighted, _mm256_i32gather_ps(reciprocals(), sum, 4));
  }

  // Exact in doubles, then rounded once.
  CINEMILL_AVX2 static __m256 weighted8(__m256i product, int weight) noexcept {
    const __m256d factor = _mm256_set1_pd(weight);
    const __m256d low = _mm256_mul_pd(_mm256_cvtepi32_pd(_mm256_castsi256_si128(product)), factor);
    const __m256d high = _mm256_mul_pd(_mm256_cvtepi32_pd(_mm256_extracti128_si256(product, 1)), factor);
    return _mm256_set_m128(_mm256_cvtpd_ps(high), _mm256_cvtpd_ps(low));
  }
};

template <class T>
CINEMILL_AVX2 void cambi(PlaneView<T> plane, Size source, int bit_depth, const Options& options, std::byte* workspace,
                         double* scores) noexcept {
  Carver carver(workspace);
  const Work work = carve(carver, options);
  const Band levels = band(options);
  Size size = finest(options);
  FirstStage<T>(plane, source, bit_depth, options, work.first).run(work.finest);
  std::fill_n(work.counts - kMargin, std::ptrdiff_t{levels.last - levels.first + 1} * stride_of(size.width),
              std::uint16_t{0});
  for (int scale = 0; scale < kScales; ++scale) {
    if (scale) {
      size = halved(size);
      halve(work.finest, size);
    }
    filter(work.finest, size, work.filtered);
    const std::int64_t count = Scale(work, size, options).run();
    scores[scale] = pooled(work.contrasts, count, std::int64_t{size.width} * size.height, options.top, work.places);
  }
}

}  // namespace

FirstRows carve_first(Carver& carver, int width) noexcept {
  FirstRows rows{};
  for (Level*& row : rows.ten) row = carver.rows<Level>(1, width);
  for (Level*& row : rows.level) row = carver.rows<Level>(1, width);
  for (std::uint8_t*& row : rows.flat) row = carver.rows<std::uint8_t>(1, width);
  rows.sum = carver.rows<std::uint8_t>(1, width);
  rows.found = carver.rows<std::uint8_t>(1, width);
  rows.across = carver.take<std::int32_t>(static_cast<std::size_t>(width));
  return rows;
}

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
  carve(carver, options);
  return carver.used();
}

}  // namespace cinemill::cambi::avx2

#endif  // CINEMILL_HAVE_AVX2
