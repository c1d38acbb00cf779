// ADM with 256-bit vectors: every row of a level goes through all steps while it is in the cache; only the low-pass
// bands are kept as planes. All limits of the gain share what does not depend on them.
#include <algorithm>

#include "kernels/adm/adm.h"

#if CINEMILL_HAVE_AVX2
#include "kernels/adm/masking_avx2.h"

namespace cinemill::adm::avx2 {
namespace {

constexpr int kLanes = 2 * kMaxGains;  // what is left and what was added, per gain

// Rows of work of one level whose columns have type C; the bands' rows are of type B.
struct Work {
  std::int32_t* columns[4];       // of ref low, ref high, dist low, dist high
  std::int32_t* band[2][kBands];  // of ref and dist
  Lane lane[kLanes];
};

// The low-pass bands of scales 0 to 2.
struct Lows {
  std::int16_t* first[2];
  std::int32_t* second[2];
  std::int32_t* third[2];
};

class Carver {
 public:
  explicit Carver(std::byte* memory) noexcept : next_(memory) {}

  // A row of `count` elements of up to 32 bits with margins.
  std::int32_t* row(int count) noexcept { return take<std::int32_t>(std::size_t{1}, count) + kMargin; }

  // A plane whose rows are whole vectors.
  template <class C>
  C* plane(Size band) noexcept {
    return take<C>(static_cast<std::size_t>(band.height), stride(band.width) - 2 * kMargin);
  }

  std::size_t used(const std::byte* begin) const noexcept { return static_cast<std::size_t>(next_ - begin); }

  static constexpr int stride(int width) noexcept { return (width + 2 * kMargin + 15) & ~15; }

 private:
  // Rows must not lie a multiple of 4096 bytes apart: a first-level cache holds 8 lines of such addresses.
  static constexpr std::size_t kStagger = 192;

  std::byte* next_;

  template <class C>
  C* take(std::size_t rows, int count) noexcept {
    auto* const taken = reinterpret_cast<C*>(next_);
    const std::size_t bytes = rows * static_cast<std::size_t>(stride(count)) * sizeof(C);
    next_ += (bytes + 4095) / 4096 * 4096 + kStagger;
    return taken;
  }
};

Work carve_work(Carver& carver, Size size) noexcept {
  Work work{};
  const int band = halved(size.width);
  for (std::int32_t*& row : work.columns) row = carver.row(size.width);
  for (auto& side : work.band) {
    for (std::int32_t*& row : side) row = carver.row(band);
  }
  for (Lane& lane : work.lane) {
    for (auto& slots : lane.coefficient) {
      for (std::int32_t*& row : slots) row = carver.row(band);
    }
    for (std::int32_t*& row : lane.near) row = carver.row(band);
    for (std::int32_t*& row : lane.centre) row = carver.row(band);
  }
  return work;
}

Lows carve_lows(Carver& carver, Size size) noexcept {
  Lows lows{};
  const Size first = halved(size);
  const Size second = halved(first);
  for (auto*& plane : lows.first) plane = carver.plane<std::int16_t>(first);
  for (auto*& plane : lows.second) plane = carver.plane<std::int32_t>(second);
  for (auto*& plane : lows.third) plane = carver.plane<std::int32_t>(halved(second));
  return lows;
}

// One level: `In` is the type of its source, `Column` of its filtered columns, `Band` of its coefficients.
template <class In, class Column, class Band>
class Level {
 public:
  Level(int scale, Size size, const Options& options, const Work& work) noexcept
      : scale_(scale),
        size_(size),
        band_(halved(size)),
        window_(window(band_)),
        options_(options),
        work_(work),
        weights_(sensitivity(options.viewing, scale)),
        cube_(cube_shift(scale, band_)),
        den_(denominator_shift(scale, band_)) {}

