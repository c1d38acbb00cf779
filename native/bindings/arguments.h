// Turns Python arguments into what kernels take, and refuses what they must never see. All checks are here.
#pragma once

#include <string>

#include <nanobind/nanobind.h>

#include "kernels/plane.h"
#include "kernels/target.h"

namespace cinemill::bindings {

namespace nb = nanobind;

// Raises class `name` of cinemill_native.errors.
[[noreturn]] void raise(const char* name, const std::string& message);

// The level a call runs at: the keyword `target` if it is given, else the process's default, which is
// CINEMILL_NATIVE_TARGET or, without it, the best that the processor has (read once, at the first call).
// Raises TargetUnavailable.
Target pick_target(nb::handle keyword);

// The samples of one `cinemill_native.frames.Plane`, held for as long as this object lives. No copy.
//
// The buffer protocol rather than DLPack: it costs a tenth, and its strides are in bytes.
class PlaneArgument {
 public:
  // `role` names the argument in messages. Raises NotAPlane for anything but (height, width) uint8 (bit depth 8) or
  // uint16 (9 to 16) with contiguous aligned rows and sides of 1 to kMaxSide.
  PlaneArgument(nb::handle plane, const char* role);
  ~PlaneArgument();
  PlaneArgument(const PlaneArgument&) = delete;
  PlaneArgument& operator=(const PlaneArgument&) = delete;

  Size size() const noexcept { return {static_cast<int>(buffer_.shape[1]), static_cast<int>(buffer_.shape[0])}; }
  int bit_depth() const noexcept { return bit_depth_; }
  bool is_wide() const noexcept { return buffer_.itemsize == 2; }

  template <class T>
  PlaneView<T> view() const noexcept {
    return {static_cast<const T*>(buffer_.buf), buffer_.strides[0]};
  }

 private:
  Py_buffer buffer_{};
  int bit_depth_ = 0;

  void check(const char* role) const;
};

// Raises ShapeMismatch unless the planes agree in size and bit depth.
void check_alike(const PlaneArgument& a, const char* role_a, const PlaneArgument& b, const char* role_b);

}  // namespace cinemill::bindings
