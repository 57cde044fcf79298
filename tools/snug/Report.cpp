// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tables and JSON that compile and estimate print.
#include "Report.h"
#include "Model.h"

#include "snug/Analysis/Sizes.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

namespace snug::tool {

using llvm::formatv;
using nlohmann::ordered_json;

static double recomputeFactor(int64_t networkMacs, int64_t executedMacs) {
  return networkMacs == 0 ? 1.0
                          : static_cast<double>(executedMacs) /
                                static_cast<double>(networkMacs);
}

AddressReport describeAddresses(const MemoryMap &map) {
  return {static_cast<int64_t>(map.arena.size()), map.lowerBound, map.peak,
          map.nodes};
}

void printReport(const PlanReport &report) {
  llvm::raw_ostream &out = llvm::outs();
  out << formatv("{0}: target {1}, {2} thread{3}\n", report.model,
                 report.target, report.threads, report.threads == 1 ? "" : "s");
  const planner::MemoryFigures &memory = report.memory;
  out << "  predicted memory\n";
  for (auto [name, bytes] :
       {std::pair{"weights", memory.weights},
        std::pair{"activations", memory.activations},
        std::pair{"workspace", memory.workspace},
        std::pair{"runtime overhead", memory.runtimeOverhead},
        std::pair{"peak", memory.peak}, std::pair{"(arena)", memory.arena}})
    out << formatv("    {0,-18}{1,12}  {2,12} B\n", name, formatBytes(bytes),
                   bytes);
  const AddressReport &addresses = report.addresses;
  const int64_t gap = addresses.peak - addresses.lowerBound;
  out << formatv("  addresses of {0} buffers: peak {1} B, lower bound {2} B, "
                 "gap {3} B{4}\n",
                 addresses.buffers, addresses.peak, addresses.lowerBound, gap,
                 gap == 0 ? " (proved)" : "");
  out << formatv("  multiply-accumulates {0} of {1}, recompute factor {2:F3}\n",
                 report.executedMacs, report.networkMacs,
                 recomputeFactor(report.networkMacs, report.executedMacs));
  for (const GroupReport &group : report.groups)
    out << formatv("  group {0,-6} {1,3} ops, live at most {2}: {3} to {4}\n",
                   group.schedule, group.ops.size(),
                   formatBytes(group.arenaBytes), group.ops.front(),
                   group.ops.back());
}

ordered_json toJson(const PlanReport &report, ordered_json options) {
  const planner::MemoryFigures &memory = report.memory;
  ordered_json groups = ordered_json::array();
  for (const GroupReport &group : report.groups)
    groups.push_back({{"ops", group.ops},
                      {"schedule", group.schedule},
                      {"arena", group.arenaBytes},
                      {"latency_us", nullptr}});
  return {{"model", report.model},
          {"target", report.target},
          {"options", std::move(options)},
          {"memory",
           {{"predicted",
             {{"weights", memory.weights},
              {"activations", memory.activations},
              {"workspace", memory.workspace},
              {"runtime_overhead", memory.runtimeOverhead},
              {"arena", memory.arena},
              {"peak", memory.peak}}},
            {"measured", nullptr}}},
          {"addresses",
           {{"buffers", report.addresses.buffers},
            {"lower_bound", report.addresses.lowerBound},
            {"peak", report.addresses.peak},
            {"gap", report.addresses.peak - report.addresses.lowerBound},
            {"proved", report.addresses.peak == report.addresses.lowerBound},
            {"nodes", report.addresses.nodes}}},
          {"latency_us", {{"predicted", nullptr}, {"measured", nullptr}}},
          {"network_macs", report.networkMacs},
          {"executed_macs", report.executedMacs},
          {"recompute_factor",
           recomputeFactor(report.networkMacs, report.executedMacs)},
          {"groups", std::move(groups)}};
}

void printOps(const MemoryReport &report) {
  llvm::raw_ostream &out = llvm::outs();
  out << formatv(
      "  {0,-24} {1,-16} {2,11} {3,11} {4,11} {5,11} {6,11} {7,15}\n", "op",
      "kind", "input B", "output B", "weights B", "workspace B", "live B",
      "MACs");
  for (const OpMemory &op : report.ops)
    out << formatv(
        "{0} {1,-24} {2,-16} {3,11} {4,11} {5,11} {6,11} {7,11} {8,15}\n",
        op.name == report.peakOp ? ">" : " ", op.name, op.kind, op.inputBytes,
        op.outputBytes, op.weightBytes, op.workspaceBytes, op.liveBytes,
        op.macs);
  out << formatv("  peak: {0} live at {1}\n", formatBytes(report.peakLiveBytes),
                 report.peakOp);
  for (const planner::Culprit &buffer : report.peakBuffers)
    out << formatv("    {0,-24}{1,12}\n", buffer.name,
                   formatBytes(buffer.bytes));
}

ordered_json opsToJson(const MemoryReport &report) {
  ordered_json ops = ordered_json::array();
  for (const OpMemory &op : report.ops)
    ops.push_back({{"name", op.name},
                   {"kind", op.kind},
                   {"input", op.inputBytes},
                   {"output", op.outputBytes},
                   {"weights", op.weightBytes},
                   {"workspace", op.workspaceBytes},
                   {"live", op.liveBytes},
                   {"macs", op.macs}});
  ordered_json buffers = ordered_json::array();
  for (const planner::Culprit &buffer : report.peakBuffers)
    buffers.push_back({{"name", buffer.name}, {"bytes", buffer.bytes}});
  return {{"ops", std::move(ops)},
          {"peak",
           {{"op", report.peakOp},
            {"live", report.peakLiveBytes},
            {"buffers", std::move(buffers)}}}};
}

bool writeJson(const ordered_json &document, const std::string &file) {
  // A name in a model may hold bytes that are no UTF-8; they are replaced.
  return writeFile(file, [&](llvm::raw_ostream &out) {
    out << document.dump(2, ' ', false, ordered_json::error_handler_t::replace)
        << "\n";
    return true;
  });
}

} // namespace snug::tool
