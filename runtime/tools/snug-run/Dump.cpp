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

/// A name for every number of an enumeration.
template <typename Enumeration, size_t Count>
const char *nameOf(const char *const (&names)[Count], Enumeration value) {
  const size_t number = static_cast<size_t>(value);
  return number < Count ? names[number] : "unknown";
}

const char *const kActivations[] = {
    "none", "relu",         "leaky_relu", "relu6",    "clip",       "sigmoid",
    "silu", "hard_sigmoid", "hard_swish", "tanh",     "elu",        "exp",
    "log",  "sqrt",         "abs",        "neg",      "reciprocal", "floor",
    "ceil", "erf",          "gelu",       "softplus", "mish"};
const char *const kReductions[] = {"max", "mean", "sum", "min"};
const char *const kBinaryKinds[] = {"add", "sub", "mul", "div",
                                    "max", "min", "pow", "prelu"};
const char *const kResizeModes[] = {"nearest", "linear"};
const char *const kRoundings[] = {"round_prefer_floor", "round_prefer_ceil",
                                  "floor", "ceil"};
const char *const kPadModes[] = {"constant", "reflect", "edge"};

/// How many parameters an activation has: alpha, or alpha and beta.
int activationParameters(Activation activation) {
  switch (activation) {
  case Activation::LeakyRelu:
  case Activation::Elu:
    return 1;
  case Activation::Clip:
  case Activation::HardSigmoid:
    return 2;
  default:
    return 0;
  }
}

/// What the kernel is one of, null where there is one only.
const char *kindName(const Call &call) {
  switch (call.kind) {
  case KernelKind::Reduce:
    return nameOf(kReductions, call.reduceKind);
  case KernelKind::Binary:
    return nameOf(kBinaryKinds, call.binaryKind);
  case KernelKind::Resize:
    return nameOf(kResizeModes, call.resize.mode);
  case KernelKind::Pad:
    return nameOf(kPadModes, call.pad.mode);
  default:
    return nullptr;
  }
}

/// The second view's part.
const char *secondRole(const Call &call) {
  return call.kind == KernelKind::Binary || call.kind == KernelKind::MatMul
             ? "right"
             : "residual";
}

/// "1x8x8x16 at 4096 strides 1024,128,16,1" (batch, rows, pixels, channels).
void printView(const char *role, const TensorView &v, uint64_t offset,
               bool constant = false) {
  std::printf(" %s%s %dx%dx%dx%d at %" PRIu64 " strides %" PRId64 ",%" PRId64
              ",%" PRId64 ",%" PRId64,
              constant ? "constant " : "", role, v.batch, v.height, v.width,
              v.channels, offset, v.batchStride, v.rowStride, v.pixelStride,
              v.channelStride);
}

void printRearrangement(const Call &call) {
  const runtime::RearrangeShape &r = call.rearrange;
  std::printf(" input at %" PRIu64 " output at %" PRIu64 " loops",
              call.inputOffset, call.outputOffset);
  for (int i = 0; i < r.loops; ++i)
    std::printf(" %d:%" PRId64 ">%" PRId64, r.extents[i], r.inputStrides[i],
                r.outputStrides[i]);
}

void printResizeAxis(const char *name, const runtime::ResizeAxis &axis) {
  std::printf(" %s %.17g * (%d + o) + %.17g of %d from %d", name, axis.scale,
              axis.outputBegin, axis.shift, axis.full, axis.inputBegin);
}

