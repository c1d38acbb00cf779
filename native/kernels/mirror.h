// Coordinates outside a plane.
#pragma once

namespace cinemill {

// Mirrored about the edge sample: -1 is 1, size is size - 2. For -size < i < 2 * size - 1.
constexpr int mirror(int i, int size) noexcept { return i < 0 ? -i : i >= size ? 2 * size - 2 - i : i; }

}  // namespace cinemill
