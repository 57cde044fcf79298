// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Elementwise operations that are one activation become it.
#include "passes/CombineActivations/CombineActivations.h"

#include "snug/Dialect/Snug/SnugConstants.h"
#include "snug/Dialect/Snug/SnugDialect.h"

#include "mlir/IR/Builders.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#define DEBUG_TYPE "snug-combine-activations"

using namespace mlir;

namespace snug {

#define GEN_PASS_DEF_COMBINEACTIVATIONSPASS
#include "passes/CombineActivations/CombineActivations.h.inc"

namespace {

using cnn::Activation;
using cnn::BinaryKind;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// An activation with its parameters.
struct Function {
  Activation kind;
  float alpha = 0, beta = 0;
};

/// True for numbers that are equal but for having been rounded to float32.
bool isNear(double number, double wanted) {
  return std::abs(number - wanted) <= 1e-6 * std::abs(wanted);
}

/// The one number that a constant holds; nothing for other values.
std::optional<double> readNumber(Value value) {
  const std::optional<cnn::ConstantValues> values =
      cnn::getConstantValues(value);
  if (!values || (values->size() != 1 && !values->isSplat()))
    return std::nullopt;
  return (*values)[0];
}

/// A tensor and the number that `op` joins it with, in either order where the
/// function allows it.
std::optional<std::pair<Value, double>> splitNumber(cnn::BinaryOp op) {
  if (op.getActivation() != Activation::None)
    return std::nullopt;
  const bool commutes =
      op.getKind() == BinaryKind::Add || op.getKind() == BinaryKind::Mul ||
      op.getKind() == BinaryKind::Max || op.getKind() == BinaryKind::Min;
  if (op.getLeft().getType() == op.getType())
    if (const std::optional<double> number = readNumber(op.getRight()))
      return std::pair<Value, double>(op.getLeft(), *number);
  if (commutes && op.getRight().getType() == op.getType())
    if (const std::optional<double> number = readNumber(op.getLeft()))
      return std::pair<Value, double>(op.getRight(), *number);
  return std::nullopt;
}

/// The binary of `kind` that makes `value` for one reader alone, or null.
cnn::BinaryOp findBinary(Value value, BinaryKind kind) {
  auto op = value.getDefiningOp<cnn::BinaryOp>();
  return op && op.getKind() == kind && op.getResult().hasOneUse()
             ? op
             : cnn::BinaryOp();
}

/// The activation of `kind` that makes `value` for one reader alone, or null.
cnn::UnaryOp findUnary(Value value, Activation kind) {
  auto op = value.getDefiningOp<cnn::UnaryOp>();
  return op && op.getKind() == kind && op.getResult().hasOneUse()
             ? op
             : cnn::UnaryOp();
}

/// `coefficient` times the product of `factors`.
struct Product {
  double coefficient = 1;
  SmallVector<Value> factors;
};

/// Takes the result of `op` apart into factors, as long as nobody else reads
/// what is between.
void flatten(cnn::BinaryOp op, Product &product) {
  const auto addFactor = [&](Value value) {
    auto inner = value.getDefiningOp<cnn::BinaryOp>();
    if (inner && inner.getResult().hasOneUse() &&
        inner.getActivation() == Activation::None &&
        value.getType() == op.getType() &&
        (inner.getKind() == BinaryKind::Mul ||
         inner.getKind() == BinaryKind::Div))
      flatten(inner, product);
    else
      product.factors.push_back(value);
  };
  if (const auto split = splitNumber(op)) {
    product.coefficient *=
        op.getKind() == BinaryKind::Div ? 1 / split->second : split->second;
    addFactor(split->first);
  } else if (op.getKind() == BinaryKind::Mul &&
             op.getLeft().getType() == op.getType() &&
             op.getRight().getType() == op.getType()) {
    addFactor(op.getLeft());
    addFactor(op.getRight());
  } else {
    product.factors.push_back(op.getResult());
  }
}

/// x, where `value` is relu6(x + 3) for one reader alone.
Value matchShiftedRelu6(Value value) {
  cnn::UnaryOp relu6 = findUnary(value, Activation::Relu6);
  cnn::BinaryOp sum =
      relu6 ? findBinary(relu6.getInput(), BinaryKind::Add) : cnn::BinaryOp();
  const auto split = sum ? splitNumber(sum) : std::nullopt;
  return split && isNear(split->second, 3) ? split->first : Value();
}

/// True where `value` is 1 + erf(x / sqrt(2)) for one reader alone.
bool isErrorFunctionOf(Value value, Value x) {
  cnn::BinaryOp sum = findBinary(value, BinaryKind::Add);
  const auto one = sum ? splitNumber(sum) : std::nullopt;
  if (!one || !isNear(one->second, 1))
    return false;
  cnn::UnaryOp erf = findUnary(one->first, Activation::Erf);
  auto scaled =
      erf ? erf.getInput().getDefiningOp<cnn::BinaryOp>() : cnn::BinaryOp();
  const auto split = scaled ? splitNumber(scaled) : std::nullopt;
  if (!split || split->first != x)
    return false;
  return (scaled.getKind() == BinaryKind::Div &&
          isNear(split->second, std::sqrt(2.0))) ||
         (scaled.getKind() == BinaryKind::Mul &&
          isNear(split->second, std::sqrt(0.5)));
}

/// The activation of x that `x * gate` is, without its coefficient; `wanted` is
/// the coefficient that it takes to be that activation.
std::optional<Function> matchGate(Value x, Value gate, double &wanted) {
  wanted = 1;
  if (cnn::UnaryOp op = findUnary(gate, Activation::Sigmoid);
      op && op.getInput() == x)
    return Function{Activation::Silu};
  if (cnn::UnaryOp op = findUnary(gate, Activation::HardSigmoid);
      op && op.getInput() == x &&
      isNear(op.getAlpha().convertToFloat(), 1.0 / 6) &&
      isNear(op.getBeta().convertToFloat(), 0.5))
    return Function{Activation::HardSwish};
  if (cnn::UnaryOp op = findUnary(gate, Activation::Tanh))
    if (cnn::UnaryOp inner = findUnary(op.getInput(), Activation::Softplus);
        inner && inner.getInput() == x)
      return Function{Activation::Mish};
  wanted = 1.0 / 6;
  if (matchShiftedRelu6(gate) == x)
    return Function{Activation::HardSwish};
  wanted = 0.5;
  if (isErrorFunctionOf(gate, x))
    return Function{Activation::Gelu};
  return std::nullopt;
}

/// Erases `op` and what it alone read, where nobody reads its result.
void eraseDead(Operation *op) {
  if (!op || !isOpTriviallyDead(op))
    return;
  const SmallVector<Value> operands(op->getOperands());
  op->erase();
  llvm::SmallPtrSet<Operation *, 4> seen;
  for (Value operand : operands)
    if (Operation *definition = operand.getDefiningOp();
        definition && seen.insert(definition).second)
      eraseDead(definition);
}

void replace(Operation *op, Value x, const Function &function) {
  OpBuilder builder(op);
  cnn::UnaryOp unary = cnn::UnaryOp::create(
      builder, op->getLoc(), function.kind, llvm::APFloat(function.alpha),
      llvm::APFloat(function.beta), x);
  op->getResult(0).replaceAllUsesWith(unary.getResult());
  eraseDead(op);
}

/// Products that are an activation of one of their factors.
void combineProduct(cnn::BinaryOp op) {
  Product product;
  flatten(op, product);
  ArrayRef<Value> factors = product.factors;
  if (factors.size() == 1 && isNear(product.coefficient, 1.0 / 6)) {
    const Value x = matchShiftedRelu6(factors[0]);
    if (x)
      replace(op, x, {Activation::HardSigmoid, 1.0f / 6, 0.5f});
    return;
  }
  if (factors.size() != 2)
    return;
  for (auto [x, gate] :
       {std::pair(factors[0], factors[1]), std::pair(factors[1], factors[0])}) {
    double wanted = 1;
    const std::optional<Function> function = matchGate(x, gate, wanted);
    if (function && isNear(product.coefficient, wanted)) {
      replace(op, x, *function);
      return;
    }
  }
}

/// What an op clips, and to what.
struct Clip {
  Value input;
  double lower = -kInfinity, upper = kInfinity;
};

std::optional<Clip> readClip(Operation *op) {
  if (auto unary = dyn_cast_or_null<cnn::UnaryOp>(op)) {
    switch (unary.getKind()) {
    case Activation::Relu:
      return Clip{unary.getInput(), 0};
    case Activation::Relu6:
      return Clip{unary.getInput(), 0, 6};
    case Activation::Clip:
      return Clip{unary.getInput(), unary.getAlpha().convertToFloat(),
                  unary.getBeta().convertToFloat()};
    default:
      return std::nullopt;
    }
  }
  auto binary = dyn_cast_or_null<cnn::BinaryOp>(op);
  const auto split = binary ? splitNumber(binary) : std::nullopt;
  if (!split || std::isnan(split->second))
    return std::nullopt;
  if (binary.getKind() == BinaryKind::Max)
    return Clip{split->first, split->second};
  if (binary.getKind() == BinaryKind::Min)
    return Clip{split->first, -kInfinity, split->second};
  return std::nullopt;
}

void combineClip(Operation *op) {
  std::optional<Clip> clip = readClip(op);
  if (!clip)
    return;
  // The inner one is combined already: a walk comes to it first.
  Operation *before = clip->input.getDefiningOp();
  std::optional<Clip> inner =
      clip->input.hasOneUse() ? readClip(before) : std::nullopt;
  if (inner && clip->lower <= clip->upper && inner->lower <= inner->upper) {
    const auto bound = [&](double number) {
      return std::min(std::max(number, clip->lower), clip->upper);
    };
    clip = Clip{inner->input, bound(inner->lower), bound(inner->upper)};
  } else if (isa<cnn::UnaryOp>(op) &&
             cast<cnn::UnaryOp>(op).getKind() != Activation::Clip) {
    return;
  }
  if (clip->lower == -kInfinity && clip->upper == kInfinity) {
    op->getResult(0).replaceAllUsesWith(clip->input);
    return eraseDead(op);
  }
  Function function{Activation::Clip, static_cast<float>(clip->lower),
                    static_cast<float>(clip->upper)};
  if (clip->lower == 0 && clip->upper == kInfinity)
    function = {Activation::Relu};
  else if (clip->lower == 0 && clip->upper == 6)
    function = {Activation::Relu6};
  else if (auto unary = dyn_cast<cnn::UnaryOp>(op);
           unary && unary.getInput() == clip->input)
    return; // as it was
  replace(op, clip->input, function);
}

struct CombineActivationsPass
    : public impl::CombineActivationsPassBase<CombineActivationsPass> {
  void runOnOperation() override {
    getOperation().walk([](Operation *op) {
      auto binary = dyn_cast<cnn::BinaryOp>(op);
      if (binary && binary.getActivation() == Activation::None &&
          (binary.getKind() == BinaryKind::Mul ||
           binary.getKind() == BinaryKind::Div))
        combineProduct(binary);
      else if (binary || isa<cnn::UnaryOp>(op))
        combineClip(op);
    });
  }
};

} // namespace
} // namespace snug