/// What a kernel's geometry is besides its views.
void printShape(const Call &call) {
  if (call.hasWindow()) {
    const WindowShape &w = call.window;
    std::printf(" kernel %dx%d stride %dx%d dilation %dx%d pads %d,%d,%d,%d",
                w.kernelHeight, w.kernelWidth, w.strideHeight, w.strideWidth,
                w.dilationHeight, w.dilationWidth, w.padTop, w.padLeft,
                w.padBottom, w.padRight);
    if (call.hasWeights() && call.kind != KernelKind::Depthwise &&
        w.groups != 1)
      std::printf(" groups %d", w.groups);
  }
  if (call.countsPads)
    std::printf(" counts pads, %d below, %d to the right", call.counted.bottom,
                call.counted.right);
  if (call.kind == KernelKind::TransposedConvolution)
    std::printf(" offsets %d,%d", call.transposed.row, call.transposed.column);
  if (call.kind == KernelKind::Resize) {
    if (call.resize.mode == runtime::ResizeMode::Nearest)
      std::printf(" %s", nameOf(kRoundings, call.resize.rounding));
    printResizeAxis("rows", call.resize.rows);
    printResizeAxis("columns", call.resize.columns);
  }
  if (call.kind == KernelKind::Pad) {
    const runtime::PadShape &p = call.pad;
    std::printf(" pads %d,%d,%d,%d channels %d,%d", p.top, p.left, p.bottom,
                p.right, p.front, p.back);
    if (p.mode == runtime::PadMode::Constant)
      std::printf(" value %g", static_cast<double>(p.value));
  }
  if (call.kind == KernelKind::LocalResponseNormalization) {
    const runtime::NormalizationShape &n = call.normalization;
    std::printf(" size %d alpha %g beta %g bias %g", n.size,
                static_cast<double>(n.alpha), static_cast<double>(n.beta),
                static_cast<double>(n.bias));
  }
}

void printActivation(const Call &call) {
  if (call.activation == Activation::None)
    return;
  std::printf(" %s", nameOf(kActivations, call.activation));
  const int parameters = activationParameters(call.activation);
  if (parameters == 1)
    std::printf("(%g)", static_cast<double>(call.alpha));
  else if (parameters == 2)
    std::printf("(%g, %g)", static_cast<double>(call.alpha),
                static_cast<double>(call.beta));
}

void printCall(const schema::Instruction &instruction, uint32_t index,
               const Call &call) {
  std::printf("  %5" PRIu32 " %s", index, runtime::kernelName(call.kind));
  if (const char *kind = kindName(call))
    std::printf(" %s", kind);
  std::printf(" '%s'", instruction.name()->c_str());
  if (instruction.group() >= 0)
    std::printf(" group %d tile %d", instruction.group(), instruction.tile());
  if (call.kind == KernelKind::Rearrange) {
    printRearrangement(call);
  } else {
    printView("input", call.input, call.inputOffset, call.inputIsConstant);
    if (call.hasSecond)
      printView(secondRole(call), call.second, call.secondOffset,
                call.secondIsConstant);
    printView("output", call.output, call.outputOffset);
  }
  printShape(call);
  if (call.hasWeights())
    std::printf(" weights at %" PRIu64, call.weightsOffset);
  if (call.hasBias)
    std::printf(" bias at %" PRIu64, call.biasOffset);
  printActivation(call);
  if (call.hasWorkspace)
    std::printf(" workspace at %" PRIu64, call.workspaceOffset);
  std::printf("\n");
}

