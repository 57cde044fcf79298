// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Predicted and measured stand next to each other, by category.

#include "Report.h"

#include "JsonWriter.h"

#include <cinttypes>
#include <cstdio>

namespace snug {
namespace runner {

namespace {

double recomputeFactor(const snug_plan *plan, const Measurements &measured) {
  const uint64_t network = snug_plan_prediction(plan).network_macs;
  return network ? static_cast<double>(measured.executedMacs) /
                       static_cast<double>(network)
                 : 1.0;
}

/// One line of the memory table; null: there is no such figure.
void printBytes(const char *category, const uint64_t *predicted,
                const uint64_t *measured, const char *remark) {
  std::printf("  %-17s", category);
  for (const uint64_t *bytes : {predicted, measured}) {
    if (bytes)
      std::printf(" %12.3f MB", static_cast<double>(*bytes) / 1e6);
    else
      std::printf(" %15s", "-");
  }
  std::printf("%s%s\n", *remark ? "  " : "", remark);
}

void writePrediction(JsonWriter &json, const snug_prediction &predicted) {
  json.beginObject("predicted");
  json.integer("weights", predicted.weights);
  json.integer("activations", predicted.activations);
  json.integer("workspace", predicted.workspace);
  json.integer("runtime_overhead", predicted.runtime_overhead);
  json.integer("arena", predicted.arena);
  json.integer("peak", predicted.peak);
  json.endObject();
}

void writeOptions(JsonWriter &json, const snug_plan *plan,
                  const RunOptions &options) {
  json.beginObject("options");
  json.string("plan", options.plan.c_str());
  json.signedInteger("threads", snug_plan_threads(plan));
  json.signedInteger("repeat", options.repeat);
  if (options.randomInputs)
    json.integer("random_inputs", options.seed);
  else
    json.null("random_inputs");
  json.string("guard", options.guard == Guard::Start ? "start"
                       : options.guard == Guard::End ? "end"
                                                     : "none");
  json.endObject();
}

std::string closed(JsonWriter &json, const std::string &path) {
  return json.close() ? "" : "cannot write '" + path + "'";
}

} // namespace

void printReport(const snug_plan *plan, const RunOptions &options,
                 const Measurements &measured) {
  const snug_prediction p = snug_plan_prediction(plan);
  std::printf("model %s, target %s, %d thread%s\n", snug_plan_model(plan),
              snug_plan_target(plan), snug_plan_threads(plan),
              snug_plan_threads(plan) == 1 ? "" : "s");
  std::printf("memory                  predicted        measured\n");
  const uint64_t &peak = measured.memory.peak;
  const bool streams = snug_plan_streams_weights(plan) != 0;
  const uint64_t weights =
      streams ? measured.streamedBytes : measured.planFileBytes;
  const uint64_t apart = weights + measured.arenaBytes;
  const uint64_t rest = peak > apart ? peak - apart : 0;
  printBytes("weights", &p.weights, &weights,
             streams ? "streamed: the most that were mapped at once"
                     : "resident bytes of the plan file, with its program");
  printBytes("activations", &p.activations, nullptr, "");
  printBytes("workspace", &p.workspace, nullptr, "");
  printBytes("arena", &p.arena, &measured.arenaBytes,
             "activations and workspace, as mapped");
  printBytes("runtime overhead", &p.runtime_overhead, &rest,
             "peak without weights and arena");
  printBytes("peak", &p.peak, &peak, "largest resident set");
  printBytes("  anonymous", nullptr, &measured.memory.anonymous, "at the end");
  printBytes("  file-backed", nullptr, &measured.memory.fileBacked,
             "at the end");
  std::printf("latency                         -  %12.3f ms",
              measured.medianUs / 1e3);
  if (options.repeat > 1)
    std::printf("  median of %d runs, %.3f to %.3f", options.repeat,
                measured.minUs / 1e3, measured.maxUs / 1e3);
  std::printf(
      "\nmultiply-accumulates  %.6f G of the network, %.6f G predicted, "
      "%.6f G executed, factor %.4f\n",
      static_cast<double>(p.network_macs) / 1e9,
      static_cast<double>(p.executed_macs) / 1e9,
      static_cast<double>(measured.executedMacs) / 1e9,
      recomputeFactor(plan, measured));
  for (size_t i = 0; i < snug_plan_group_count(plan); ++i) {
    snug_group_info group;
    snug_plan_group_info(plan, i, &group);
    std::printf("group %zu: %zu ops, %s, arena %.3f MB, %.3f ms\n", i,
                group.op_count, group.schedule,
                static_cast<double>(group.arena_bytes) / 1e6,
                measured.groupUs[i] / 1e3);
  }
}

std::string writeReport(const snug_plan *plan, const RunOptions &options,
                        const Measurements &measured) {
  JsonWriter json(options.jsonFile);
  if (!json.ok())
    return "cannot create '" + options.jsonFile + "'";
  const snug_prediction predicted = snug_plan_prediction(plan);
  json.beginObject();
  json.string("model", snug_plan_model(plan));
  json.string("target", snug_plan_target(plan));
  writeOptions(json, plan, options);
  json.beginObject("memory");
  writePrediction(json, predicted);
  json.beginObject("measured");
  const bool streams = snug_plan_streams_weights(plan) != 0;
  json.integer("weights",
               streams ? measured.streamedBytes : measured.planFileBytes);
  json.integer("arena", measured.arenaBytes);
  json.integer("peak", measured.memory.peak);
  json.integer("anonymous", measured.memory.anonymous);
  json.integer("file_backed", measured.memory.fileBacked);
  json.integer("plan_file", measured.planFileBytes);
  json.endObject();
  json.endObject();
  json.beginObject("latency_us");
  json.null("predicted");
  json.number("measured", measured.medianUs);
  json.number("min", measured.minUs);
  json.number("max", measured.maxUs);
  json.signedInteger("runs", options.repeat);
  json.endObject();
  json.integer("network_macs", predicted.network_macs);
  json.integer("executed_macs", measured.executedMacs);
  json.number("recompute_factor", recomputeFactor(plan, measured), 9);
  json.beginArray("groups");
  for (size_t i = 0; i < snug_plan_group_count(plan); ++i) {
    snug_group_info group;
    snug_plan_group_info(plan, i, &group);
    json.beginObject();
    json.beginArray("ops");
    for (size_t op = 0; op < group.op_count; ++op)
      json.string(nullptr, snug_plan_group_op(plan, i, op));
    json.endArray();
    json.string("schedule", group.schedule);
    json.integer("arena", group.arena_bytes);
    json.number("latency_us", measured.groupUs[i]);
    json.endObject();
  }
  json.endArray();
  json.endObject();
  return closed(json, options.jsonFile);
}

std::string writeTrace(const snug_executor *executor, const std::string &path) {
  JsonWriter json(path);
  if (!json.ok())
    return "cannot create '" + path + "'";
  json.beginObject();
  json.string("displayTimeUnit", "ms");
  json.beginArray("traceEvents");
  for (size_t i = 0; i < snug_executor_profile_count(executor); ++i) {
    snug_profile_record record;
    snug_executor_profile_record(executor, i, &record);
    json.beginObject();
    json.string("name", record.name);
    json.string("cat", record.kernel);
    json.string("ph", "X");
    json.number("ts", static_cast<double>(record.start_ns) / 1e3);
    json.number("dur", static_cast<double>(record.duration_ns) / 1e3);
    json.integer("pid", 1);
    json.integer("tid", 1);
    json.beginObject("args");
    json.string("kernel", record.kernel);
    json.signedInteger("group", record.group);
    json.signedInteger("tile", record.tile);
    json.integer("macs", record.macs);
    json.endObject();
    json.endObject();
  }
  json.endArray();
  json.endObject();
  return closed(json, path);
}

} // namespace runner
} // namespace snug