  // `behind` stands behind the last high-passed row of the distorted side, where rows are overrun. Afterwards it holds
  // what the next level finds there.
  CINEMILL_AVX2 void run(PlaneView<In> ref, PlaneView<In> dist, bool padded, WaveletShift shift, int middle,
                         bool overrun, Band* const* low, std::int32_t (&behind)[2], Sums& sums) noexcept {
    sums = {};
    const std::ptrdiff_t stride = Carver::stride(band_.width);
    for (int y = 0; y < band_.height; ++y) {
      filter(ref, y, padded, shift.columns, middle, columns(0));
      filter(dist, y, padded, shift.columns, middle, columns(1));
      end_rows(overrun, behind);
      const bool wanted = y >= window_.top - 1 && y <= window_.bottom;
      for (int side = 0; side < 2; ++side) {
        filter_row(columns(side), band_.width, shift.rows, wanted,
                   bands(side, low[side] ? low[side] + y * stride : nullptr));
      }
      if (wanted) decouple(y);
      if (y >= window_.top && y < window_.bottom) add_denominator(sums);
      if (y > window_.top && y <= window_.bottom) mask(y - 1, sums);
    }
    if (window_.bottom == band_.height) mask(band_.height - 1, sums);
    for (int t = 0; t < 2; ++t) behind[t] = columns(1).low[t + (size_.width % 2 ? 2 : 0)];
  }

 private:
  int scale_;
  Size size_;
  Size band_;
  Window window_;
  const Options& options_;
  const Work& work_;
  Sensitivity weights_;
  CubeShift cube_;
  DenominatorShift den_;

  Columns<Column> columns(int side) const noexcept {
    return {reinterpret_cast<Column*>(work_.columns[2 * side]), reinterpret_cast<Column*>(work_.columns[2 * side + 1])};
  }

  const Band* band(int side, int i) const noexcept { return reinterpret_cast<const Band*>(work_.band[side][i]); }

  Bands<Band> bands(int side, Band* low) const noexcept {
    Bands<Band> made{low, {}};
    for (int i = 0; i < kBands; ++i) made.band[i] = reinterpret_cast<Band*>(work_.band[side][i]);
    return made;
  }

  CINEMILL_AVX2 void filter(PlaneView<In> plane, int y, bool padded, int shift, int middle,
                            Columns<Column> out) noexcept {
    const In* rows[kTaps];
    for (int k = 0; k < kTaps; ++k) rows[k] = plane.row(source(y, k, size_.height));
    filter_columns(rows, size_.width, padded, shift, middle, out);
  }

  // Mirrors the ends of the filtered columns, or continues rows with the next ones as an overrunning loop finds them.
  void end_rows(bool overrun, const std::int32_t (&behind)[2]) noexcept {
    Column* const rows[4] = {columns(0).low, columns(0).high, columns(1).low, columns(1).high};
    for (Column* row : rows) mirror_ends(row, size_.width);
    if (!overrun) return;
    for (int t = 0; t < 2; ++t) {
      rows[0][size_.width + t] = rows[1][t];
      rows[1][size_.width + t] = scale_ ? rows[2][t] : Column{0};  // scale 0 has one side in memory at a time
      rows[2][size_.width + t] = rows[3][t];
      rows[3][size_.width + t] = static_cast<Column>(behind[t]);
    }
  }

  // Fills slot y % 3 of all lanes.
  CINEMILL_AVX2 void decouple(int y) noexcept {
    const int slot = y % 3;
    const int begin = std::max(window_.left - 1, 0);
    const int end = std::min(window_.right + 1, band_.width);
    for (int x = begin; x < end; x += 8) decouple8(x, slot);
    for (int i = 0; i < lanes(); ++i) {
      std::int32_t* const near = lane(i).near[slot];
      near[-1] = near[1];
      near[band_.width] = near[band_.width - 1];
    }
  }

  int lanes() const noexcept { return options_.gains * (options_.aim ? 2 : 1); }

  // Lanes of all gains, then those of what was added.
  const Lane& lane(int i) const noexcept { return work_.lane[i]; }

