// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Writes a snug_plan.program as a plan file.
#include "snug/Export/ExportPlan.h"

#include "KernelTables.h"
#include "PackSegment.h"

#include "snug/Dialect/Plan/PlanDialect.h"
#include "snug/Dialect/Plan/WeightLayout.h"
#include "snug/Dialect/Snug/SnugConstants.h"
#include "snug/Dialect/Snug/SnugDialect.h"
#include "snug/runtime/Catalogue.h"
#include "snug/runtime/PlanFormat.h"
#include "snug/runtime/plan_generated.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <memory>
#include <vector>

using namespace mlir;

namespace snug {

using runtime::PlanHeader;

static_assert(plan::kWeightPageBytes == runtime::kPageBytes,
              "streamed weights are mapped in pages of the file");

namespace {

/// Fills the plan schema's tables from one program and writes the file.
class Exporter {
public:
  explicit Exporter(plan::ProgramOp program) : program(program) {}

  LogicalResult write(llvm::raw_ostream &output, bool freeWeights);

private:
  void placeSegments();
  LogicalResult describe();
  LogicalResult addBinding(plan::BufferOp buffer);
  LogicalResult addInstruction(plan::KernelOpInterface kernel);

  LogicalResult writeSegments(llvm::raw_ostream &output, bool freeWeights);

