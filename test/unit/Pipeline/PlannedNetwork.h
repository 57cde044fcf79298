// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Networks as text, through the whole compiler into the runtime, beside the
// reference executor.
#ifndef SNUG_TEST_UNIT_PIPELINE_PLANNEDNETWORK_H
#define SNUG_TEST_UNIT_PIPELINE_PLANNEDNETWORK_H

#include <string>

namespace snug {

/// Compiles the module's only function as it stands (its fused groups
/// included), runs the plan in an arena full of NaN between unreadable pages,
/// and compares every output with what the reference executor computes of the
/// same text. Inputs are random in [-1, 1). Empty, or what went wrong; `plan`
/// is the program as text.
std::string runBesideReference(const std::string &text, int threads = 1,
                               std::string *plan = nullptr);

} // namespace snug

#endif // SNUG_TEST_UNIT_PIPELINE_PLANNEDNETWORK_H
