// Histogram with several tables; counters.h says why they, and not the vectors, are what makes it fast.
#include "kernels/histogram/histogram.h"

#if CINEMILL_HAVE_AVX2
#include "kernels/histogram/counters.h"

namespace cinemill::histogram::avx2 {

CINEMILL_AVX2 void u8(PlaneView<std::uint8_t> plane, Size size, Bins bins, std::uint32_t* counts) noexcept {
  ByteCounters counters;
  const int whole = size.width & ~7;
  for (int y = 0; y < size.height; ++y) {
    const std::uint8_t* row = plane.row(y);
    for (int x = 0; x < whole; x += 8) counters.add8(load_word(row + x));
    for (int x = whole; x < size.width; ++x) counters.add(row[x]);
  }
  counters.fold(bins, counts);
}

CINEMILL_AVX2 void u16(PlaneView<std::uint16_t> plane, Size size, Bins bins, std::uint32_t* counts) noexcept {
  WordCounters counters(bins);
  const int whole = size.width & ~15;
  for (int y = 0; y < size.height; ++y) {
    const std::uint16_t* row = plane.row(y);
    for (int x = 0; x < whole; x += 16) counters.add16(load(row + x));
    for (int x = whole; x < size.width; ++x) counters.add(row[x]);
  }
  counters.fold(counts);
}

}  // namespace cinemill::histogram::avx2

#endif  // CINEMILL_HAVE_AVX2
