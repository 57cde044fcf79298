// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Custom parts of the assembly of snug ops.
#include "SnugAssembly.h"

#include "snug/Dialect/Snug/SnugOps.h"

#include "mlir/IR/DialectResourceBlobManager.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>

using namespace mlir;

namespace snug::cnn {

ParseResult parseShortFloat(OpAsmParser &parser, FloatAttr &value) {
  return parser.parseAttribute(value, parser.getBuilder().getF32Type());
}

void printShortFloat(OpAsmPrinter &printer, Operation *, FloatAttr value) {
  const float number = value.getValue().convertToFloat();
  if (!std::isfinite(number)) {
    printer.printAttributeWithoutType(value);
    return;
  }
  char text[32];
  for (int digits = 1; digits <= 9; ++digits) {
    std::snprintf(text, sizeof text, "%.*g", digits, number);
    // The parser reads a double and rounds it.
    if (static_cast<float>(std::strtod(text, nullptr)) == number)
      break;
  }
  // MLIR's float literals need a point, also in front of an exponent.
  StringRef literal(text);
  const size_t exponent = literal.find('e');
  printer << literal.take_front(exponent) << (literal.contains('.') ? "" : ".0")
          << (exponent == StringRef::npos ? "" : literal.substr(exponent));
}

ParseResult parseActivation(OpAsmParser &parser, ActivationAttr &activation,
                            FloatAttr &slope) {
  Builder &builder = parser.getBuilder();
  const SMLoc location = parser.getCurrentLocation();
  StringRef keyword;
  if (parser.parseKeyword(&keyword))
    return failure();
  const std::optional<Activation> kind = symbolizeActivation(keyword);
  if (!kind)
    return parser.emitError(location)
           << "expected none, relu, leaky_relu or relu6, got " << keyword;
  activation = ActivationAttr::get(builder.getContext(), *kind);
  slope = builder.getF32FloatAttr(0.0f);
  if (*kind != Activation::LeakyRelu)
    return success();
  return failure(parser.parseLParen() || parseShortFloat(parser, slope) ||
                 parser.parseRParen());
}

void printActivation(OpAsmPrinter &printer, Operation *op,
                     ActivationAttr activation, FloatAttr slope) {
  printer << stringifyActivation(activation.getValue());
  if (activation.getValue() != Activation::LeakyRelu)
    return;
  printer << '(';
  printShortFloat(printer, op, slope);
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
