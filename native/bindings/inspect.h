// Bindings of kernels/inspect.
#pragma once

#include <nanobind/nanobind.h>

namespace cinemill::bindings {

void add_inspect(nanobind::module_& module);

}  // namespace cinemill::bindings
