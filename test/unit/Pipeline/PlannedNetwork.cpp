// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Compiles, runs and compares one network.
#include "PlannedNetwork.h"

#include "snug/Dialect/Plan/PlanDialect.h"
#include "snug/Dialect/Snug/SnugDialect.h"
#include "snug/Export/ExportPlan.h"
#include "snug/Pipeline/Pipeline.h"
#include "snug/Reference/Reference.h"
#include "snug/runtime/runtime.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

using namespace mlir;

namespace snug {

namespace {

constexpr size_t kPage = 4096;

/// Bytes at one end of which lies an unreadable page.
class Guarded {
public:
  Guarded(size_t bytes, bool atEnd) {
    const size_t usable = (bytes + kPage - 1) / kPage * kPage;
    length = usable + 2 * kPage;
    mapping = static_cast<char *>(mmap(nullptr, length, PROT_READ | PROT_WRITE,
                                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    mprotect(mapping, kPage, PROT_NONE);
    mprotect(mapping + kPage + usable, kPage, PROT_NONE);
    begin = mapping + kPage + (atEnd ? usable - bytes : 0);
  }
  ~Guarded() { munmap(mapping, length); }
  char *data() { return begin; }

private:
  char *mapping = nullptr, *begin = nullptr;
  size_t length = 0;
};

using Values = std::vector<std::vector<float>>;

std::vector<float> randomValues(size_t count, unsigned seed) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<float> distribution(-1.0f, 1.0f);
  std::vector<float> values(count);
  for (float &value : values)
    value = distribution(engine);
  return values;
}

/// Runs a plan file in memory; empty, or why it cannot be run.
std::string runPlan(const std::string &file, bool guardAtEnd,
                    const Values &inputs, Values &outputs) {
  Guarded bytes((file.size() + kPage - 1) / kPage * kPage, /*atEnd=*/true);
  std::memcpy(bytes.data(), file.data(), file.size());
  snug_plan *plan = nullptr;
  snug_status status =
      snug_plan_load_memory(bytes.data(), file.size(), nullptr, &plan);
  if (status.code != SNUG_OK)
    return std::string("load: ") + status.message;
  const size_t arenaBytes = snug_plan_arena_bytes(plan);
  Guarded arena(arenaBytes, guardAtEnd);
  auto *elements = reinterpret_cast<float *>(arena.data());
  std::fill_n(elements, arenaBytes / sizeof(float),
              std::numeric_limits<float>::quiet_NaN());
  snug_executor_options options;
  snug_executor_options_init(&options);
  options.arena = arena.data();
  options.arena_bytes = arenaBytes;
  snug_executor *executor = nullptr;
  status = snug_executor_create(plan, &options, &executor);
  for (size_t i = 0; status.code == SNUG_OK && i < inputs.size(); ++i) {
    float *data = nullptr;
    status = snug_executor_input(executor, i, &data);
    if (status.code == SNUG_OK)
      std::copy(inputs[i].begin(), inputs[i].end(), data);
  }
  if (status.code == SNUG_OK)
    status = snug_executor_run(executor);
  for (size_t i = 0; status.code == SNUG_OK && i < snug_plan_output_count(plan);
       ++i) {
    const float *data = nullptr;
    snug_tensor_info info;
    status = snug_plan_output_info(plan, i, &info);
    if (status.code == SNUG_OK)
      status = snug_executor_output(executor, i, &data);
    if (status.code == SNUG_OK)
      outputs.emplace_back(data, data + info.bytes / sizeof(float));
  }
  if (executor)
    snug_executor_release(executor);
  snug_plan_release(plan);
  return status.code == SNUG_OK ? "" : std::string("run: ") + status.message;
}

std::string compare(const Values &actual, const Values &expected) {
  if (actual.size() != expected.size())
    return "the plan has other outputs than the network";
  for (size_t i = 0; i < actual.size(); ++i) {
    float scale = 1e-3f;
    for (float value : expected[i])
      scale = std::max(scale, std::fabs(value));
    for (size_t k = 0; k < expected[i].size(); ++k)
      if (!(std::fabs(actual[i][k] - expected[i][k]) <= 2e-5f * scale))
        return "output " + std::to_string(i) + ", element " +
               std::to_string(k) + ": got " + std::to_string(actual[i][k]) +
               ", expected " + std::to_string(expected[i][k]);
  }
  return "";
}

} // namespace

std::string runBesideReference(const std::string &text, int threads,
                               std::string *plan) {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  context.loadDialect<func::FuncDialect, cnn::SnugDialect, plan::PlanDialect>();
  std::string messages;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    messages += diagnostic.str() + "\n";
    return success();
  });
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
  if (!module)
    return "cannot be parsed: " + messages;
  auto function = *module->getOps<func::FuncOp>().begin();
  Values inputs;
  for (Type type : function.getArgumentTypes())
    inputs.push_back(randomValues(cast<ShapedType>(type).getNumElements(),
                                  static_cast<unsigned>(inputs.size() + 1)));
  FailureOr<Values> expected = reference::execute(function, inputs);
  if (failed(expected))
    return "has no reference: " + messages;

  PassManager manager(&context);
  PipelineOptions options;
  options.threads = threads;
  populatePlan(manager, options);
  if (failed(manager.run(*module)))
    return "cannot be planned: " + messages;
  if (plan) {
    llvm::raw_string_ostream printed(*plan);
    module->print(printed);
  }
  std::string file;
  llvm::raw_string_ostream output(file);
  if (failed(exportPlan(*module, output)))
    return "cannot be written: " + messages;
  for (bool guardAtEnd : {false, true}) {
    Values outputs;
    if (std::string why = runPlan(file, guardAtEnd, inputs, outputs);
        !why.empty())
      return why;
    if (std::string why = compare(outputs, *expected); !why.empty())
      return why;
  }
  return "";
}

} // namespace snug
