// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The C API's questions about a loaded plan.

#include "Plan.h"
#include "Status.h"

#include <cstring>

using namespace snug::runtime;

namespace {

using Bindings =
    flatbuffers::Vector<flatbuffers::Offset<snug::schema::TensorBinding>>;

snug_status fillInfo(const char *role, const Bindings &bindings, size_t index,
                     snug_tensor_info *out_info) {
  if (!out_info || index >= bindings.size())
    return failure(SNUG_INVALID_ARGUMENT,
                   "%s %zu was asked for, but the plan has %u", role, index,
                   bindings.size());
  const snug::schema::TensorBinding &binding =
      *bindings.Get(static_cast<uint32_t>(index));
  std::memset(out_info, 0, sizeof(*out_info));
  out_info->name = binding.name()->c_str();
  out_info->rank = binding.shape()->size();
  std::memcpy(out_info->shape, binding.shape()->Data(),
              out_info->rank * sizeof(int64_t));
  out_info->bytes = binding.bytes();
  return success();
}

} // namespace

extern "C" {

const char *snug_plan_model(const snug_plan *plan) {
  return plan->program->model()->c_str();
}

const char *snug_plan_target(const snug_plan *plan) {
  return targetName(plan->target);
}

int snug_plan_threads(const snug_plan *plan) {
  return plan->program->threads();
}

uint64_t snug_plan_arena_bytes(const snug_plan *plan) {
  return plan->program->arena_bytes();
}

int snug_plan_streams_weights(const snug_plan *plan) {
  return plan->program->stream_weights();
}

snug_prediction snug_plan_prediction(const snug_plan *plan) {
  const snug::schema::Prediction &p = *plan->program->predicted();
  snug_prediction prediction;
  prediction.weights = p.weights();
  prediction.activations = p.activations();
  prediction.workspace = p.workspace();
  prediction.runtime_overhead = p.runtime_overhead();
  prediction.arena = p.arena();
  prediction.peak = p.peak();
  prediction.network_macs = p.network_macs();
  prediction.executed_macs = p.executed_macs();
  return prediction;
}

size_t snug_plan_input_count(const snug_plan *plan) {
  return plan->program->inputs()->size();
}

size_t snug_plan_output_count(const snug_plan *plan) {
  return plan->program->outputs()->size();
}

size_t snug_plan_instruction_count(const snug_plan *plan) {
  return plan->program->instructions()->size();
}

size_t snug_plan_group_count(const snug_plan *plan) {
  return plan->program->groups()->size();
}

snug_status snug_plan_input_info(const snug_plan *plan, size_t index,
                                 snug_tensor_info *out_info) {
  return fillInfo("input", *plan->program->inputs(), index, out_info);
}

snug_status snug_plan_output_info(const snug_plan *plan, size_t index,
                                  snug_tensor_info *out_info) {
  return fillInfo("output", *plan->program->outputs(), index, out_info);
}

snug_status snug_plan_group_info(const snug_plan *plan, size_t index,
                                 snug_group_info *out_info) {
  const auto &groups = *plan->program->groups();
  if (!out_info || index >= groups.size())
    return failure(SNUG_INVALID_ARGUMENT,
                   "group %zu was asked for, but the plan has %u", index,
                   groups.size());
  const snug::schema::Group &group = *groups.Get(static_cast<uint32_t>(index));
  out_info->schedule = group.schedule()->c_str();
  out_info->op_count = group.ops()->size();
  out_info->arena_bytes = group.arena_bytes();
  return success();
}

const char *snug_plan_group_op(const snug_plan *plan, size_t group, size_t op) {
  const auto &groups = *plan->program->groups();
  if (group >= groups.size())
    return nullptr;
  const auto &ops = *groups.Get(static_cast<uint32_t>(group))->ops();
  return op < ops.size() ? ops.Get(static_cast<uint32_t>(op))->c_str()
                         : nullptr;
}

} // extern "C"