  CINEMILL_AVX2 void decouple8(int x, int slot) noexcept {
    const __m256i same = same_direction(band(0, 0) + x, band(0, 1) + x, band(1, 0) + x, band(1, 1) + x);
    const bool any = !_mm256_testz_si256(same, same);
    for (int i = 0; i < kBands; ++i) {
      const __m256i t = coefficients(band(1, i) + x);
      const Doubles ref = doubles(coefficients(band(0, i) + x));
      const Doubles dist = doubles(t);
      const Doubles left = {kept(ratio<sizeof(Band) == 4>(ref.low, dist.low), ref.low),
                            kept(ratio<sizeof(Band) == 4>(ref.high, dist.high), ref.high)};
      const __m256i plain = integers(left.low, left.high);
      for (int gain = 0; gain < options_.gains; ++gain) {
        __m256i restored = plain;
        if (any) {
          const __m256d limit = _mm256_set1_pd(options_.gain_limit[gain]);
          const __m256i more =
              integers(enhanced(left.low, ref.low, dist.low, limit), enhanced(left.high, ref.high, dist.high, limit));
          restored = _mm256_blendv_epi8(plain, more, same);
        }
        const __m256i added = _mm256_sub_epi32(t, restored);
        keep(lane(gain), i, restored, added, x, slot);
        if (options_.aim) keep(lane(options_.gains + gain), i, added, restored, x, slot);
      }
    }
  }

  CINEMILL_AVX2 void keep(const Lane& to, int i, __m256i coefficient, __m256i masker, int x, int slot) noexcept {
    Hidden hidden;
    if constexpr (sizeof(Band) == 2) {
      hidden = hidden16(masker, weights_, i);
    } else {
      hidden = hidden32(masker, weights_, i);
    }
    store(to.coefficient[i][slot] + x, coefficient);
    if (i) {
      hidden.near = _mm256_add_epi32(hidden.near, load(to.near[slot] + x));
      hidden.centre = _mm256_add_epi32(hidden.centre, load(to.centre[slot] + x));
    }
    store(to.near[slot] + x, hidden.near);
    store(to.centre[slot] + x, hidden.centre);
  }

  // Lanes of the window in the 8 from x on.
  CINEMILL_AVX2 __m256i counted(int x) const noexcept {
    const __m256i at = _mm256_add_epi32(_mm256_set1_epi32(x), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(window_.right), at);
  }

  CINEMILL_AVX2 void mask(int y, Sums& sums) noexcept {
    for (int gain = 0; gain < options_.gains; ++gain) {
      mask_lane(lane(gain), y, sums.num[gain]);
      if (options_.aim) mask_lane(lane(options_.gains + gain), y, sums.aim[gain]);
    }
  }

  CINEMILL_AVX2 void mask_lane(const Lane& from, int y, std::int64_t* sums) noexcept {
    const int here = y % 3;
    const int up = (y ? y - 1 : 1) % 3;
    const int down = std::min(y + 1, band_.height - 1) % 3;
    __m256i row[kBands] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256()};
    for (int x = window_.left; x < window_.right; x += 8) {
      const __m256i threshold = thresholds(from, up, here, down, x);
      const __m256i inside = counted(x);
      for (int i = 0; i < kBands; ++i) {
        const __m256i size = _mm256_abs_epi32(weighted(load(from.coefficient[i][here] + x), i));
        const __m256i hidden = _mm256_sll_epi32(threshold, _mm_cvtsi32_si128(cube_.mask[i]));
        const __m256i left = _mm256_max_epi32(_mm256_sub_epi32(size, hidden), _mm256_setzero_si256());
        row[i] = _mm256_add_epi64(row[i], cubes(_mm256_and_si256(left, inside), cube_.square[i], cube_.cube[i]));
      }
    }
    const auto samples = static_cast<std::uint64_t>((window_.right - window_.left + 7) / 8 * 8);
    for (int i = 0; i < kBands; ++i) {
      const std::uint64_t offset = samples * ((std::uint64_t{1} << 63) >> cube_.cube[i]);
      const auto sum = static_cast<std::int64_t>(sum_u64(row[i]) - offset);
      sums[i] += (sum + half_of(cube_.row)) >> cube_.row;
    }
  }

  CINEMILL_AVX2 __m256i weighted(__m256i value, int i) const noexcept {
    if constexpr (sizeof(Band) == 2) {
      return _mm256_mullo_epi32(value, _mm256_set1_epi32(static_cast<std::int32_t>(weights_.factor[i])));
    } else {
      return weighted32(value, weights_.factor[i]);
    }
  }

