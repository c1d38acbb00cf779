#include "bindings/arguments.h"

#include <cstdlib>
#include <cstring>
#include <optional>

namespace cinemill::bindings {
namespace {

std::string available_text() {
  std::string text;
  for (const Target target : available_targets()) text += (text.empty() ? "" : ", ") + std::string(name(target));
  return text;
}

Target require_available(const std::string& wanted, const std::string& source) {
  const std::optional<Target> target = parse_target(wanted);
  if (!target || !is_available(*target)) {
    raise("TargetUnavailable", source + " '" + wanted + "': this processor and build have " + available_text());
  }
  return *target;
}

const std::string& wanted_by_environment() {
  static const std::string wanted = [] {
    const char* text = std::getenv("CINEMILL_NATIVE_TARGET");
    return std::string(text ? text : "");
  }();
  return wanted;
}

// The format text of a sample type in native byte order, without the optional prefix that says "native".
bool has_format(const Py_buffer& buffer, char code) {
  const char* format = buffer.format ? buffer.format : "B";
  if (*format == '@' || *format == '=') ++format;
  return format[0] == code && format[1] == '\0';
}

std::string describe(const PlaneArgument& plane) {
  return std::to_string(plane.size().width) + "x" + std::to_string(plane.size().height) + " of " +
         std::to_string(plane.bit_depth()) + " bits";
}

}  // namespace

void raise(const char* class_name, const std::string& message) {
  const nb::object type = nb::module_::import_("cinemill_native.errors").attr(class_name);
  PyErr_SetString(type.ptr(), message.c_str());
  throw nb::python_error();
}

Target pick_target(nb::handle keyword) {
  if (!keyword.is_none()) return require_available(nb::str(keyword).c_str(), "target");
  const std::string& wanted = wanted_by_environment();
  return wanted.empty() ? available_targets().back() : require_available(wanted, "CINEMILL_NATIVE_TARGET");
}

PlaneArgument::PlaneArgument(nb::handle plane, const char* role) {
  const nb::object samples = nb::getattr(plane, "samples", nb::none());
  if (samples.is_none() || PyObject_GetBuffer(samples.ptr(), &buffer_, PyBUF_STRIDED_RO | PyBUF_FORMAT) != 0) {
    PyErr_Clear();
    raise("NotAPlane", std::string(role) + ": wanted a Plane, got " + nb::type_name(plane.type()).c_str() +
                           "; wrap buffers with plane_view()");
  }
  // The destructor does not run when a constructor throws, so the buffer is released here.
  try {
    bit_depth_ = nb::cast<int>(plane.attr("bit_depth"));
    check(role);
  } catch (...) {
    PyBuffer_Release(&buffer_);
    throw;
  }
}

PlaneArgument::~PlaneArgument() { PyBuffer_Release(&buffer_); }

void PlaneArgument::check(const char* role) const {
  const std::string who = std::string(role) + ": ";
  const bool narrow = has_format(buffer_, 'B');
  const bool wide = has_format(buffer_, 'H');
  if (buffer_.ndim != 2 || !(narrow || wide)) {
    raise("NotAPlane", who + "wanted a 2-D plane of uint8 or uint16 in native byte order, got " +
                           std::to_string(buffer_.ndim) + "-D of format '" + (buffer_.format ? buffer_.format : "") +
                           "'");
  }
  const Py_ssize_t height = buffer_.shape[0];
  const Py_ssize_t width = buffer_.shape[1];
  if (width < 1 || height < 1 || width > kMaxSide || height > kMaxSide) {
    raise("NotAPlane", who + "wanted sides of 1 to " + std::to_string(kMaxSide) + " samples, got " +
                           std::to_string(width) + "x" + std::to_string(height));
  }
  if (narrow ? bit_depth_ != 8 : bit_depth_ < 9 || bit_depth_ > 16) {
    raise("NotAPlane", who + "wanted uint8 for bit depth 8 and uint16 for 9 to 16, got bit depth " +
                           std::to_string(bit_depth_) + " in " + std::to_string(8 * buffer_.itemsize) + " bits");
  }
  const bool contiguous = width == 1 || buffer_.strides[1] == buffer_.itemsize;
  const bool aligned =
      reinterpret_cast<std::uintptr_t>(buffer_.buf) % static_cast<std::size_t>(buffer_.itemsize) == 0 &&
      buffer_.strides[0] % buffer_.itemsize == 0;
  if (!contiguous || !aligned) {
    raise("NotAPlane", who + "wanted rows of contiguous, aligned samples; make a copy with numpy.ascontiguousarray");
  }
}

void check_alike(const PlaneArgument& a, const char* role_a, const PlaneArgument& b, const char* role_b) {
  const bool same_size = a.size().width == b.size().width && a.size().height == b.size().height;
  if (same_size && a.bit_depth() == b.bit_depth()) return;
  raise("ShapeMismatch", std::string(role_b) + ": wanted " + describe(a) + " as " + role_a + ", got " + describe(b) +
                             "; scale or convert one of them first");
}

}  // namespace cinemill::bindings
