// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reads a program's buffers from IR.
#include "snug/Analysis/PlanAnalysis.h"

#include "snug/Dialect/Snug/SnugDialect.h"

using namespace mlir;

namespace snug {

static network::Buffer::Role convertRole(plan::Role role) {
  switch (role) {
  case plan::Role::Input:
    return network::Buffer::Role::Input;
  case plan::Role::Output:
    return network::Buffer::Role::Output;
  case plan::Role::Activation:
    return network::Buffer::Role::Activation;
  case plan::Role::Workspace:
    return network::Buffer::Role::Workspace;
  }
  llvm_unreachable("unknown role");
}

static int64_t elementsOf(plan::ViewType type) {
  return type.getBatch() * type.getHeight() * type.getWidth() *
         type.getChannels();
}

/// The buffer that a view covers from its first to its last element, or null.
static plan::BufferOp findCoveredBuffer(Value value) {
  plan::BufferOp buffer = plan::findBuffer(value);
  return elementsOf(cast<plan::ViewType>(value.getType())) *
                     network::kElementBytes ==
                 buffer.getBytes()
             ? buffer
             : nullptr;
}

/// True where elements of the same index lie at the same place of two buffers
/// that the views cover.
static bool lieAlike(plan::ViewType a, plan::ViewType b) {
  const bool ordersAgree =
      a.getChannels() == 1 || a.getHeight() * a.getWidth() == 1;
  return a.getBatch() == b.getBatch() && a.getHeight() == b.getHeight() &&
         a.getWidth() == b.getWidth() && a.getChannels() == b.getChannels() &&
         (a.getLayout() == b.getLayout() || ordersAgree);
}

/// True where the kernel also reads the buffer in another way than in place.
static bool isReadElsewhere(plan::KernelOpInterface kernel,
                            plan::BufferOp buffer) {
  auto isOfBuffer = [&](Value operand) {
    return plan::findBuffer(operand) == buffer;
  };
  return llvm::count_if(kernel->getOperands(), isOfBuffer) >
         llvm::count_if(kernel.getInPlaceInputs(), isOfBuffer);
}

/// "'conv1' tile 3", or "scratch of 'conv1' tile 3".
static std::string nameAfter(plan::KernelOpInterface kernel,
                             plan::BufferOp buffer) {
  std::string name = "'" + cnn::getNodeName(kernel).str() + "'";
  if (kernel.getTileIndex() >= 0)
    name += " tile " + std::to_string(kernel.getTileIndex());
  return buffer.getRole() == plan::Role::Workspace ? "scratch of " + name
                                                   : name;
}

PlanBuffers collectBuffers(plan::ProgramOp program) {
  PlanBuffers result;
  llvm::DenseMap<Operation *, int> indexOf;
  for (auto buffer : program.getBlock().getOps<plan::BufferOp>()) {
    indexOf[buffer] = static_cast<int>(result.buffers.size());
    result.buffers.push_back(buffer);
    network::Buffer described;
    described.role = convertRole(buffer.getRole());
    described.bytes = buffer.getBytes();
    described.liveBegin = buffer.getRole() == plan::Role::Input ? 0 : -1;
    result.program.buffers.push_back(described);
    result.names.push_back(buffer.getName() ? buffer.getName()->str() : "");
  }
  for (auto kernel : program.getBlock().getOps<plan::KernelOpInterface>()) {
    const int64_t step = static_cast<int64_t>(result.kernels.size());
    for (Value operand : kernel->getOperands()) {
      int index = indexOf[plan::findBuffer(operand)];
      network::Buffer &buffer = result.program.buffers[index];
      if (buffer.liveBegin < 0)
        buffer.liveBegin = step;
      buffer.liveEnd = step + 1;
      if (result.names[index].empty() &&
          (operand == kernel.getOutputView() ||
           buffer.role == network::Buffer::Role::Workspace))
        result.names[index] = nameAfter(kernel, result.buffers[index]);
    }
    result.kernels.push_back(kernel);
  }
  result.program.steps.resize(result.kernels.size());
  for (auto [index, buffer] : llvm::enumerate(result.program.buffers)) {
    if (buffer.role == network::Buffer::Role::Output)
      buffer.liveEnd = static_cast<int64_t>(result.kernels.size());
    // Nothing touches it: it still has an address, for a moment.
    buffer.liveBegin = std::max<int64_t>(buffer.liveBegin, 0);
    buffer.liveEnd = std::max(buffer.liveEnd, buffer.liveBegin + 1);
    if (result.names[index].empty())
      result.names[index] = "buffer " + std::to_string(index);
  }
  for (auto [step, kernel] : llvm::enumerate(result.kernels))
    for (Value value : kernel.getInPlaceInputs()) {
      plan::BufferOp input = findCoveredBuffer(value);
      plan::BufferOp output = findCoveredBuffer(kernel.getOutputView());
      if (input && output && !isReadElsewhere(kernel, input) &&
          lieAlike(cast<plan::ViewType>(value.getType()),
                   cast<plan::ViewType>(kernel.getOutputView().getType())))
        result.program.addReuse(static_cast<int64_t>(step), indexOf[input],
                                indexOf[output]);
    }
  return result;
}

} // namespace snug