  // Adds the cubes of one row of the reference.
  CINEMILL_AVX2 void add_denominator(Sums& sums) noexcept {
    for (int i = 0; i < kBands; ++i) {
      __m256i row = _mm256_setzero_si256();
      for (int x = window_.left; x < window_.right; x += 8) {
        const __m256i size = _mm256_and_si256(_mm256_abs_epi32(coefficients(band(0, i) + x)), counted(x));
        row = _mm256_add_epi64(row, denominator(size));
      }
      sums.den[i] += (sum_u64(row) + static_cast<std::uint64_t>(half_of(den_.row))) >> den_.row;
    }
  }

  // 8 cubes in 4 sums. Scale 0: size^2 fits 32 bits, a cube 44. The others: below 2^31, 2^62 and 2^63.
  CINEMILL_AVX2 __m256i denominator(__m256i size) const noexcept {
    __m256i square;
    if constexpr (sizeof(Band) == 2) {
      square = _mm256_madd_epi16(size, size);
    } else {
      square = narrowed(product32(size, size), std::int64_t{1} << den_.square, den_.square);
    }
    const __m256i half = _mm256_set1_epi64x(half_of(den_.cube));
    const __m128i by = _mm_cvtsi32_si128(den_.cube);
    const __m256i even = _mm256_mul_epu32(square, size);
    const __m256i odd = _mm256_mul_epu32(_mm256_srli_epi64(square, 32), _mm256_srli_epi64(size, 32));
    return _mm256_add_epi64(_mm256_srl_epi64(_mm256_add_epi64(even, half), by),
                            _mm256_srl_epi64(_mm256_add_epi64(odd, half), by));
  }
};

template <class C>
PlaneView<C> view(const C* plane, int width) noexcept {
  return {plane, static_cast<std::ptrdiff_t>(sizeof(C)) * Carver::stride(width)};
}

template <class T>
CINEMILL_AVX2 void adm(PlaneView<T> ref, PlaneView<T> dist, Size size, int bit_depth, const Options& options,
                       std::byte* workspace, Sums* sums) noexcept {
  Carver carver(workspace);
  const Work work = carve_work(carver, size);
  const Lows lows = carve_lows(carver, size);
  const Size sizes[kScales] = {size, halved(size), halved(halved(size)), halved(halved(halved(size)))};
  std::int32_t behind[2] = {};
  Level<T, std::int16_t, std::int16_t>(0, size, options, work)
      .run(ref, dist, false, {bit_depth, kWaveletShift[0].rows}, 1 << (bit_depth - 1), overruns(size, 0, bit_depth),
           lows.first, behind, sums[0]);
  behind[0] = behind[1] = 0;  // memory that was never written
  Level<std::int16_t, std::int32_t, std::int32_t>(1, sizes[1], options, work)
      .run(view(lows.first[0], sizes[1].width), view(lows.first[1], sizes[1].width), true, kWaveletShift[1], 0,
           overruns(sizes[1], 1, 0), lows.second, behind, sums[1]);
  Level<std::int32_t, std::int32_t, std::int32_t>(2, sizes[2], options, work)
      .run(view(lows.second[0], sizes[2].width), view(lows.second[1], sizes[2].width), true, kWaveletShift[2], 0,
           overruns(sizes[2], 2, 0), lows.third, behind, sums[2]);
  std::int32_t* const nowhere[2] = {};
  Level<std::int32_t, std::int32_t, std::int32_t>(3, sizes[3], options, work)
      .run(view(lows.third[0], sizes[3].width), view(lows.third[1], sizes[3].width), true, kWaveletShift[3], 0,
           overruns(sizes[3], 3, 0), nowhere, behind, sums[3]);
}

}  // namespace

void u8(PlaneView<std::uint8_t> ref, PlaneView<std::uint8_t> dist, Size size, int bit_depth, const Options& options,
        std::byte* workspace, Sums* sums) noexcept {
  adm(ref, dist, size, bit_depth, options, workspace, sums);
}

void u16(PlaneView<std::uint16_t> ref, PlaneView<std::uint16_t> dist, Size size, int bit_depth, const Options& options,
         std::byte* workspace, Sums* sums) noexcept {
  adm(ref, dist, size, bit_depth, options, workspace, sums);
}

std::size_t workspace_bytes(Size size) noexcept {
  Carver carver(nullptr);
  carve_work(carver, size);
  carve_lows(carver, size);
  return carver.used(nullptr);
}

}  // namespace cinemill::adm::avx2

#endif  // CINEMILL_HAVE_AVX2
