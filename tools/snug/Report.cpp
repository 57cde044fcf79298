// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tables and JSON that compile and estimate print.
#include "Report.h"
#include "Model.h"

#include "snug/Analysis/Sizes.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
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
  if (report.winogradKernels.value_or(0) > 0)
    out << formatv("  Winograd's algorithm in {0} of {1} convolution kernels\n",
                   *report.winogradKernels, *report.convolutionKernels);
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
  ordered_json document = {
      {"model", report.model},
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
  if (report.winogradKernels) {
    document["convolution_kernels"] = *report.convolutionKernels;
    document["winograd_kernels"] = *report.winogradKernels;
  }
  return document;
}

/// "1x64x112x112"; "scalar" of rank 0.
static std::string formatShape(const std::vector<int64_t> &shape) {
  return shape.empty()
             ? "scalar"
             : llvm::join(llvm::map_range(shape,
                                          [](int64_t extent) {
                                            return std::to_string(extent);
                                          }),
                          "x");
}

static std::vector<std::string> opsOfUnknownCost(const MemoryReport &report) {
  std::vector<std::string> names;
  for (const OpMemory &op : report.ops)
    if (!op.costKnown)
      names.push_back(op.name);
  return names;
}

void printOps(const MemoryReport &report) {
  llvm::raw_ostream &out = llvm::outs();
  // As wide as what stands in them, within reason.
  size_t name = 2, kind = 4, shape = 5;
  for (const OpMemory &op : report.ops) {
    name = std::min<size_t>(std::max(name, op.name.size()), 48);
    kind = std::max(kind, op.kind.size());
    shape = std::max(shape, formatShape(op.shape).size());
  }
  auto line = [&](char mark, llvm::StringRef opName, llvm::StringRef opKind,
                  const std::string &opShape, auto macs, auto... bytes) {
    out << mark << ' ' << llvm::left_justify(opName, name) << ' '
        << llvm::left_justify(opKind, kind) << ' '
        << llvm::left_justify(opShape, shape) << formatv(" {0,15}", macs);
    ((out << formatv(" {0,11}", bytes)), ...);
    out << "\n";
  };
  line(' ', "op", "kind", "shape", "MACs", "input B", "output B", "weights B",
       "workspace B", "live B");
  for (const OpMemory &op : report.ops)
    line(op.name == report.peakOp ? '>' : ' ', op.name, op.kind,
         formatShape(op.shape), op.costKnown ? std::to_string(op.macs) : "?",
         op.inputBytes, op.outputBytes, op.weightBytes, op.workspaceBytes,
         op.liveBytes);
  out << formatv("  peak: {0} live at {1}\n", formatBytes(report.peakLiveBytes),
                 report.peakOp);
  for (const planner::Culprit &buffer : report.peakBuffers)
    out << formatv("    {0,-24}{1,12}\n", buffer.name,
                   formatBytes(buffer.bytes));
  if (auto unknown = opsOfUnknownCost(report); !unknown.empty())
    out << formatv(
        "  totals exclude {0} op{1} of unknown cost, marked ?: {2}\n",
        unknown.size(), unknown.size() == 1 ? "" : "s",
        llvm::join(unknown, ", "));
}

ordered_json opsToJson(const MemoryReport &report) {
  ordered_json ops = ordered_json::array();
  for (const OpMemory &op : report.ops)
    ops.push_back({{"name", op.name},
                   {"kind", op.kind},
                   {"shape", op.shape},
                   {"input", op.inputBytes},
                   {"output", op.outputBytes},
                   {"weights", op.weightBytes},
                   {"workspace", op.workspaceBytes},
                   {"live", op.liveBytes},
                   {"macs", op.costKnown ? ordered_json(op.macs)
                                         : ordered_json(nullptr)}});
  ordered_json buffers = ordered_json::array();
  for (const planner::Culprit &buffer : report.peakBuffers)
    buffers.push_back({{"name", buffer.name}, {"bytes", buffer.bytes}});
  return {{"ops", std::move(ops)},
          {"unknown_cost", opsOfUnknownCost(report)},
          {"peak",
           {{"op", report.peakOp},
            {"live", report.peakLiveBytes},
            {"buffers", std::move(buffers)}}}};
}

std::string csvField(llvm::StringRef text) {
  if (text.find_first_of(",\"\r\n") == llvm::StringRef::npos)
    return text.str();
  std::string field = "\"";
  for (char c : text)
    field += c == '"' ? "\"\"" : std::string(1, c);
  return field + "\"";
}

bool writeOpsCsv(const MemoryReport &report, const std::string &file) {
  return writeFile(file, [&](llvm::raw_ostream &out) {
    out << "op,kind,shape,macs,input_bytes,output_bytes,weight_bytes,"
           "workspace_bytes,live_bytes\n";
    for (const OpMemory &op : report.ops)
      out << formatv("{0},{1},{2},{3},{4},{5},{6},{7},{8}\n", csvField(op.name),
                     csvField(op.kind), formatShape(op.shape),
                     op.costKnown ? std::to_string(op.macs) : "", op.inputBytes,
                     op.outputBytes, op.weightBytes, op.workspaceBytes,
                     op.liveBytes);
    return true;
  });
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
