// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Prints a plan: one line an instruction, or the same as JSON.

#include "Call.h"
#include "JsonWriter.h"
#include "NpyFile.h"
#include "Plan.h"
#include "Report.h"

#include <cinttypes>
#include <cstdio>

namespace snug {
namespace runner {

namespace {

using runtime::Activation;
using runtime::Call;
using runtime::KernelKind;
using runtime::TensorView;
using runtime::WindowShape;

const char *activationName(Activation activation) {
  switch (activation) {
  case Activation::None:
    return "none";
  case Activation::Relu:
    return "relu";
  case Activation::LeakyRelu:
    return "leaky_relu";
  case Activation::Relu6:
    return "relu6";
  default:
    break;
  }
  return "unknown";
}

bool windowed(const Call &call) {
  return call.kind == KernelKind::Convolution ||
         call.kind == KernelKind::Depthwise ||
         call.kind == KernelKind::MaxPool ||
         call.kind == KernelKind::AveragePool;
}

bool weighted(const Call &call) {
  return call.kind == KernelKind::Convolution ||
         call.kind == KernelKind::Depthwise || call.kind == KernelKind::Gemm;
}

/// "1x8x8x16 at 4096 strides 1024,128,16,1" (batch, rows, pixels, channels).
void printView(const char *role, const TensorView &v, uint64_t offset) {
  std::printf(" %s %dx%dx%dx%d at %" PRIu64 " strides %" PRId64 ",%" PRId64
              ",%" PRId64 ",%" PRId64,
              role, v.batch, v.height, v.width, v.channels, offset,
              v.batchStride, v.rowStride, v.pixelStride, v.channelStride);
}

void printCall(const schema::Instruction &instruction, uint32_t index,
               const Call &call) {
  std::printf("  %5" PRIu32 " %s '%s'", index, runtime::kernelName(call.kind),
              instruction.name()->c_str());
  if (instruction.group() >= 0)
    std::printf(" group %d tile %d", instruction.group(), instruction.tile());
  printView("input", call.input, call.inputOffset);
  if (call.hasSecond)
    printView(call.kind == KernelKind::Binary ? "right" : "residual",
              call.second, call.secondOffset);
  printView("output", call.output, call.outputOffset);
  if (windowed(call)) {
    const WindowShape &w = call.window;
    std::printf(" kernel %dx%d stride %dx%d dilation %dx%d pads %d,%d,%d,%d",
                w.kernelHeight, w.kernelWidth, w.strideHeight, w.strideWidth,
                w.dilationHeight, w.dilationWidth, w.padTop, w.padLeft,
                w.padBottom, w.padRight);
    if (call.kind == KernelKind::Convolution && w.groups != 1)
      std::printf(" groups %d", w.groups);
  }
  if (weighted(call))
    std::printf(" weights at %" PRIu64, call.weightsOffset);
  if (call.hasBias)
    std::printf(" bias at %" PRIu64, call.biasOffset);
  if (call.activation == Activation::LeakyRelu)
    std::printf(" leaky_relu(%g)", static_cast<double>(call.alpha));
  else if (call.activation != Activation::None)
    std::printf(" %s", activationName(call.activation));
  if (call.hasWorkspace)
    std::printf(" workspace at %" PRIu64, call.workspaceOffset);
  std::printf("\n");
}

void writeView(JsonWriter &json, const char *role, const TensorView &v,
               uint64_t offset) {
  json.beginObject(role);
  json.integer("offset", offset);
  json.beginArray("extents");
  for (int32_t extent : {v.batch, v.height, v.width, v.channels})
    json.signedInteger(nullptr, extent);
  json.endArray();
  json.beginArray("strides");
  for (int64_t stride :
       {v.batchStride, v.rowStride, v.pixelStride, v.channelStride})
    json.signedInteger(nullptr, stride);
  json.endArray();
  json.endObject();
}

void writePair(JsonWriter &json, const char *key, int32_t a, int32_t b) {
  json.beginArray(key);
  json.signedInteger(nullptr, a);
  json.signedInteger(nullptr, b);
  json.endArray();
}

void writeCall(JsonWriter &json, const schema::Instruction &instruction,
               const Call &call) {
  json.beginObject();
  json.string("name", instruction.name()->c_str());
  json.string("kernel", runtime::kernelName(call.kind));
  json.signedInteger("group", instruction.group());
  json.signedInteger("tile", instruction.tile());
  writeView(json, "input", call.input, call.inputOffset);
  if (call.hasSecond)
    writeView(json, call.kind == KernelKind::Binary ? "right" : "residual",
              call.second, call.secondOffset);
  writeView(json, "output", call.output, call.outputOffset);
  if (windowed(call)) {
    const WindowShape &w = call.window;
    writePair(json, "window", w.kernelHeight, w.kernelWidth);
    writePair(json, "stride", w.strideHeight, w.strideWidth);
    writePair(json, "dilation", w.dilationHeight, w.dilationWidth);
    json.beginArray("pads");
    for (int32_t pad : {w.padTop, w.padLeft, w.padBottom, w.padRight})
      json.signedInteger(nullptr, pad);
    json.endArray();
    json.signedInteger("groups", w.groups);
  }
  if (weighted(call))
    json.integer("weights", call.weightsOffset);
  if (call.hasBias)
    json.integer("bias", call.biasOffset);
  json.string("activation", activationName(call.activation));
  if (call.activation == Activation::LeakyRelu)
    json.number("alpha", static_cast<double>(call.alpha), 9);
  if (call.hasWorkspace)
    json.integer("workspace", call.workspaceOffset);
  json.endObject();
}

using Bindings =
    flatbuffers::Vector<flatbuffers::Offset<schema::TensorBinding>>;
using Info = snug_status (*)(const snug_plan *, size_t, snug_tensor_info *);

void printBindings(const char *role, const snug_plan *plan,
                   const Bindings &bindings, Info info) {
  for (uint32_t i = 0; i < bindings.size(); ++i) {
    snug_tensor_info tensor;
    info(plan, i, &tensor);
    std::printf("%s '%s' %s at %" PRIu64 ", %" PRIu64 " bytes\n", role,
                tensor.name, shapeText(tensor.shape, tensor.rank).c_str(),
                bindings.Get(i)->offset(), tensor.bytes);
  }
}

void writeBindings(JsonWriter &json, const char *role, const snug_plan *plan,
                   const Bindings &bindings, Info info) {
  json.beginArray(role);
  for (uint32_t i = 0; i < bindings.size(); ++i) {
    snug_tensor_info tensor;
    info(plan, i, &tensor);
    json.beginObject();
    json.string("name", tensor.name);
    json.beginArray("shape");
    for (size_t axis = 0; axis < tensor.rank; ++axis)
      json.signedInteger(nullptr, tensor.shape[axis]);
    json.endArray();
    json.integer("offset", bindings.Get(i)->offset());
    json.integer("bytes", tensor.bytes);
    json.endObject();
  }
  json.endArray();
}

/// Calls `onCall(index, instruction, call)` for each; an error, or empty.
template <typename OnCall>
std::string forEachCall(const snug_plan *plan, OnCall onCall) {
  const schema::Program &program = *plan->program;
  const runtime::CallLimits limits = {&program, program.arena_bytes(),
                                      plan->target, program.threads()};
  for (uint32_t i = 0; i < program.instructions()->size(); ++i) {
    Call call;
    const snug_status status = checkCall(limits, i, &call);
    if (status.code != SNUG_OK)
      return status.message;
    onCall(i, *program.instructions()->Get(i), call);
  }
  return "";
}

std::string printPlan(const snug_plan *plan) {
  const schema::Program &program = *plan->program;
  const snug_prediction p = snug_plan_prediction(plan);
  std::printf("plan of '%s' by %s\n", snug_plan_model(plan),
              program.producer()->c_str());
  std::printf("target %s, threads %d, arena %" PRIu64 " bytes, weights %" PRIu64
              " bytes\n",
              snug_plan_target(plan), snug_plan_threads(plan),
              program.arena_bytes(), plan->weightsBytes);
  std::printf("predicted weights %" PRIu64 ", activations %" PRIu64
              ", workspace %" PRIu64 ", runtime overhead %" PRIu64
              ", arena %" PRIu64 ", peak %" PRIu64 " bytes\n",
              p.weights, p.activations, p.workspace, p.runtime_overhead,
              p.arena, p.peak);
  std::printf("predicted multiply-accumulates %" PRIu64 ", network's %" PRIu64
              "\n",
              p.executed_macs, p.network_macs);
  printBindings("input", plan, *program.inputs(), &snug_plan_input_info);
  printBindings("output", plan, *program.outputs(), &snug_plan_output_info);
  for (uint32_t i = 0; i < program.groups()->size(); ++i) {
    const schema::Group &group = *program.groups()->Get(i);
    std::printf("group %" PRIu32 " %s, arena %" PRIu64 " bytes:", i,
                group.schedule()->c_str(), group.arena_bytes());
    for (const auto *op : *group.ops())
      std::printf(" %s", op->c_str());
    std::printf("\n");
  }
  std::printf("segments %" PRIu32 "\n", program.segments()->size());
  for (uint32_t i = 0; i < program.segments()->size(); ++i) {
    const schema::Segment &segment = *program.segments()->Get(i);
    std::printf("  %5" PRIu32 " '%s' at %" PRIu64 ", %" PRIu64 " bytes\n", i,
                segment.name()->c_str(), segment.range()->offset(),
                segment.range()->bytes());
  }
  std::printf("instructions %" PRIu32 "\n", program.instructions()->size());
  return forEachCall(
      plan, [](uint32_t index, const schema::Instruction &instruction,
               const Call &call) { printCall(instruction, index, call); });
}

std::string writePlan(const snug_plan *plan, const std::string &path) {
  JsonWriter json(path);
  if (!json.ok())
    return "cannot create '" + path + "'";
  const schema::Program &program = *plan->program;
  json.beginObject();
  json.string("model", snug_plan_model(plan));
  json.string("producer", program.producer()->c_str());
  json.string("target", snug_plan_target(plan));
  json.signedInteger("threads", snug_plan_threads(plan));
  json.integer("arena", program.arena_bytes());
  json.integer("weights", plan->weightsBytes);
  writeBindings(json, "inputs", plan, *program.inputs(), &snug_plan_input_info);
  writeBindings(json, "outputs", plan, *program.outputs(),
                &snug_plan_output_info);
  json.beginArray("segments");
  for (uint32_t i = 0; i < program.segments()->size(); ++i) {
    const schema::Segment &segment = *program.segments()->Get(i);
    json.beginObject();
    json.string("name", segment.name()->c_str());
    json.integer("offset", segment.range()->offset());
    json.integer("bytes", segment.range()->bytes());
    json.endObject();
  }
  json.endArray();
  json.beginArray("instructions");
  const std::string error = forEachCall(
      plan, [&json](uint32_t, const schema::Instruction &instruction,
                    const Call &call) { writeCall(json, instruction, call); });
  json.endArray();
  json.endObject();
  if (!error.empty())
    return error;
  return json.close() ? "" : "cannot write '" + path + "'";
}

} // namespace

std::string dumpPlan(const snug_plan *plan, const RunOptions &options) {
  std::string error = printPlan(plan);
  if (error.empty() && !options.jsonFile.empty())
    error = writePlan(plan, options.jsonFile);
  return error;
}

} // namespace runner
} // namespace snug
