// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One ONNX node: its inputs and attributes, and what is wrong with them.
#ifndef SNUG_LIB_IMPORT_ONNX_NODEREADER_H
#define SNUG_LIB_IMPORT_ONNX_NODEREADER_H

#include "TensorData.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/Twine.h"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace snug::onnx_import {

/// What keeps nodes from being imported, in the order of the nodes.
struct Problem {
  std::string node; ///< name of the node
  std::string text; ///< full sentence, with the node's name
  bool unsupported; ///< valid ONNX, but not for us
};

constexpr size_t kMaximumName = 200;
/// `text`, or its first characters and "...".
std::string shortened(llvm::StringRef text, size_t characters = kMaximumName);

/// Name of `node`, or of its first output if it has none.
llvm::StringRef nameOf(const onnx::NodeProto &node);

class NodeReader;

/// Whoever knows the constants of the graph.
class ConstantSource {
public:
  virtual ~ConstantSource() = default;
  /// The elements of input `index`, called `role` in messages; null where it is
  /// not known at import (reported), or because of an earlier problem (not
  /// reported again).
  virtual const ConstantTensor *tensorOf(NodeReader &node, int index,
                                         llvm::StringRef role) = 0;
  /// Accounts for a tensor that is made at import; false, and reported, where
  /// it is one too many.
  virtual bool countMadeBytes(NodeReader &node, llvm::ArrayRef<int64_t> shape,
                              int64_t bytesPerElement) = 0;
  virtual Result<ConstantTensor> read(const onnx::TensorProto &tensor) = 0;
};

/// Reads a node. Each attribute is read by the name that it has in ONNX;
/// finish() then reports those that nobody asked for, so that none is skipped
/// in silence. Readers return the default where an attribute is malformed, and
/// failed() tells.
class NodeReader {
public:
  NodeReader(const onnx::NodeProto &node, int64_t opset,
             ConstantSource &constants, std::vector<Problem> &problems);

  const onnx::NodeProto &node() const { return proto; }
  llvm::StringRef name() const { return nameOf(proto); }
  /// Number of the operator set that defines this node.
  int64_t opset() const { return operatorSet; }

  /// Name of input or output `index`; empty where it is left out.
  llvm::StringRef input(int index) const;
  llvm::StringRef output(int index) const;
  bool hasInput(int index) const { return !input(index).empty(); }
  /// Number of inputs without those left out at the end.
  int inputCount() const;

  /// Reports a node with fewer inputs than `minimum`, more than `maximum`, no
  /// first output, or more than `outputs`.
  void checkOperands(int minimum, int maximum, int outputs = 1);

  int64_t integer(llvm::StringRef attribute, int64_t defaultValue);
  /// An attribute that is 0 or 1.
  bool flag(llvm::StringRef attribute, bool defaultValue);
  float real(llvm::StringRef attribute, float defaultValue);
  std::string text(llvm::StringRef attribute, llvm::StringRef defaultValue);
  /// Nothing where the attribute is absent or malformed.
  std::optional<llvm::SmallVector<int64_t>> integers(llvm::StringRef attribute);
  std::optional<std::vector<float>> reals(llvm::StringRef attribute);
  std::optional<ConstantTensor> tensorAttribute(llvm::StringRef attribute);
  /// A list of `length` values from `minimum` to kMaximumExtent, all
  /// `defaultValue` where it is absent.
  llvm::SmallVector<int64_t> extents(llvm::StringRef attribute, size_t length,
                                     int64_t minimum, int64_t defaultValue);
  /// The attribute if it is there; the caller checks its type.
  const onnx::AttributeProto *find(llvm::StringRef attribute);
  /// Accepts an attribute that changes nothing here.
  void ignore(llvm::StringRef attribute) { find(attribute); }

  // Inputs that have to be constants, called `role` in messages. Nothing where
  // one is not usable, which is reported.
  const ConstantTensor *tensor(int index, llvm::StringRef role) {
    return constants.tensorOf(*this, index, role);
  }
  /// The elements of an int64 or int32 tensor of at most one dimension.
  std::optional<Shape> integersOf(int index, llvm::StringRef role);
  std::optional<int64_t> integerOf(int index, llvm::StringRef role);
  std::optional<std::vector<float>> realsOf(int index, llvm::StringRef role);
  std::optional<float> realOf(int index, llvm::StringRef role);

  /// A list that is `attribute` before operator set `since` and input `index`
  /// from there on. Empty `list`: it is left out. False: reported.
  bool listOf(llvm::StringRef attribute, int index, int64_t since,
              std::optional<Shape> &list);
  bool countMadeBytes(llvm::ArrayRef<int64_t> shape, int64_t bytesPerElement) {
    return constants.countMadeBytes(*this, shape, bytesPerElement);
  }

  /// Reports the attributes that were not read.
  void finish();

  /// Reports that this node is valid, but outside of what is imported.
  void unsupported(const llvm::Twine &what) { report(what, true); }
  /// Reports that this node breaks the rules of ONNX.
  void malformed(const llvm::Twine &what) { report(what, false); }
  /// True once anything was reported of this node.
  bool failed() const { return hasFailed; }

private:
  void report(const llvm::Twine &what, bool unsupported);
  /// The attribute if it is there and has `type`.
  const onnx::AttributeProto *find(llvm::StringRef attribute,
                                   onnx::AttributeProto::AttributeType type);

  const onnx::NodeProto &proto;
  int64_t operatorSet;
  ConstantSource &constants;
  std::vector<Problem> &problems;
  std::set<std::string> readAttributes;
  bool hasFailed = false;
};

} // namespace snug::onnx_import

#endif // SNUG_LIB_IMPORT_ONNX_NODEREADER_H
