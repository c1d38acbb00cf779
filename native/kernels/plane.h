// How kernels see a plane: a pointer, a stride, a size. Nothing is owned, nothing is checked.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cinemill {

// Largest width and height of a plane, in samples. It makes every exact sum fit 64 bits: the largest sum of squared
// errors is 65535 * 65535 samples * 65535^2 = 65535^4 < 2^64. Bindings refuse larger planes; kernels rely on it.
inline constexpr int kMaxSide = 65535;

// Width and height in samples, each 1 to kMaxSide.
struct Size {
  int width;
  int height;
};

// T is std::uint8_t, or std::uint16_t for bit depths of 9 to 16 (in the low bits, native byte order).
template <class T>
struct PlaneView {
  const T* samples;       // first sample of the first row; aligned to T only, vectors must load unaligned
  std::ptrdiff_t stride;  // BYTES from one row to the next: any multiple of sizeof(T), also 0 or negative

  // Row y. Only its `width` samples may be read: what follows may be padding, the next row, or unmapped memory.
  const T* row(int y) const noexcept {
    return reinterpret_cast<const T*>(reinterpret_cast<const std::byte*>(samples) + y * stride);
  }
};

}  // namespace cinemill
