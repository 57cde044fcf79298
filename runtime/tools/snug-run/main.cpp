// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// snug-run: what goes on the board. The runtime alone, no compiler.

#include "Runner.h"

int main(int argc, char **argv) {
  return snug::runner::runMain(argc, argv, "snug-run");
}
