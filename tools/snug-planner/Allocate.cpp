// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Addresses for a table of buffers: text, JSON and what stood in the way.
#include "Allocate.h"
#include "BufferTable.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace snug::tool {

using nlohmann::ordered_json;
using planner::AllocationBuffer;
using planner::AllocationSolution;
using planner::AllocationStatus;

namespace {

int fail(const std::string &message) {
  std::fprintf(stderr, "snug-planner: error: %s\n", message.c_str());
  return 1;
}

std::string number(int64_t value) { return std::to_string(value); }

void printTable(const BufferTable &table, const AllocationSolution &solution) {
  size_t width = 2;
  for (const AllocationBuffer &buffer : table.problem.buffers)
    width = std::max(width, buffer.name.size());
  const int column = static_cast<int>(std::min<size_t>(width, 60));
  std::printf("  %-*s %14s %14s %14s %14s\n", column, "id", "lower", "upper",
              "size B", "offset B");
  for (size_t i = 0; i < table.problem.buffers.size(); ++i) {
    const AllocationBuffer &buffer = table.problem.buffers[i];
    std::printf("  %-*s %14s %14s %14s %14s\n", column, buffer.name.c_str(),
                number(buffer.begin).c_str(), number(buffer.end).c_str(),
                number(buffer.bytes).c_str(),
                number(solution.offsets[i]).c_str());
  }
}

const char *describe(AllocationStatus status) {
  switch (status) {
  case AllocationStatus::Optimal:
    return "least peak, proved";
  case AllocationStatus::Fits:
    return "within the capacity; a smaller peak may exist";
  case AllocationStatus::Limit:
    return "stopped by a limit; a smaller peak may exist";
  case AllocationStatus::Infeasible:
    return "the capacity cannot be met, proved";
  }
  return "";
}

ordered_json toJson(const BufferTable &table,
                    const AllocationSolution &solution,
                    const AllocateOptions &options, double seconds) {
  const std::vector<AllocationBuffer> &buffers = table.problem.buffers;
  ordered_json document = {
      {"buffers", buffers.size()}, {"lower_bound", solution.lowerBound},
      {"peak", solution.peak},     {"proved", solution.proved},
      {"nodes", solution.nodes},   {"seconds", seconds}};
  if (options.limits.capacity) {
    document["capacity"] = *options.limits.capacity;
    document["fits"] = solution.peak <= *options.limits.capacity
                           ? ordered_json(true)
                       : solution.status == AllocationStatus::Infeasible
                           ? ordered_json(false)
                           : ordered_json("unknown");
  }
  if (solution.status == AllocationStatus::Infeasible) {
    ordered_json conflict = ordered_json::array();
    for (int index : solution.conflict)
      conflict.push_back(buffers[index].name);
    document["conflict"] = conflict;
  }
  ordered_json offsets = ordered_json::object();
  // As ordered_json looks through all keys at each [], entries are appended.
  auto &entries = offsets.get_ref<ordered_json::object_t &>();
  for (size_t i = 0; i < buffers.size(); ++i)
    entries.emplace_back(buffers[i].name, solution.offsets[i]);
  document["offsets"] = std::move(offsets);
  return document;
}

bool writeJson(const ordered_json &document, const std::string &file) {
  std::ofstream out(file, std::ios::binary);
  out << document.dump(2, ' ', false, ordered_json::error_handler_t::replace)
      << '\n';
  out.close();
  return !out.fail();
}

int reportInfeasible(const BufferTable &table,
                     const AllocationSolution &solution,
                     const AllocateOptions &options) {
  fail(options.file + ": the buffers do not fit into a capacity of " +
       number(*options.limits.capacity) + " bytes, as was proved: at least " +
       number(solution.lowerBound) + " are needed; raise --capacity. These " +
       number(static_cast<int64_t>(solution.conflict.size())) +
       " are already too many:");
  for (int index : solution.conflict) {
    const AllocationBuffer &buffer = table.problem.buffers[index];
    std::fprintf(stderr,
                 "snug-planner: note: line %d: buffer '%s' of %s bytes, live "
                 "[%s, %s)\n",
                 table.lines[index], buffer.name.c_str(),
                 number(buffer.bytes).c_str(), number(buffer.begin).c_str(),
                 number(buffer.end).c_str());
  }
  return 1;
}

} // namespace

int runAllocate(const AllocateOptions &options) {
  std::ifstream in(options.file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in.is_open() || text.bad() ||
      std::filesystem::is_directory(options.file))
    return fail("cannot read '" + options.file + "'");
  Result<BufferTable> table = parseBufferTable(text.str(), options.alignment);
  if (!table)
    return fail(options.file + ": " + table.error().message);
  const std::vector<AllocationBuffer> &buffers = table->problem.buffers;
  const auto &capacity = options.limits.capacity;
  for (size_t i = 0; i < buffers.size(); ++i)
    if (capacity && buffers[i].bytes > *capacity)
      return fail(options.file + ": line " + number(table->lines[i]) +
                  ": buffer '" + buffers[i].name + "' of " +
                  number(buffers[i].bytes) +
                  " bytes alone exceeds the capacity of " + number(*capacity) +
                  " bytes; raise --capacity");

  const auto start = std::chrono::steady_clock::now();
  const AllocationSolution solution =
      planner::allocate(table->problem, options.limits);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
          .count();
  if (std::string why = planner::verify(table->problem, solution); !why.empty())
    return fail("the address assignment is broken: " + why);

  printTable(*table, solution);
  std::printf("%s: %zu buffers\n", options.file.c_str(), buffers.size());
  std::printf("  lower bound %s B, peak %s B, gap %s B: %s\n",
              number(solution.lowerBound).c_str(),
              number(solution.peak).c_str(),
              number(solution.peak - solution.lowerBound).c_str(),
              describe(solution.status));
  std::printf("  %s nodes, %.3f s\n", number(solution.nodes).c_str(), seconds);
  std::fflush(stdout);
  if (!options.json.empty() &&
      !writeJson(toJson(*table, solution, options, seconds), options.json))
    return fail("cannot write '" + options.json + "'");
  if (!capacity || solution.peak <= *capacity)
    return 0;
  if (solution.status == AllocationStatus::Infeasible)
    return reportInfeasible(*table, solution, options);
  return fail(options.file +
              ": unknown whether the buffers fit into a "
              "capacity of " +
              number(*capacity) + " bytes: the best peak found is " +
              number(solution.peak) + ", the lower bound " +
              number(solution.lowerBound) +
              "; raise --node-limit or --time-limit, or --capacity");
}

} // namespace snug::tool