void writeView(JsonWriter &json, const char *role, const TensorView &v,
               uint64_t offset, bool constant = false) {
  json.beginObject(role);
  json.integer("offset", offset);
  if (constant)
    json.string("in", "weights");
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

template <typename Integer>
void writeIntegers(JsonWriter &json, const char *key, const Integer *values,
                   int count) {
  json.beginArray(key);
  for (int i = 0; i < count; ++i)
    json.signedInteger(nullptr, values[i]);
  json.endArray();
}

void writeResizeAxis(JsonWriter &json, const char *key,
                     const runtime::ResizeAxis &axis) {
  json.beginObject(key);
  json.number("scale", axis.scale, 17);
  json.number("shift", axis.shift, 17);
  json.signedInteger("full", axis.full);
  json.signedInteger("input_begin", axis.inputBegin);
  json.signedInteger("output_begin", axis.outputBegin);
  json.endObject();
}

void writeShape(JsonWriter &json, const Call &call) {
  if (call.hasWindow()) {
    const WindowShape &w = call.window;
    writePair(json, "window", w.kernelHeight, w.kernelWidth);
    writePair(json, "stride", w.strideHeight, w.strideWidth);
    writePair(json, "dilation", w.dilationHeight, w.dilationWidth);
    const int32_t pads[] = {w.padTop, w.padLeft, w.padBottom, w.padRight};
    writeIntegers(json, "pads", pads, 4);
    json.signedInteger("groups", w.groups);
  }
  if (call.countsPads)
    writePair(json, "counted_pads", call.counted.bottom, call.counted.right);
  if (call.kind == KernelKind::TransposedConvolution)
    writePair(json, "offsets", call.transposed.row, call.transposed.column);
  if (call.kind == KernelKind::Resize) {
    json.string("rounding", nameOf(kRoundings, call.resize.rounding));
    writeResizeAxis(json, "rows", call.resize.rows);
    writeResizeAxis(json, "columns", call.resize.columns);
  }
  if (call.kind == KernelKind::Pad) {
    const runtime::PadShape &p = call.pad;
    const int32_t pads[] = {p.top, p.left, p.bottom, p.right, p.front, p.back};
    writeIntegers(json, "pads", pads, 6);
    json.number("value", static_cast<double>(p.value), 9);
  }
  if (call.kind == KernelKind::LocalResponseNormalization) {
    json.signedInteger("size", call.normalization.size);
    json.number("alpha", static_cast<double>(call.normalization.alpha), 9);
    json.number("beta", static_cast<double>(call.normalization.beta), 9);
    json.number("bias", static_cast<double>(call.normalization.bias), 9);
  }
}

void writeCall(JsonWriter &json, const schema::Instruction &instruction,
               const Call &call) {
  json.beginObject();
  json.string("name", instruction.name()->c_str());
  json.string("kernel", runtime::kernelName(call.kind));
  if (const char *kind = kindName(call))
    json.string("kind", kind);
  json.signedInteger("group", instruction.group());
  json.signedInteger("tile", instruction.tile());
  if (call.kind == KernelKind::Rearrange) {
    const runtime::RearrangeShape &r = call.rearrange;
    json.integer("input_offset", call.inputOffset);
    json.integer("output_offset", call.outputOffset);
    writeIntegers(json, "extents", r.extents, r.loops);
    writeIntegers(json, "input_strides", r.inputStrides, r.loops);
    writeIntegers(json, "output_strides", r.outputStrides, r.loops);
  } else {
    writeView(json, "input", call.input, call.inputOffset,
              call.inputIsConstant);
    if (call.hasSecond)
      writeView(json, secondRole(call), call.second, call.secondOffset,
                call.secondIsConstant);
    writeView(json, "output", call.output, call.outputOffset);
  }
  writeShape(json, call);
  if (call.hasWeights())
    json.integer("weights", call.weightsOffset);
  if (call.hasBias)
    json.integer("bias", call.biasOffset);
  json.string("activation", nameOf(kActivations, call.activation));
  const int parameters = activationParameters(call.activation);
  if (parameters > 0)
    json.number("alpha", static_cast<double>(call.alpha), 9);
  if (parameters > 1)
    json.number("beta", static_cast<double>(call.beta), 9);
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
              " bytes, %s\n",
              snug_plan_target(plan), snug_plan_threads(plan),
              program.arena_bytes(), plan->weightsBytes,
              program.stream_weights() ? "streamed" : "resident");
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
  if (program.weight_ranges())
    for (const schema::WeightRange *range : *program.weight_ranges())
      std::printf("weights at %" PRIu64 ", %" PRIu64
                  " bytes for instructions %" PRIu32 " to %" PRIu32 "\n",
                  range->offset(), range->bytes(), range->begin(),
                  range->end() - 1);
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
  json.string("weights_mode",
              program.stream_weights() ? "streamed" : "resident");
  json.beginArray("weight_ranges");
  if (program.weight_ranges())
    for (const schema::WeightRange *range : *program.weight_ranges()) {
      json.beginObject();
      json.integer("begin", range->begin());
      json.integer("end", range->end());
      json.integer("offset", range->offset());
      json.integer("bytes", range->bytes());
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
