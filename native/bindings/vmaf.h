// The features of VMAF: motion, VIF, ADM; those that came with v1: CAMBI, SpEED-QA.
#pragma once

#include <nanobind/nanobind.h>

#include <vector>

#include "bindings/arguments.h"

namespace cinemill::bindings {

// Adds the functions to the module.
void add_vmaf(nanobind::module_& module);
void add_vmaf_float(nanobind::module_& module);
void add_vmaf_v1(nanobind::module_& module);

// Memory for kernels, aligned to 64, valid until the calling thread asks again: fresh memory costs more than some
// kernels do.
std::byte* workspace(std::size_t bytes);

// Raises TooSmall unless both sides have at least `least` samples.
void check_sides(Size size, const char* role, int least);

// Limits of the enhancement gain. Raises ValueError unless there are 1 to `most`, each from 1 to 100.
std::vector<double> gain_limits(nanobind::sequence gains, int most);

}  // namespace cinemill::bindings
