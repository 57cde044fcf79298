// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What PyTorch allocates and frees in a training step, in order. The rules are
// those of docs/Training.md.
#include "TrainingTrace.h"

#include "CachingAllocator.h"
#include "snug/Network/Network.h"

#include <algorithm>

namespace snug::predict {

using network::kElementBytes;

/// Elements of a max pooling's indices, int64.
constexpr int64_t kIndexBytes = 8;
/// Elements of a dropout's mask.
constexpr int64_t kMaskBytes = 1;
/// Winograd's F(2x2, 3x3) turns tiles of 2x2 results into 4x4 values; cuDNN's
/// non-fused kernels keep the transformed filters, operands and results (Lavin
/// and Gray, Fast Algorithms for Convolutional Neural Networks, section 4.1).
constexpr int64_t kWinogradTile = 2, kWinogradValues = 16;
/// Beyond this many bytes sizes are not told apart, so that sums fit 64 bits.
constexpr int64_t kHuge = int64_t{1} << 60;

/// What is saved of an op's operands and result.
struct SavedParts {
  bool operands = false; ///< all of them, otherwise the first alone
  bool operand = false, result = false;
  ByteCount extra; ///< besides
  std::string what;
};

/// Activations whose gradient PyTorch computes from their result.
static bool savesResult(const TrainingOp &op) {
  static const char *const kMnemonics[] = {"relu", "sigmoid", "tanh",
                                           "exp",  "sqrt",    "reciprocal"};
  return op.inPlace || std::find(std::begin(kMnemonics), std::end(kMnemonics),
                                 op.mnemonic) != std::end(kMnemonics);
}

/// Activations whose gradient is a constant.
static bool savesNothing(const TrainingOp &op) {
  return op.mnemonic == "neg" || op.mnemonic == "floor" ||
         op.mnemonic == "ceil";
}

namespace {

class Tracer {
public:
  explicit Tracer(const TrainingNetwork &network) : network(network) {}

  TrainingTrace trace() {
    addPersistent();
    forward();
    backward();
    return std::move(result);
  }

private:
  const TrainingTensor &tensor(int index) const {
    return network.tensors[index];
  }
  ByteCount bytesOf(int index, int64_t elementBytes = kElementBytes) const {
    const int64_t bytes = tensor(index).elements() * elementBytes;
    return tensor(index).hasBatch ? ByteCount{bytes, 0} : ByteCount{0, bytes};
  }
  bool needsGradient(int index) const { return tensor(index).requiresGradient; }

  /// A new buffer with one owner.
  int allocate(ByteCount bytes) {
    const auto buffer = static_cast<int>(result.buffers.size());
    result.buffers.push_back(bytes);
    owners.push_back(1);
    isKept.push_back(false);
    result.events.push_back({TrainingTrace::EventKind::Allocate, buffer});
    return buffer;
  }
  int share(int buffer) {
    ++owners[buffer];
    return buffer;
  }
  void release(int buffer) {
    if (--owners[buffer] == 0)
      result.events.push_back({TrainingTrace::EventKind::Free, buffer});
  }
  /// Allocated and freed at once.
  void touch(ByteCount bytes) { release(allocate(bytes)); }
  void scratch(ByteCount bytes) {
    result.events.push_back({TrainingTrace::EventKind::Scratch,
                             static_cast<int>(result.buffers.size())});
    result.buffers.push_back(bytes);
    owners.push_back(0);
    isKept.push_back(false);
  }

  void addPersistent();
  void forward();
  void backward();

  int makeResult(const TrainingOp &op);
  SavedParts savedParts(const TrainingOp &op) const;
  void save(const TrainingOp &op, size_t index);
  void addWinogradScratch(const TrainingOp &op);

