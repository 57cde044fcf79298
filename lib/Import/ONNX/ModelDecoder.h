// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Decodes the parts of an ONNX file that inference needs, in bounded memory.
#ifndef SNUG_LIB_IMPORT_ONNX_MODELDECODER_H
#define SNUG_LIB_IMPORT_ONNX_MODELDECODER_H

#include "onnx.pb.h"
#include "llvm/ADT/StringRef.h"

#include <map>
#include <optional>
#include <string>

namespace snug::onnx_import {

/// Where a tensor's elements lie in the file. They are not decoded: a network
/// is mostly weights, and those are read once, from where they are.
struct StoredElements {
  std::optional<llvm::StringRef> raw;    ///< raw_data
  std::optional<llvm::StringRef> floats; ///< float_data, if in one packed field
};

using StoredElementsMap = std::map<const onnx::TensorProto *, StoredElements>;

/// The messages of the outermost graph's nodes, as they lie in the file.
using StoredNodesMap = std::map<const onnx::NodeProto *, llvm::StringRef>;

/// Memory that a file's nodes, names and attributes may take once decoded. A
/// network has a few MiB of them; a hostile file of two-byte nodes would take a
/// hundred times its own size.
constexpr int64_t kMaximumStructureBytes = int64_t(256) << 20;

/// Decodes `bytes`, a ModelProto, into `model`, `elements` and `nodes`, which
/// refer to `bytes`. Left out, since nothing here reads them: subgraphs, sparse
/// values, training information, documentation, metadata.
/// Returns what is wrong with the file ("is cut short: ..."), or nothing.
std::string decodeModel(llvm::StringRef bytes, onnx::ModelProto &model,
                        StoredElementsMap &elements, StoredNodesMap &nodes);

} // namespace snug::onnx_import

#endif // SNUG_LIB_IMPORT_ONNX_MODELDECODER_H
