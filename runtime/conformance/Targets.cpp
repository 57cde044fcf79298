// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Asks the catalogue and the kernels that were built.
#include "Targets.h"

#include "Kernels.h"

namespace snug {
namespace testing {

using namespace runtime;

std::string whyNotRun(Target target) {
  if (target > hostTarget())
    return std::string("this machine lacks ") + targetName(target);
  if (!kernelTable(target))
    return std::string("this build has no kernels of ") + targetName(target);
  return "";
}

Target bestTarget() {
  for (Target target : {Target::AVX512, Target::AVX2})
    if (whyNotRun(target).empty())
      return target;
  return Target::Portable;
}

} // namespace testing
} // namespace snug