  /// Adds to the gradient of `index`, which takes over one ownership.
  void addGradient(int index, int buffer, bool isView);
  void addNewGradient(int index) {
    if (needsGradient(index))
      addGradient(index, allocate(bytesOf(index)), false);
  }
  void passGradient(const TrainingOp &op, int buffer, bool isView);
  void differentiate(const TrainingOp &op, int buffer, bool isView);
  void addParameterGradients(const TrainingOp &op);

  struct Gradient {
    int buffer = -1;
    bool isView = false; ///< of a larger buffer: kernels copy it first
  };

  const TrainingNetwork &network;
  TrainingTrace result;
  std::vector<int> owners;                    ///< of buffers
  std::vector<bool> isKept;                   ///< buffers that an op keeps
  std::vector<int> bufferOf;                  ///< of tensors
  std::vector<std::vector<int>> savedBuffers; ///< of ops
  std::vector<Gradient> gradients;            ///< of tensors
};

void Tracer::addPersistent() {
  std::vector<ByteCount> parameters;
  for (const TrainingOp &op : network.ops) {
    for (int64_t elements : {op.weights, op.biases})
      if (elements > 0)
        parameters.push_back({0, elements * kElementBytes});
    if (op.kind == TrainingKind::BatchNormalization) {
      // Running mean and variance, and how many batches were seen.
      const ByteCount statistics[] = {{0, op.weights * kElementBytes},
                                      {0, op.weights * kElementBytes},
                                      {0, kIndexBytes}};
      for (ByteCount bytes : statistics) {
        allocate(bytes);
        result.weights += bytes;
      }
    }
    result.usesMatrixLibrary |= op.kind == TrainingKind::FullyConnected;
  }
  for (ByteCount bytes : parameters) {
    allocate(bytes);
    result.weights += bytes;
    result.gradients += bytes;
  }
  bufferOf.assign(network.tensors.size(), -1);
  for (size_t i = 0; i < network.tensors.size(); ++i)
    if (network.tensors[i].isInput)
      bufferOf[i] = allocate(bytesOf(static_cast<int>(i)));
  allocate({kIndexBytes, 0});          // classes
  for (int copy = 0; copy < 2; ++copy) // gradients, momentum
    for (ByteCount bytes : parameters)
      allocate(bytes);
}

/// The buffer of an op's result.
int Tracer::makeResult(const TrainingOp &op) {
  const bool isView =
      op.kind == TrainingKind::Reshape || op.kind == TrainingKind::Slice;
  if (isView || op.inPlace)
    return share(bufferOf[op.operands.front()]);
  return allocate(bytesOf(op.result));
}

SavedParts Tracer::savedParts(const TrainingOp &op) const {
  SavedParts parts;
  if (!needsGradient(op.result))
    return parts;
  switch (op.kind) {
  case TrainingKind::Add:
  case TrainingKind::Concat:
  case TrainingKind::GlobalAveragePooling:
  case TrainingKind::Pad:
  case TrainingKind::Reshape:
  case TrainingKind::Resize:
  case TrainingKind::Slice:
    return parts;
  case TrainingKind::Activation:
    if (savesNothing(op))
      return parts;
    parts.result = savesResult(op);
    parts.operand = !parts.result;
    parts.what = parts.result ? "result" : "input";
    return parts;
  case TrainingKind::Softmax:
    parts.result = true;
    parts.what = "result";
    return parts;
  case TrainingKind::Dropout:
    parts.extra = bytesOf(op.result, kMaskBytes);
    parts.what = "mask";
    return parts;
  case TrainingKind::BatchNormalization:
    parts.operand = true;
    parts.extra = {0, 2 * op.weights * kElementBytes};
    parts.what = "input, mean, deviation";
    return parts;
  case TrainingKind::Pooling:
    parts.operand = true;
    parts.extra = bytesOf(op.result, kIndexBytes);
    parts.what = "input, indices";
    return parts;
  case TrainingKind::Multiply:
    // By a constant: the constant alone.
    parts.operands = op.operands.size() > 1;
    parts.what = parts.operands ? "inputs" : "";
    return parts;
  case TrainingKind::Other:
    parts.operands = true;
    parts.what = op.operands.size() > 1 ? "inputs" : "input";
    return parts;
  case TrainingKind::Convolution:
  case TrainingKind::TransposedConvolution:
  case TrainingKind::AveragePooling:
  case TrainingKind::FullyConnected:
    parts.operand = true;
    parts.what = "input";
    return parts;
  }
  return parts;
}

void Tracer::save(const TrainingOp &op, size_t index) {
  const SavedParts parts = savedParts(op);
  TrainingTrace::Kept &kept = result.kept[index];
  kept.what = parts.what;
  auto keep = [&](int buffer) {
    savedBuffers[index].push_back(share(buffer));
    // What several ops keep is counted once.
    if (!isKept[buffer])
      kept.bytes += result.buffers[buffer];
    isKept[buffer] = true;
  };
  if (parts.result)
    keep(bufferOf[op.result]);
  for (size_t i = 0; i < op.operands.size(); ++i)
    if (parts.operands || (parts.operand && i == 0))
      keep(bufferOf[op.operands[i]]);
  if (parts.extra.perImage > 0 || parts.extra.fixed > 0) {
    const int buffer = allocate(parts.extra);
    keep(buffer);
    release(buffer);
  }
  result.saved += kept.bytes;
}

/// Scratch of a backward pass of a 3x3 convolution by Winograd's algorithm.
void Tracer::addWinogradScratch(const TrainingOp &op) {
  if (op.kind != TrainingKind::Convolution || op.groups != 1 ||
      op.kernel != std::array<int64_t, 2>{3, 3} ||
      op.stride != std::array<int64_t, 2>{1, 1} ||
      op.dilation != std::array<int64_t, 2>{1, 1})
    return;
  const TrainingTensor &from = tensor(op.operands.front());
  const TrainingTensor &to = tensor(op.result);
  const int64_t tiles = (to.height() + kWinogradTile - 1) / kWinogradTile *
                        ((to.width() + kWinogradTile - 1) / kWinogradTile);
  const int64_t bytes = kWinogradValues * kElementBytes;
  scratch({bytes * tiles * (from.channels() + to.channels()),
           bytes * from.channels() * to.channels()});
}

void Tracer::forward() {
  const size_t count = network.ops.size();
  savedBuffers.resize(count);
  result.kept.resize(count);
  std::vector<int> readers(network.tensors.size(), 0);
  for (const TrainingOp &op : network.ops)
    for (int operand : op.operands)
      ++readers[operand];
  for (size_t i = 0; i < count; ++i) {
    const TrainingOp &op = network.ops[i];
    bufferOf[op.result] = makeResult(op);
    save(op, i);
    // An input of the network stays with who gave it, its outputs with who
    // computes the loss.
    for (int operand : op.operands)
      if (--readers[operand] == 0 && !tensor(operand).isInput &&
          !tensor(operand).isOutput)
        release(bufferOf[operand]);
    if (readers[op.result] == 0 && !tensor(op.result).isOutput)
      release(bufferOf[op.result]);
  }
}

void Tracer::addGradient(int index, int buffer, bool isView) {
  Gradient &gradient = gradients[index];
  if (gradient.buffer < 0) {
    gradient = {buffer, isView};
    return;
  }
  // The engine adds out of place.
  const int sum = allocate(bytesOf(index));
  release(gradient.buffer);
  release(buffer);
  gradient = {sum, false};
}

/// The gradient of the result is that of the operand, or is summed over what
/// was broadcast.
void Tracer::passGradient(const TrainingOp &op, int buffer, bool isView) {
  for (int operand : op.operands) {
    if (!needsGradient(operand))
      continue;
    if (tensor(operand).elements() < tensor(op.result).elements())
      addNewGradient(operand);
    else
      addGradient(operand, share(buffer), isView);
  }
}

/// The step has gradients of all parameters already: new ones are added to
/// them and freed.
void Tracer::addParameterGradients(const TrainingOp &op) {
  for (int64_t elements : {op.biases, op.weights})
    if (elements > 0)
      touch({0, elements * kElementBytes});
}

/// Gradients of the operands and parameters of `op` from that of its result.
void Tracer::differentiate(const TrainingOp &op, int buffer, bool isView) {
  const int operand = op.operands.front();
  switch (op.kind) {
  case TrainingKind::Reshape:
  case TrainingKind::Add:
    passGradient(op, buffer, isView);
    return;
  case TrainingKind::Concat:
    for (int part : op.operands)
      if (needsGradient(part))
        addGradient(part, share(buffer), true);
    return;
  case TrainingKind::Convolution:
  case TrainingKind::TransposedConvolution: {
    const int copy = isView ? allocate(bytesOf(op.result)) : -1;
    if (op.biases > 0)
      touch({0, op.biases * kElementBytes});
    if (needsGradient(operand)) {
      addNewGradient(operand);
      addWinogradScratch(op);
    }
    const int weights = allocate({0, op.weights * kElementBytes});
    addWinogradScratch(op);
    if (copy >= 0)
      release(copy);
    release(weights);
    return;
  }
  case TrainingKind::BatchNormalization:
  case TrainingKind::Pooling: {
    const int copy = isView ? allocate(bytesOf(op.result)) : -1;
    addNewGradient(operand);
    addParameterGradients(op);
    if (copy >= 0)
      release(copy);
    return;
  }
  default:
    for (int part : op.operands)
      addNewGradient(part);
    addParameterGradients(op);
  }
}

void Tracer::backward() {
  gradients.resize(network.tensors.size());
  // Cross entropy: logarithms of the softmax, and gradients of those and of
  // the output.
  std::vector<int> outputs;
  for (int i = 0; i < static_cast<int>(network.tensors.size()); ++i)
    if (tensor(i).isOutput && needsGradient(i) && bufferOf[i] >= 0) {
      const int logarithms = allocate(bytesOf(i));
      const int inner = allocate(bytesOf(i));
      addGradient(i, allocate(bytesOf(i)), false);
      release(inner);
      release(logarithms);
      outputs.push_back(bufferOf[i]);
    }
  for (size_t i = network.ops.size(); i-- > 0;) {
    const TrainingOp &op = network.ops[i];
    const Gradient gradient = gradients[op.result];
    if (gradient.buffer >= 0) {
      differentiate(op, gradient.buffer, gradient.isView);
      release(gradient.buffer);
    }
    for (int buffer : savedBuffers[i])
      release(buffer);
  }
  for (int buffer : outputs)
    release(buffer);
}

} // namespace

TrainingTrace traceTraining(const TrainingNetwork &network) {
  return Tracer(network).trace();
}

TracePeak replay(const TrainingTrace &trace, int64_t batch, bool withScratch) {
  CachingAllocator allocator;
  std::vector<int64_t> blocks(trace.buffers.size(), -1);
  for (const TrainingTrace::Event &event : trace.events) {
    const ByteCount &bytes = trace.buffers[event.buffer];
    if (event.kind == TrainingTrace::EventKind::Free) {
      allocator.free(blocks[event.buffer]);
      continue;
    }
    if (event.kind == TrainingTrace::EventKind::Scratch && !withScratch)
      continue;
    if (bytes.perImage > (kHuge - bytes.fixed) / batch ||
        allocator.getReservedBytes() > kHuge - bytes.at(batch))
      return {kHuge, kHuge};
    blocks[event.buffer] = allocator.allocate(bytes.at(batch));
    if (event.kind == TrainingTrace::EventKind::Scratch)
      allocator.free(blocks[event.buffer]);
  }
  return {allocator.getPeakLiveBytes(), allocator.getReservedBytes()};
}

} // namespace snug::predict
