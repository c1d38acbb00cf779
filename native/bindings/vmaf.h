// The features of VMAF: motion, VIF, ADM.
#pragma once

#include <nanobind/nanobind.h>

namespace cinemill::bindings {

// Adds the functions to the module.
void add_vmaf(nanobind::module_& module);

}  // namespace cinemill::bindings
