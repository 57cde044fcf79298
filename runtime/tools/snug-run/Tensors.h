// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where a run's inputs come from and its outputs go.
#ifndef SNUG_RUNTIME_TOOLS_SNUG_RUN_TENSORS_H
#define SNUG_RUNTIME_TOOLS_SNUG_RUN_TENSORS_H

#include "Runner.h"
#include "snug/runtime/runtime.h"

#include <string>
#include <vector>

namespace snug {
namespace runner {

/// One source for each network input: a file, or a seed.
class InputSources {
public:
  /// Matches the options against the plan's inputs; an error, or empty.
  std::string resolve(const snug_plan *plan, const RunOptions &options);

  /// Fills all inputs in the arena; an error, or empty.
  std::string fill(const snug_plan *plan, snug_executor *executor) const;

private:
  std::vector<std::string> files; ///< by input; empty: random
  uint64_t seed = 0;
};

/// Fills `count` values of input `index`, uniform in [-1, 1): value n is
/// m / 2^23 - 1 of the upper 24 bits m of SplitMix64's n-th output, whose state
/// starts at seed + index * 0x632be59bd9b4e019. The same on every machine.
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number
/// generators", OOPSLA 2014.
void fillRandom(uint64_t seed, uint64_t index, float *values, uint64_t count);

/// Writes every output into `folder` (created where missing); an error, or
/// empty.
std::string writeOutputs(const snug_plan *plan, snug_executor *executor,
                         const std::string &folder);

/// File names, without folder and ".npy", that tell tensors apart: characters
/// outside [A-Za-z0-9_.-] become '_', names that are then equal get a number.
std::vector<std::string> fileNames(const std::vector<std::string> &tensors);

} // namespace runner
} // namespace snug

#endif // SNUG_RUNTIME_TOOLS_SNUG_RUN_TENSORS_H
