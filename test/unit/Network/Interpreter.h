// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Slow executors of test networks: untiled from the network alone, and step by
// step from a program in a poisoned arena.
#ifndef SNUG_TEST_UNIT_NETWORK_INTERPRETER_H
#define SNUG_TEST_UNIT_NETWORK_INTERPRETER_H

#include "Network/TestNetworks.h"
#include "snug/Network/Program.h"

#include <map>
#include <string>
#include <vector>

namespace snug::network {

/// Elements of a tensor in planar order, by index of the tensor.
using Values = std::map<int, std::vector<float>>;

/// Random elements for every network input.
Values randomInputs(const Network &network, unsigned seed);

/// Runs the ops one by one on full tensors; knows nothing of programs, views
/// or needed intervals. Returns the network's outputs.
Values runReference(const TestNetwork &test, const Values &inputs);

/// What came of running a program.
struct Execution {
  std::string error; ///< empty, or the first thing that is wrong
  Values outputs;
};

/// Runs a program step by step with the buffers at `offsets` in an arena of
/// `arenaBytes` bytes. All of it is poisoned beforehand, every buffer once more
/// when its life begins and when it ends, workspace after every step, so that
/// whatever reads bytes that nobody wrote, or that live too short, or that
/// another buffer shares where it is no reuse of the program's, gives other
/// outputs. A kernel sees the extents of its
/// views, where they begin, its pads and its own parameters, nothing else. An
/// error where a view leaves its buffer, a buffer the arena, or a step its
/// buffers' lives.
Execution runProgram(const TestNetwork &test, const Program &program,
                     const std::vector<int64_t> &offsets, int64_t arenaBytes,
                     const Values &inputs);

/// The same with every buffer in a place of its own, but results in the place
/// of what they may reuse.
Execution runProgram(const TestNetwork &test, const Program &program,
                     const Values &inputs);

} // namespace snug::network

#endif // SNUG_TEST_UNIT_NETWORK_INTERPRETER_H
