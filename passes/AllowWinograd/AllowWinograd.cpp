// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Permits Winograd's algorithm for convolutions.
#include "passes/AllowWinograd/AllowWinograd.h"

#include "snug/Dialect/Snug/SnugDialect.h"

#define DEBUG_TYPE "snug-allow-winograd"

using namespace mlir;

namespace snug {

#define GEN_PASS_DEF_ALLOWWINOGRADPASS
#include "passes/AllowWinograd/AllowWinograd.h.inc"

namespace {

struct AllowWinogradPass
    : public impl::AllowWinogradPassBase<AllowWinogradPass> {
  void runOnOperation() override {
    getOperation().walk(
        [](cnn::Conv2DOp convolution) { convolution.setAllowWinograd(true); });
  }
};

} // namespace
} // namespace snug
