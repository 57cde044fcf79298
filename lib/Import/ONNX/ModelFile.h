// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// An ONNX file: opened, checked from outside and decoded.
#ifndef SNUG_LIB_IMPORT_ONNX_MODELFILE_H
#define SNUG_LIB_IMPORT_ONNX_MODELFILE_H

#include "ModelDecoder.h"

#include "snug/Network/Result.h"

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
  /// Decodes what is in memory already, as if it came from standard input.
  static Result<std::unique_ptr<ModelFile>>
  fromMemory(std::unique_ptr<llvm::MemoryBuffer> buffer);

  /// What decodeModel() decodes of it.
  onnx::ModelProto &model() { return content; }
  /// Where the file has the elements of a tensor of model(); valid as long as
  /// this object lives.
  StoredElements storedElements(const onnx::TensorProto &tensor) const;
  /// The message of a node of model(), as it lies in the file.
  llvm::StringRef storedNode(const onnx::NodeProto &node) const;
  /// Copies bytes, of this file or another, and lets go of the memory that the
  /// file takes there.
  void copy(llvm::StringRef from, char *to);
  /// Lets go of the memory that the file takes for bytes that have been read.
  void release(llvm::StringRef bytes);
  /// Of this file and of those that were opened for its tensors.
  int64_t totalBytes() const;
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
  static Result<std::unique_ptr<ModelFile>>
  decode(std::unique_ptr<ModelFile> file);
  /// True where `bytes` lie in a file that is mapped.
  bool isMapped(llvm::StringRef bytes) const;

  bool fromStandardInput;
  std::string path, name;
  std::unique_ptr<llvm::MemoryBuffer> buffer;
  onnx::ModelProto content;
  StoredElementsMap elements;
  StoredNodesMap nodes;
  std::map<std::string, std::unique_ptr<llvm::MemoryBuffer>> externalFiles;
};

} // namespace snug::onnx_import

#endif // SNUG_LIB_IMPORT_ONNX_MODELFILE_H