  plan::ProgramOp program;
  schema::ProgramT tables;
  plan::WeightLayout layout;
  llvm::StringMap<int> segmentIndices;
  uint64_t weightsBytes = 0;
};

} // namespace

/// The name that a kernel's layer has in the model.
static std::string layerName(Operation *op) {
  StringRef name = cnn::getNodeName(op);
  return name.empty() ? op->getName().stripDialect().str() : name.str();
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

void Exporter::placeSegments() {
  layout = plan::layOutWeights(program);
  for (auto [segment, offset] :
       llvm::zip_equal(layout.segments, layout.offsets)) {
    segmentIndices[segment.getSymName()] =
        static_cast<int>(tables.segments.size());
    auto entry = std::make_unique<schema::SegmentT>();
    entry->name = segment.getSymName().str();
    entry->range = std::make_unique<schema::Range>(offset, segment.getBytes());
    tables.segments.push_back(std::move(entry));
  }
  weightsBytes = layout.fileBytes;
  tables.stream_weights = program.getStreamWeights();
  for (const plan::WeightRange &range : layout.ranges)
    tables.weight_ranges.emplace_back(static_cast<uint32_t>(range.begin),
                                      static_cast<uint32_t>(range.end),
                                      range.offset, range.bytes);
}

LogicalResult Exporter::addBinding(plan::BufferOp buffer) {
  if (!buffer.getOffset())
    return buffer.emitError("buffer has no offset; run snug-plan-memory "
                            "before the plan is written");
  if (buffer.getRole() != plan::Role::Input &&
      buffer.getRole() != plan::Role::Output)
    return success();
  auto binding = std::make_unique<schema::TensorBindingT>();
  binding->name = buffer.getName()->str();
  binding->shape.assign(buffer.getShape()->begin(), buffer.getShape()->end());
  binding->offset = *buffer.getOffset();
  binding->bytes = buffer.getBytes();
  auto &bindings =
      buffer.getRole() == plan::Role::Input ? tables.inputs : tables.outputs;
  bindings.push_back(std::move(binding));
  return success();
}

LogicalResult Exporter::addInstruction(plan::KernelOpInterface kernel) {
  auto instruction = std::make_unique<schema::InstructionT>();
  instruction->name = layerName(kernel);
  instruction->group = static_cast<int32_t>(kernel.getGroupIndex());
  instruction->tile = static_cast<int32_t>(kernel.getTileIndex());
  LogicalResult known =
      setKernelTable(kernel, segmentIndices, instruction->kernel);
  tables.instructions.push_back(std::move(instruction));
  return known;
}

LogicalResult Exporter::describe() {
  DictionaryAttr predicted = program.getPredictedAttr();
  runtime::Target target;
  // All figures come together: a program with a peak has the others too.
  if (!program.getArena() || !program.getGroupsAttr() || !predicted ||
      !predicted.get("peak"))
    return program.emitError("memory is not planned; run snug-plan-memory "
                             "before the plan is written");
  if (!runtime::parseTarget(program.getTarget().str().c_str(), &target))
    return program.emitError("unknown target '") << program.getTarget() << "'";
  tables.model = program.getSymName().str();
  if (auto model = program->getParentOp()->getAttrOfType<StringAttr>(
          cnn::kModelAttrName))
    tables.model = model.str();
  tables.producer = "snug";
  tables.target = static_cast<schema::Target>(target);
  tables.threads = static_cast<int32_t>(program.getThreads());
  tables.arena_bytes = *program.getArena();

  placeSegments();
  tables.weight_bytes = weightsBytes;
  for (Operation &op : program.getBlock()) {
    LogicalResult added = success();
    if (auto buffer = dyn_cast<plan::BufferOp>(op))
      added = addBinding(buffer);
    else if (auto kernel = dyn_cast<plan::KernelOpInterface>(op))
      added = addInstruction(kernel);
    if (failed(added))
      return failure();
  }

  auto integer = [](DictionaryAttr from, StringRef name) -> uint64_t {
    auto value = from.getAs<IntegerAttr>(name);
    return value ? value.getInt() : 0;
  };
  for (Attribute attribute : program.getGroupsAttr()) {
    auto from = cast<DictionaryAttr>(attribute);
    auto group = std::make_unique<schema::GroupT>();
    for (Attribute name : from.getAs<ArrayAttr>("ops"))
      group->ops.push_back(cast<StringAttr>(name).str());
    group->schedule = from.getAs<StringAttr>("schedule").str();
    group->arena_bytes = integer(from, "arena");
    tables.groups.push_back(std::move(group));
  }
  tables.predicted = std::make_unique<schema::PredictionT>();
  tables.predicted->weights = integer(predicted, "weights");
  tables.predicted->activations = integer(predicted, "activations");
  tables.predicted->workspace = integer(predicted, "workspace");
  tables.predicted->runtime_overhead = integer(predicted, "runtime_overhead");
  tables.predicted->arena = integer(predicted, "arena");
  tables.predicted->peak = integer(predicted, "peak");
  tables.predicted->network_macs = integer(predicted, "network_macs");
  tables.predicted->executed_macs = integer(predicted, "executed_macs");
  return success();
}

//===----------------------------------------------------------------------===//
// The file
//===----------------------------------------------------------------------===//

LogicalResult Exporter::writeSegments(llvm::raw_ostream &output,
                                      bool freeWeights) {
  uint64_t written = 0;
  auto target = static_cast<runtime::Target>(tables.target);
  // Whatever else is in the module may refer to them, too.
  cnn::WeightReferences references(program->getParentOp());
  for (auto [segment, offset] :
       llvm::zip_equal(layout.segments, layout.offsets)) {
    output.write_zeros(offset - written);
    uint64_t packedBytes = 0;
    if (failed(packSegment(segment, target, [&](ArrayRef<float> packed) {
          output.write(reinterpret_cast<const char *>(packed.data()),
                       packed.size() * sizeof(float));
          packedBytes += packed.size() * sizeof(float);
        })))
      return failure();
    assert(packedBytes == static_cast<uint64_t>(segment.getBytes()) &&
           "pieces of whole panels are what the whole would be");
    if (freeWeights)
      references.drop(segment.getValue());
    written = offset + packedBytes;
  }
  output.write_zeros(weightsBytes - written);
  return success();
}

LogicalResult Exporter::write(llvm::raw_ostream &output, bool freeWeights) {
  if (failed(describe()))
    return failure();
  flatbuffers::FlatBufferBuilder builder;
  schema::FinishProgramBuffer(builder, schema::Program::Pack(builder, &tables));

  PlanHeader header;
  std::memcpy(header.magic, runtime::kPlanMagic, sizeof(header.magic));
  header.version = runtime::kPlanVersion;
  header.headerBytes = sizeof(PlanHeader);
  header.programOffset = sizeof(PlanHeader);
  header.programBytes = builder.GetSize();
  header.weightsOffset = llvm::alignTo(
      header.programOffset + header.programBytes, runtime::kPageBytes);
  header.weightsBytes = weightsBytes;
  header.fileBytes = header.weightsOffset + weightsBytes;
  header.checksum = 0;

  std::vector<char> front(header.weightsOffset, 0);
  std::memcpy(front.data(), &header, sizeof(header));
  std::memcpy(front.data() + header.programOffset, builder.GetBufferPointer(),
              builder.GetSize());
  header.checksum = runtime::planChecksum(front.data(), front.size());
  std::memcpy(front.data(), &header, sizeof(header));
  output.write(front.data(), front.size());
  return writeSegments(output, freeWeights);
}

LogicalResult exportPlan(ModuleOp module, llvm::raw_ostream &output,
                         bool freeWeights) {
  plan::ProgramOp found;
  for (Operation &op : *module.getBody()) {
    auto program = dyn_cast<plan::ProgramOp>(op);
    if (!program || found)
      return op.emitError(
          found ? "a plan file holds one snug_plan.program, this is a second "
                  "operation beside it"
                : "only a snug_plan.program can be written as a plan; run "
                  "snug-convert-to-plan and snug-plan-memory before");
    found = program;
  }
  if (!found)
    return module.emitError("the module is empty; a plan file needs a "
                            "snug_plan.program");
  return Exporter(found).write(output, freeWeights);
}

} // namespace snug
