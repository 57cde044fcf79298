// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// An ONNX file: opened, checked from outside and decoded.
#ifndef SNUG_LIB_IMPORT_ONNX_MODELFILE_H
#define SNUG_LIB_IMPORT_ONNX_MODELFILE_H

#include "snug/Network/Result.h"

#include "onnx.pb.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/MemoryBuffer.h"

#include <map>
#include <memory>
#include <string>

namespace snug::onnx_import {

class ModelFile {
public:
  /// Opens and decodes `path`; "-" is standard input.
  static Result<std::unique_ptr<ModelFile>> open(llvm::StringRef path);

  onnx::ModelProto &model() { return content; }
  /// The path as the user gave it, or "<stdin>".
  llvm::StringRef displayName() const { return name; }
  /// File name without folder and extension; "model" for standard input.
  std::string stem() const;

  /// `length` bytes (all that follow, if negative) from `offset` on of the file
  /// `location`, which must lie in the model's folder. They stay mapped as long
  /// as this object lives.
  Result<llvm::StringRef> externalBytes(llvm::StringRef location,
                                        int64_t offset, int64_t length);

private:
  explicit ModelFile(llvm::StringRef path);

  bool fromStandardInput;
  std::string path, name;
  onnx::ModelProto content;
  std::map<std::string, std::unique_ptr<llvm::MemoryBuffer>> externalFiles;
};

} // namespace snug::onnx_import

#endif // SNUG_LIB_IMPORT_ONNX_MODELFILE_H
