// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which targets the tests can run: a machine may lack one, a build its kernels.
#ifndef SNUG_RUNTIME_CONFORMANCE_TARGETS_H
#define SNUG_RUNTIME_CONFORMANCE_TARGETS_H

#include "snug/runtime/Catalogue.h"

#include <string>

namespace snug {
namespace testing {

/// Empty, or why plans for the target cannot be run.
std::string whyNotRun(runtime::Target target);

/// The best of the targets whose plans can be run.
runtime::Target bestTarget();

} // namespace testing
} // namespace snug

#endif // SNUG_RUNTIME_CONFORMANCE_TARGETS_H
