// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// snug-translate: from other formats into MLIR and back; reads and writes
// bytecode, so that weights pass through pipes quickly.
#include "tools/shared/InputFile.h"
#include "tools/shared/OutputFile.h"
#include "tools/shared/Printable.h"

#include "passes/VerifyPlan/VerifyPlan.h"
#include "snug/Dialect/Plan/PlanDialect.h"
#include "snug/Dialect/Snug/SnugDialect.h"
#include "snug/Export/ExportPlan.h"
#include "snug/Import/ONNX.h"

#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/SourceMgr.h"

namespace cl = llvm::cl;

namespace {

enum ExitCode { Success = 0, BadInput = 1, BadCommandLine = 2 };
enum class Translation { None, ImportONNX, ExportPlan };
enum class Form { Automatic, Text, Bytecode };

struct Options {
  cl::OptionCategory category{"snug-translate options"};
  cl::opt<Translation> translation{
      cl::desc("Translation:"),
      cl::values(clEnumValN(Translation::ImportONNX, "import-onnx",
                            "an ONNX model to a module of the snug dialect"),
                 clEnumValN(Translation::ExportPlan, "export-plan",
                            "a planned snug_plan.program to a plan file")),
      cl::init(Translation::None), cl::cat(category)};
  cl::opt<std::string> input{cl::Positional, cl::desc("<input, or - >"),
                             cl::init("-"), cl::cat(category)};
  cl::opt<std::string> output{"o",
                              cl::desc("Output file, - for standard "
                                       "output (default)"),
                              cl::value_desc("file"), cl::init("-"),
                              cl::cat(category)};
  cl::opt<Form> form{
      "emit",
      cl::desc("Form of a module that is written (default: text on a terminal "
               "and for names that end in .mlir, else bytecode)"),
      cl::values(clEnumValN(Form::Text, "text", "readable assembly"),
                 clEnumValN(Form::Bytecode, "bytecode", "MLIR bytecode")),
      cl::init(Form::Automatic), cl::cat(category)};
  cl::list<std::string> shapes{
      "shape",
      cl::desc("Shape of a network input whose dimensions the model leaves "
               "open, for instance input=1x3x608x608; may be repeated"),
      cl::value_desc("name=dimensions"), cl::cat(category)};
};

void reportError(const llvm::Twine &message) {
  llvm::errs() << "snug-translate: error: " << message << "\n";
}

/// Messages of the importer name nodes and tensors; a location adds nothing.
mlir::LogicalResult printDiagnostic(mlir::Diagnostic &diagnostic) {
  auto print = [](mlir::Diagnostic &part) {
    switch (part.getSeverity()) {
    case mlir::DiagnosticSeverity::Error:
      reportError(snug::tool::printable(part.str()));
      break;
    case mlir::DiagnosticSeverity::Warning:
      llvm::errs() << "snug-translate: warning: "
                   << snug::tool::printable(part.str()) << "\n";
      break;
    default:
      llvm::errs() << "  note: " << snug::tool::printable(part.str()) << "\n";
    }
  };
  print(diagnostic);
  for (mlir::Diagnostic &note : diagnostic.getNotes())
    print(note);
  return mlir::success();
}

/// Lets `write` fill the output and keeps it if that went well.
int writeFile(const Options &options,
              llvm::function_ref<bool(llvm::raw_ostream &)> write) {
  std::string problem;
  if (snug::tool::writeWholeFile(options.output, write, problem))
    return Success;
  if (!problem.empty())
    reportError(problem);
  return BadInput;
}

int writeModule(mlir::ModuleOp module, const Options &options) {
  Form form = options.form;
  if (form == Form::Automatic) {
    bool toTerminal =
        options.output == "-" && llvm::sys::Process::StandardOutIsDisplayed();
    bool toAssembly = llvm::StringRef(options.output).ends_with(".mlir");
    form = toTerminal || toAssembly ? Form::Text : Form::Bytecode;
  }
  return writeFile(options, [&](llvm::raw_ostream &stream) {
    if (form == Form::Text) {
      module->print(stream);
      return true;
    }
    if (mlir::succeeded(mlir::writeBytecodeToFile(module, stream)))
      return true;
    reportError("the module cannot be written as bytecode");
    return false;
  });
}

int exportPlan(mlir::MLIRContext &context, const Options &options) {
  if (options.shapes.getNumOccurrences() || options.form.getNumOccurrences()) {
    reportError(
        llvm::Twine(options.shapes.getNumOccurrences() ? "--shape" : "--emit") +
        " has no meaning for --export-plan; leave it out");
    return BadCommandLine;
  }
  context.loadDialect<mlir::func::FuncDialect, snug::cnn::SnugDialect,
                      snug::plan::PlanDialect>();
  std::string problem;
  std::unique_ptr<llvm::MemoryBuffer> input =
      snug::tool::openAlignedInput(options.input, problem);
  if (!input) {
    reportError(problem);
    return BadInput;
  }
  llvm::SourceMgr source;
  source.AddNewSourceBuffer(std::move(input), llvm::SMLoc());
  auto module = mlir::parseSourceFile<mlir::ModuleOp>(source, &context);
  if (!module)
    return BadInput;
  // The exporter trusts addresses; whoever wrote this module may not have.
  for (auto program : module->getOps<snug::plan::ProgramOp>())
    if (mlir::failed(snug::verifyPlan(program)))
      return BadInput;
  if (options.output == "-" && llvm::sys::Process::StandardOutIsDisplayed()) {
    reportError("a plan is not written to a terminal; give -o FILE or a pipe");
    return BadCommandLine;
  }
  return writeFile(options, [&](llvm::raw_ostream &stream) {
    return mlir::succeeded(
        snug::exportPlan(*module, stream, /*freeWeights=*/true));
  });
}

int importONNX(mlir::MLIRContext &context, const Options &options) {
  auto importOptions =
      snug::parseImportOptions({options.shapes.begin(), options.shapes.end()});
  if (!importOptions) {
    reportError(importOptions.error().message);
    return BadCommandLine;
  }
  auto module = snug::importONNX(context, options.input, *importOptions);
  return module ? writeModule(*module, options) : BadInput;
}

} // namespace

int main(int argc, char **argv) {
  llvm::InitLLVM initialization(argc, argv);
  Options options;
  mlir::registerAsmPrinterCLOptions();
  if (!cl::ParseCommandLineOptions(
          argc, argv, "translates between MLIR and other formats\n",
          &llvm::errs()))
    return BadCommandLine;
  mlir::MLIRContext context;
  context.printOpOnDiagnostic(false);
  mlir::ScopedDiagnosticHandler handler(&context, printDiagnostic);
  switch (options.translation) {
  case Translation::ImportONNX:
    return importONNX(context, options);
  case Translation::ExportPlan:
    return exportPlan(context, options);
  case Translation::None:
    break;
  }
  reportError("no translation is asked for, see --help");
  return BadCommandLine;
}
