// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// snug reference: what a model computes, by the slow reference executor.
#include "Commands.h"
#include "Model.h"

#include "NpyFile.h"
#include "Tensors.h"
#include "snug/Analysis/NetworkAnalysis.h"
#include "snug/Reference/Reference.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <map>

using namespace mlir;

namespace snug::tool {

/// "name=file" options by name; an error's text where one cannot be used.
static std::string parseInputs(const ReferenceOptions &options,
                               func::FuncOp function,
                               std::map<std::string, std::string> &files) {
  llvm::SmallVector<std::string> known;
  for (unsigned i = 0; i < function.getNumArguments(); ++i)
    known.push_back(inputName(function, i));
  for (const std::string &text : options.inputs) {
    size_t equals = text.rfind('=');
    if (equals == std::string::npos)
      return "cannot read --input " + text + "; write NAME=FILE.npy";
    std::string name = text.substr(0, equals);
    if (!llvm::is_contained(known, name))
      return "the network has no input '" + name + "'; it has " +
             llvm::join(known, ", ");
    if (!files.emplace(name, text.substr(equals + 1)).second)
      return "input '" + name + "' is given twice";
  }
  for (const std::string &name : known)
    if (!files.count(name) && !options.randomSeed)
      return "input '" + name + "' has no values; give --input " + name +
             "=FILE.npy or --random-inputs=SEED";
  return "";
}

int runReference(const ReferenceOptions &options) {
  auto refuse = [](const std::string &message) {
    reportError(message);
    return kBadInput;
  };
  Progress progress;
  Session session;
  progress.show("reading " + options.model.model);
  OwningOpRef<ModuleOp> module = session.import(options.model);
  if (!module)
    return session.getImportFailure();
  FailureOr<func::FuncOp> function = findNetworkFunction(*module);
  if (failed(function))
    return kBadInput;
  std::map<std::string, std::string> files;
  if (std::string problem = parseInputs(options, *function, files);
      !problem.empty())
    return refuse(problem);
  std::vector<std::vector<float>> inputs;
  for (auto [index, type] : llvm::enumerate(function->getArgumentTypes())) {
    auto tensor = cast<RankedTensorType>(type);
    std::vector<float> &values = inputs.emplace_back(tensor.getNumElements());
    auto file = files.find(inputName(*function, index));
    if (file == files.end()) {
      runner::fillRandom(*options.randomSeed, index, values.data(),
                         values.size());
      continue;
    }
    std::string problem =
        runner::readNpy(file->second.c_str(), tensor.getShape().data(),
                        tensor.getRank(), values.data());
    if (!problem.empty())
      return refuse(problem);
  }
  progress.show("computing");
  FailureOr<std::vector<std::vector<float>>> outputs =
      reference::execute(*function, inputs);
  if (failed(outputs))
    return kBadInput;
  if (options.outputDir.empty())
    return kSuccess;
  if (std::error_code code =
          llvm::sys::fs::create_directories(options.outputDir))
    return refuse("cannot make the folder '" + options.outputDir +
                  "': " + code.message());
  std::vector<std::string> names;
  for (unsigned i = 0; i < function->getNumResults(); ++i)
    names.push_back(outputName(*function, i));
  std::vector<std::string> fileNames = runner::fileNames(names);
  for (auto [index, type] : llvm::enumerate(function->getResultTypes())) {
    auto tensor = cast<RankedTensorType>(type);
    llvm::SmallString<128> path(options.outputDir);
    llvm::sys::path::append(path, fileNames[index] + ".npy");
    std::string problem =
        runner::writeNpy(path.c_str(), tensor.getShape().data(),
                         tensor.getRank(), (*outputs)[index].data());
    if (!problem.empty())
      return refuse(problem);
  }
  return kSuccess;
}

} // namespace snug::tool
