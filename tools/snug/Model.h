// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Loading a model, printing what goes wrong, showing progress.
#ifndef SNUG_TOOLS_SNUG_MODEL_H
#define SNUG_TOOLS_SNUG_MODEL_H

#include "Commands.h"

#include "snug/Predict/Training.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/raw_ostream.h"

#include <optional>
#include <string>
#include <vector>

namespace snug::tool {

/// "snug: error: <message>", by default on standard error.
void reportError(const llvm::Twine &message,
                 llvm::raw_ostream &messages = llvm::errs());

/// Has `write` fill a file, whole or not at all; false where it fails itself or
/// the file cannot be written, which is printed.
bool writeFile(const std::string &file,
               llvm::function_ref<bool(llvm::raw_ostream &)> write);

/// One line on standard error that tells which phase runs, replaced by the
/// next one and removed at the end; nothing where that is no terminal.
class Progress {
public:
  ~Progress();
  void show(const llvm::Twine &phase);
  void clear();

private:
  bool isShown = false;
};

/// A context with our dialects whose errors are printed as reportError() does,
/// with the name of the ONNX node where one is known. Sessions of several
/// threads know nothing of each other.
class Session {
public:
  /// `subject`, if any, stands in front of every message: which of several
  /// models it is about.
  explicit Session(std::string subject = "",
                   llvm::raw_ostream &messages = llvm::errs());
  mlir::MLIRContext &getContext() { return context; }
  /// Imports the model; null where that fails (the error is printed).
  mlir::OwningOpRef<mlir::ModuleOp> import(const ModelOptions &options);
  /// The network as it is trained; nothing where that fails (the error is
  /// printed). Reads no weights; an open batch axis has one image.
  std::optional<predict::TrainingNetwork>
  importForTraining(const ModelOptions &options);
  /// kBadCommandLine if an option of the model could not be read, kBadInput if
  /// the model could not; meaningful after import() returned null.
  ExitCode getImportFailure() const { return importFailure; }
  /// Runs passes on the module. Where one fails or crashes, it and the module
  /// that it was given are written to `reproducer`, if that is not empty.
  mlir::LogicalResult
  run(mlir::ModuleOp module,
      llvm::function_ref<void(mlir::OpPassManager &)> populate,
      llvm::StringRef reproducer = "");

private:
  mlir::OwningOpRef<mlir::ModuleOp> import(const ModelOptions &options,
                                           bool forTraining);

  std::string subject;
  llvm::raw_ostream &messages;
  mlir::MLIRContext context;
  ExitCode importFailure = kBadInput;
  bool isImporting = false; ///< the importer's messages name nodes themselves
};

/// Calls work(i, messages) for each of `count` models on all cores, so that
/// each needs a Session of its own; shows "<phase> 3 of 10 networks". Returns
/// what they wrote to `messages`.
std::vector<std::string>
forEachModel(size_t count, llvm::StringRef phase,
             llvm::function_ref<void(size_t, llvm::raw_ostream &)> work);

} // namespace snug::tool

#endif // SNUG_TOOLS_SNUG_MODEL_H
