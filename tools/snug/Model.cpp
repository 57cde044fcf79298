// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Loading a model, printing what goes wrong, showing progress.
#include "Model.h"
#include "tools/shared/OutputFile.h"
#include "tools/shared/Printable.h"

#include "snug/Analysis/NetworkAnalysis.h"
#include "snug/Analysis/TrainingAnalysis.h"
#include "snug/Dialect/Plan/PlanDialect.h"
#include "snug/Dialect/Snug/SnugDialect.h"
#include "snug/Import/ONNX.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/Parallel.h"
#include "llvm/Support/Process.h"

#include <mutex>

using namespace mlir;

namespace snug::tool {

void reportError(const llvm::Twine &message, llvm::raw_ostream &messages) {
  messages << "snug: error: " << printable(message.str()) << "\n";
}

bool writeFile(const std::string &file,
               llvm::function_ref<bool(llvm::raw_ostream &)> write) {
  std::string problem;
  const bool written = writeWholeFile(file, write, problem);
  if (!problem.empty())
    reportError(problem);
  return written;
}

Progress::~Progress() { clear(); }

void Progress::clear() {
  if (isShown)
    llvm::errs() << "\r\033[K";
  isShown = false;
}

void Progress::show(const llvm::Twine &phase) {
  if (!llvm::sys::Process::StandardErrIsDisplayed())
    return;
  llvm::errs() << "\r\033[K" << phase << " ...";
  isShown = true;
}

/// "'conv3': " where the location names a node (or, for the whole function, the
/// graph).
static std::string place(Location location) {
  if (auto name = location->findInstanceOf<NameLoc>())
    return "'" + name.getName().str() + "': ";
  return "";
}

static LogicalResult printDiagnostic(Diagnostic &diagnostic, bool namesNodes,
                                     const std::string &subject,
                                     llvm::raw_ostream &messages) {
  std::string text =
      namesNodes ? diagnostic.str()
                 : subject + place(diagnostic.getLocation()) + diagnostic.str();
  if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
    reportError(text, messages);
  else
    messages << "snug: "
             << (diagnostic.getSeverity() == DiagnosticSeverity::Warning
                     ? "warning: "
                     : "note: ")
             << printable(text) << "\n";
  for (Diagnostic &note : diagnostic.getNotes())
    messages << "  note: " << printable(note.str()) << "\n";
  return success();
}

// One thread: a compile takes a second, and starting a pool costs more than it
// brings for one function.
Session::Session(std::string subject, llvm::raw_ostream &messages)
    : subject(subject.empty() ? "" : subject + ": "), messages(messages),
      context(MLIRContext::Threading::DISABLED) {
  context.loadDialect<func::FuncDialect, cnn::SnugDialect, plan::PlanDialect>();
  context.printOpOnDiagnostic(false); // messages name nodes; IR is no help here
  context.getDiagEngine().registerHandler([this](Diagnostic &diagnostic) {
    return printDiagnostic(diagnostic, isImporting, this->subject,
                           this->messages);
  });
}

OwningOpRef<ModuleOp> Session::import(const ModelOptions &options) {
  return import(options, /*forTraining=*/false);
}

std::optional<predict::TrainingNetwork>
Session::importForTraining(const ModelOptions &options) {
  OwningOpRef<ModuleOp> module = import(options, /*forTraining=*/true);
  if (!module)
    return std::nullopt;
  FailureOr<func::FuncOp> function = findNetworkFunction(*module);
  if (failed(function))
    return std::nullopt;
  FailureOr<TrainingFromIR> built = buildTrainingNetwork(*function);
  if (failed(built))
    return std::nullopt;
  return std::move(built->network);
}

OwningOpRef<ModuleOp> Session::import(const ModelOptions &options,
                                      bool forTraining) {
  Result<ImportOptions> importOptions = parseImportOptions(options.shapes);
  if (!importOptions) {
    reportError(importOptions.error().message, messages);
    importFailure = kBadCommandLine;
    return nullptr;
  }
  if (forTraining) {
    importOptions->batch = 1;
    importOptions->shapesOnly = true;
  }
  isImporting = true;
  OwningOpRef<ModuleOp> module =
      importONNX(context, options.model, *importOptions);
  isImporting = false;
  return module;
}

LogicalResult Session::run(ModuleOp module,
                           llvm::function_ref<void(OpPassManager &)> populate,
                           llvm::StringRef reproducer) {
  PassManager manager(&context);
  populate(manager);
  if (!reproducer.empty())
    manager.enableCrashReproducerGeneration(reproducer,
                                            /*genLocalReproducer=*/true);
  return manager.run(module);
}

std::vector<std::string>
forEachModel(size_t count, llvm::StringRef phase,
             llvm::function_ref<void(size_t, llvm::raw_ostream &)> work) {
  std::vector<std::string> messages(count);
  Progress progress;
  std::mutex progressMutex;
  size_t done = 0;
  llvm::parallelFor(0, count, [&](size_t i) {
    llvm::raw_string_ostream stream(messages[i]);
    work(i, stream);
    const std::lock_guard<std::mutex> lock(progressMutex);
    progress.show(phase + " " + llvm::Twine(++done) + " of " +
                  llvm::Twine(count) + " networks");
  });
  return messages;
}

} // namespace snug::tool
