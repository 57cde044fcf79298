// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Custom parts of the assembly of snug ops.
#include "SnugAssembly.h"

#include "snug/Dialect/Snug/SnugOps.h"

#include "mlir/IR/DialectResourceBlobManager.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <type_traits>

using namespace mlir;

namespace snug::cnn {

/// A number, "inf" or "-inf". `Number` is float or double.
template <typename Number>
static ParseResult parseNumber(OpAsmParser &parser, Number &value) {
  const bool isNegative = succeeded(parser.parseOptionalMinus());
  if (succeeded(parser.parseOptionalKeyword("inf"))) {
    value = std::numeric_limits<Number>::infinity();
  } else if constexpr (std::is_same_v<Number, float>) {
    FloatAttr attribute;
    if (parser.parseAttribute(attribute, parser.getBuilder().getF32Type()))
      return failure();
    value = attribute.getValue().convertToFloat();
  } else if (parser.parseFloat(value)) {
    return failure();
  }
  if (isNegative)
    value = -value;
  return success();
}

/// As few digits as bring `number` back, in the form of MLIR's literals.
template <typename Number>
static void printNumber(OpAsmPrinter &printer, Number number) {
  if (std::isinf(number)) {
    printer << (number < 0 ? "-inf" : "inf");
    return;
  }
  char text[32];
  for (int digits = 1; digits <= std::numeric_limits<Number>::max_digits10;
       ++digits) {
    std::snprintf(text, sizeof text, "%.*g", digits, double(number));
    // The parser reads a double and rounds it.
    if (static_cast<Number>(std::strtod(text, nullptr)) == number)
      break;
  }
  // MLIR's float literals need a point, also in front of an exponent.
  StringRef literal(text);
  const size_t exponent = literal.find('e');
  printer << literal.take_front(exponent) << (literal.contains('.') ? "" : ".0")
          << (exponent == StringRef::npos ? "" : literal.substr(exponent));
}

ParseResult parseShortFloat(OpAsmParser &parser, FloatAttr &value) {
  float number = 0;
  if (parseNumber(parser, number))
    return failure();
  value = parser.getBuilder().getF32FloatAttr(number);
  return success();
}

void printShortFloat(OpAsmPrinter &printer, Operation *, FloatAttr value) {
  const float number = value.getValue().convertToFloat();
  if (std::isnan(number))
    printer.printAttributeWithoutType(value);
  else
    printNumber(printer, number);
}

ParseResult parseShortDoubles(OpAsmParser &parser, DenseF64ArrayAttr &values) {
  SmallVector<double> numbers;
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&] {
        return parseNumber(parser, numbers.emplace_back());
      }))
    return failure();
  values = parser.getBuilder().getDenseF64ArrayAttr(numbers);
  return success();
}

void printShortDoubles(OpAsmPrinter &printer, Operation *,
                       DenseF64ArrayAttr values) {
  printer << '[';
  llvm::interleaveComma(values.asArrayRef(), printer, [&](double number) {
    if (std::isnan(number))
      printer.printFloat(APFloat(number));
    else
      printNumber(printer, number);
  });
  printer << ']';
}

int getParameterCount(Activation activation) {
  switch (activation) {
  case Activation::LeakyRelu:
  case Activation::Elu:
    return 1;
  case Activation::Clip:
  case Activation::HardSigmoid:
    return 2;
  default:
    return 0;
  }
}

ParseResult parseActivation(OpAsmParser &parser, ActivationAttr &activation,
                            FloatAttr &alpha, FloatAttr &beta) {
  Builder &builder = parser.getBuilder();
  const SMLoc location = parser.getCurrentLocation();
  StringRef keyword;
  if (parser.parseKeyword(&keyword))
    return failure();
  const std::optional<Activation> kind = symbolizeActivation(keyword);
  if (!kind)
    return parser.emitError(location)
           << "unknown activation " << keyword
           << "; the description of snug.unary lists them";
  activation = ActivationAttr::get(builder.getContext(), *kind);
  alpha = beta = builder.getF32FloatAttr(0.0f);
  const int parameters = getParameterCount(*kind);
  if (parameters == 0)
    return success();
  if (parser.parseLParen() || parseShortFloat(parser, alpha))
    return failure();
  if (parameters > 1 && (parser.parseComma() || parseShortFloat(parser, beta)))
    return failure();
  return parser.parseRParen();
}

void printActivation(OpAsmPrinter &printer, Operation *op,
                     ActivationAttr activation, FloatAttr alpha,
                     FloatAttr beta) {
  printer << stringifyActivation(activation.getValue());
  const int parameters = getParameterCount(activation.getValue());
  if (parameters == 0)
    return;
  printer << '(';
  printShortFloat(printer, op, alpha);
  if (parameters > 1) {
    printer << ", ";
    printShortFloat(printer, op, beta);
  }
  printer << ')';
}

void ConstantOp::getAsmResultNames(
    function_ref<void(Value, StringRef)> setName) {
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(getValue()))
    setName(getResult(), resource.getRawHandle().getKey());
  else
    setName(getResult(), "constant");
}

void FusedGroupOp::getAsmBlockArgumentNames(
    Region &region, function_ref<void(Value, StringRef)> setName) {
  for (BlockArgument argument : region.getArguments())
    setName(argument, "in");
}

// fused_group(%in = %0) schedule(#snug.whole) attributes {..} : (..) -> .. {..}
// The schedule stands in parentheses, or the parser would take the colon behind
// it for the attribute's type.
ParseResult FusedGroupOp::parse(OpAsmParser &parser, OperationState &state) {
  SmallVector<OpAsmParser::Argument> arguments;
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  ScheduleAttrInterface schedule;
  FunctionType type;
  if (parser.parseAssignmentList(arguments, operands) ||
      parser.parseKeyword("schedule") || parser.parseLParen())
    return failure();
  const SMLoc scheduleLocation = parser.getCurrentLocation();
  Attribute attribute;
  if (parser.parseAttribute(attribute))
    return failure();
  schedule = dyn_cast<ScheduleAttrInterface>(attribute);
  if (!schedule)
    return parser.emitError(scheduleLocation)
           << "expected a schedule such as #snug.whole or #snug.grid<tiles = "
              "[2, 2]>, got "
           << attribute;
  state.getOrAddProperties<Properties>().setSchedule(schedule);
  const SMLoc typeLocation = parser.getCurrentLocation();
  if (parser.parseRParen() ||
      parser.parseOptionalAttrDictWithKeyword(state.attributes) ||
      parser.parseColonType(type))
    return failure();
  if (type.getNumInputs() != arguments.size())
    return parser.emitError(typeLocation)
           << "expected " << arguments.size() << " operand types, got "
           << type.getNumInputs();
  for (auto [argument, argumentType] : llvm::zip(arguments, type.getInputs()))
    argument.type = argumentType;
  if (parser.resolveOperands(operands, type.getInputs(), typeLocation,
                             state.operands))
    return failure();
  state.addTypes(type.getResults());
  return parser.parseRegion(*state.addRegion(), arguments);
}

void FusedGroupOp::print(OpAsmPrinter &printer) {
  printer << '(';
  llvm::interleaveComma(llvm::zip(getBody().getArguments(), getInputs()),
                        printer, [&](auto pair) {
                          printer << std::get<0>(pair) << " = "
                                  << std::get<1>(pair);
                        });
  printer << ") schedule(" << getSchedule() << ')';
  printer.printOptionalAttrDictWithKeyword((*this)->getAttrs(),
                                           {getScheduleAttrName()});
  printer << " : ";
  printer.printFunctionalType(getOperation());
  printer << ' ';
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}

} // namespace snug::cnn
