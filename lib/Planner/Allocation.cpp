// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The allocation problem of a program, and what makes a problem well-formed.
#include "snug/Planner/Allocation.h"

#include <algorithm>
#include <set>
#include <utility>

namespace snug::planner {

namespace {

std::string partName(const network::Network &network,
                     const network::Program &program,
                     const network::Buffer &buffer) {
  using Role = network::Buffer::Role;
  auto quoted = [](const std::string &name) { return "'" + name + "'"; };
  if (buffer.role == Role::Workspace) {
    const network::Step &step = program.steps[buffer.liveBegin];
    return "workspace of " + quoted(network.ops[step.op].name) + " in step " +
           std::to_string(buffer.liveBegin);
  }
  const network::Tensor &tensor = network.tensors[buffer.tensor];
  std::string name = quoted(tensor.name);
  auto range = [](const char *what, const network::Interval &interval) {
    return std::string(" ") + what + " [" + std::to_string(interval.begin) +
           ", " + std::to_string(interval.end) + ")";
  };
  if (buffer.rows.size() != tensor.height ||
      buffer.columns.size() != tensor.width)
    name += range("rows", buffer.rows) + range("columns", buffer.columns);
  switch (buffer.role) {
  case Role::Input:
    return "input " + name;
  case Role::Output:
    return "output " + name;
  default:
    return "activation " + name;
  }
}

std::string quotedBuffer(const AllocationBuffer &buffer) {
  return "buffer '" + buffer.name + "'";
}

std::string lifetime(const AllocationBuffer &buffer) {
  return "[" + std::to_string(buffer.begin) + ", " +
         std::to_string(buffer.end) + ")";
}

bool isPowerOfTwo(int64_t value) {
  return value >= 1 && (value & (value - 1)) == 0;
}

/// What is wrong with one buffer, or empty.
std::string checkBuffer(const AllocationBuffer &buffer) {
  const std::string name = quotedBuffer(buffer);
  if (buffer.bytes < 0)
    return name + " has a negative size of " + std::to_string(buffer.bytes) +
           " bytes";
  if (buffer.end <= buffer.begin)
    return name + " has an empty lifetime " + lifetime(buffer);
  if (!isPowerOfTwo(buffer.alignment))
    return name + " has an alignment of " + std::to_string(buffer.alignment) +
           ", which is no power of two";
  if (!buffer.fixedOffset)
    return "";
  const std::string fixed =
      name + " is fixed at offset " + std::to_string(*buffer.fixedOffset);
  if (*buffer.fixedOffset < 0)
    return fixed + ", which is negative";
  if (*buffer.fixedOffset % buffer.alignment != 0)
    return fixed + ", which is not aligned to " +
           std::to_string(buffer.alignment) + " bytes";
  return "";
}

/// No solver's offset exceeds the highest fixed end plus the sum of all sizes,
/// alignments and pages: that sum must not overflow.
std::string checkSums(const AllocationProblem &problem) {
  std::vector<bool> paged(problem.buffers.size());
  for (const AllocationSeparation &separation : problem.separations)
    paged[separation.first] = paged[separation.second] = true;
  int64_t sum = 0;
  for (size_t i = 0; i < problem.buffers.size(); ++i) {
    const AllocationBuffer &buffer = problem.buffers[i];
    std::optional<int64_t> total = sum;
    for (int64_t more :
         {buffer.bytes, buffer.alignment, buffer.fixedOffset.value_or(0),
          paged[i] ? problem.pageBytes : int64_t{0}})
      if (total)
        total = network::checkedAdd(*total, more);
    if (!total)
      return quotedBuffer(buffer) +
             ": the sizes together exceed what 64 bits can count";
    sum = *total;
  }
  return "";
}

using IndexPair = std::pair<int, int>;

/// Whether both indices are buffers, and different ones; `what` names the pair.
std::string checkIndices(const AllocationProblem &problem, IndexPair pair,
                         const std::string &what) {
  const int count = static_cast<int>(problem.buffers.size());
  for (int index : {pair.first, pair.second})
    if (index < 0 || index >= count)
      return what + " names buffer " + std::to_string(index) + " of " +
             std::to_string(count);
  if (pair.first == pair.second)
    return what + " pairs " + quotedBuffer(problem.buffers[pair.first]) +
           " with itself";
  return "";
}

std::string checkOverlaps(const AllocationProblem &problem) {
  std::set<IndexPair> known;
  for (const AllocationOverlap &overlap : problem.overlaps) {
    const IndexPair pair{overlap.input, overlap.output};
    if (std::string why = checkIndices(problem, pair, "an overlap");
        !why.empty())
      return why;
    const AllocationBuffer &input = problem.buffers[overlap.input];
    const AllocationBuffer &output = problem.buffers[overlap.output];
    // In both directions, each would be the other's output.
    if (!known.insert(std::minmax(pair.first, pair.second)).second)
      return "the overlap of '" + output.name + "' with '" + input.name +
             "' is listed twice";
    if (input.end != output.begin + 1 || input.begin > output.begin)
      return "input '" + input.name + "' with lifetime " + lifetime(input) +
             " and output '" + output.name + "' with lifetime " +
             lifetime(output) + " do not meet in exactly one step";
  }
  return "";
}

std::string checkSeparations(const AllocationProblem &problem) {
  if (!isPowerOfTwo(problem.pageBytes))
    return "a page of " + std::to_string(problem.pageBytes) +
           " bytes is no power of two";
  std::set<IndexPair> known;
  for (const AllocationSeparation &separation : problem.separations) {
    const IndexPair pair = std::minmax(separation.first, separation.second);
    if (std::string why = checkIndices(problem, pair, "a separation");
        !why.empty())
      return why;
    if (!known.insert(pair).second)
      return "the separation of '" + problem.buffers[pair.first].name +
             "' from '" + problem.buffers[pair.second].name +
             "' is listed twice";
  }
  return "";
}

/// Fixed buffers must not clash with each other; all else can go above them.
std::string checkFixed(const AllocationProblem &problem) {
  std::vector<int> fixed;
  for (size_t i = 0; i < problem.buffers.size(); ++i)
    if (problem.buffers[i].fixedOffset && problem.buffers[i].bytes > 0)
      fixed.push_back(static_cast<int>(i));
  std::set<IndexPair> leave, apart;
  for (const AllocationOverlap &overlap : problem.overlaps) {
    const int64_t input =
        problem.buffers[overlap.input].fixedOffset.value_or(0);
    const int64_t output =
        problem.buffers[overlap.output].fixedOffset.value_or(0);
    // Subtracting non-negative numbers, where a sum may overflow.
    if (overlap.exact ? input == output : overlap.distance <= input - output)
      leave.insert(std::minmax(overlap.input, overlap.output));
  }
  for (const AllocationSeparation &separation : problem.separations)
    apart.insert(std::minmax(separation.first, separation.second));

  std::sort(fixed.begin(), fixed.end(), [&](int a, int b) {
    return std::make_pair(*problem.buffers[a].fixedOffset, a) <
           std::make_pair(*problem.buffers[b].fixedOffset, b);
  });
  const int64_t page = problem.pageBytes;
  for (size_t i = 0; i < fixed.size(); ++i) {
    const AllocationBuffer &low = problem.buffers[fixed[i]];
    const int64_t end = *low.fixedOffset + low.bytes;
    for (size_t k = i + 1; k < fixed.size(); ++k) {
      const AllocationBuffer &high = problem.buffers[fixed[k]];
      if (*high.fixedOffset >= end &&
          *high.fixedOffset / page > (end - 1) / page)
        break;
      const IndexPair pair = std::minmax(fixed[i], fixed[k]);
      const bool overlap = *high.fixedOffset < end && low.begin < high.end &&
                           high.begin < low.end && !leave.count(pair);
      const bool samePage =
          *high.fixedOffset / page <= (end - 1) / page && apart.count(pair);
      if (!overlap && !samePage)
        continue;
      return "buffers '" + low.name + "' and '" + high.name +
             "' are fixed at offsets " + std::to_string(*low.fixedOffset) +
             " and " + std::to_string(*high.fixedOffset) +
             (overlap ? ", where they overlap while both live"
                      : ", where they share a page and must not");
    }
  }
  return "";
}

} // namespace

std::string check(const AllocationProblem &problem) {
  for (const AllocationBuffer &buffer : problem.buffers)
    if (std::string why = checkBuffer(buffer); !why.empty())
      return why;
  for (auto part : {checkOverlaps, checkSeparations, checkSums, checkFixed})
    if (std::string why = part(problem); !why.empty())
      return why;
  return "";
}

AllocationProblem allocationProblem(const network::Program &program,
                                    int64_t alignment) {
  AllocationProblem problem;
  problem.buffers.reserve(program.buffers.size());
  for (const network::Buffer &buffer : program.buffers)
    problem.buffers.push_back(
        {"", buffer.bytes, alignment, buffer.liveBegin, buffer.liveEnd});
  for (const network::Reuse &reuse : program.reuses)
    problem.overlaps.push_back(
        {reuse.input, reuse.output, /*distance=*/0, /*exact=*/true});
  return problem;
}

AllocationProblem allocationProblem(const network::Network &network,
                                    const network::Program &program,
                                    int64_t alignment) {
  AllocationProblem problem = allocationProblem(program, alignment);
  for (size_t i = 0; i < program.buffers.size(); ++i)
    problem.buffers[i].name = partName(network, program, program.buffers[i]);
  return problem;
}

} // namespace snug::planner
