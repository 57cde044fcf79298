// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Evaluates nodes whose inputs are known at import: shape arithmetic, and
// weights that are stored in another form than they are used in.
#ifndef SNUG_LIB_IMPORT_ONNX_CONSTANTEVALUATION_H
#define SNUG_LIB_IMPORT_ONNX_CONSTANTEVALUATION_H

#include "NodeReader.h"
#include "ShapeRules.h"

#include <vector>

namespace snug::onnx_import {

class ConstantEvaluator {
public:
  explicit ConstantEvaluator(NodeReader &node) : node(node) {}

  /// True for the operators that evaluate() knows.
  static bool knows(llvm::StringRef op);
  /// One tensor an output; nothing after a problem, which is reported.
  std::optional<std::vector<ConstantTensor>> evaluate();

private:
  using Function = void (ConstantEvaluator::*)();
  static Function functionOf(llvm::StringRef op);

  /// Input `index`, or null after a problem.
  const ConstantTensor *input(int index = 0) {
    return node.tensor(index, "input");
  }
  /// Gives output 0 in fixed form; accounts for its bytes.
  void give(ConstantTensor tensor);
  /// False, and reported, where a tensor of that shape is too large.
  bool fits(ElementType type, llvm::ArrayRef<int64_t> shape);

  // Elements in another order (ConstantEvaluation.cpp).

  /// Where each index of a result's axis reads: the bytes that it adds to the
  /// place in the source, or kFill.
  using AxisPlaces = std::vector<int64_t>;
  /// The tensor whose element (i, j, ...) lies at places[0][i] + places[1][j] +
  /// ... of `source`; `fill`, one element or none, where one of them is kFill.
  std::optional<ConstantTensor> rearranged(const ConstantTensor &source,
                                           llvm::ArrayRef<int64_t> shape,
                                           llvm::ArrayRef<AxisPlaces> places,
                                           llvm::StringRef fill = {});
  /// Bytes between neighbours along each axis.
  static Shape stridesOf(const ConstantTensor &tensor);
  static AxisPlaces places(int64_t begin, int64_t step, int64_t extent,
                           int64_t stride);
  void identity();
  void reshape();
  void flatten();
  void squeeze();
  void unsqueeze();
  void transpose();
  void slice();
  void split();
  void concat();
  void gather();
  void gatherElements();
  void expand();
  void tile();
  void pad();
  void constantOfShape();

  // Numbers (ConstantArithmetic.cpp).
  void cast();
  void castLike();
  void castTo(const ConstantTensor &source, int64_t type);
  void range();
  void unary();
  void arithmetic(); ///< Add, Sub, ..., also of many inputs
  void power();
  void compare();
  void logic();
  void negate();
  void where();
  void reduce();
  void quantize();
  void dequantize();
  /// Which scale and zero point an element has.
  struct ParameterPlaces {
    int64_t extent = 1, inner = 1; ///< of the axis, and elements behind it
    int64_t block = 0, blocks = 1; ///< elements that share one, and how many
    int64_t of(int64_t index) const {
      const int64_t place = index / inner % extent;
      return block == 0
                 ? place
                 : (index / inner / extent * blocks + place / block) * inner +
                       index % inner;
    }
  };
  std::optional<ParameterPlaces> parameterPlaces(const ConstantTensor &scale,
                                                 llvm::ArrayRef<int64_t> shape);

  NodeReader &node;
  std::vector<ConstantTensor> results;
};

} // namespace snug::onnx_import

#endif // SNUG_LIB_IMPORT_ONNX_CONSTANTEVALUATION_H
