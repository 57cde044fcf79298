// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What PyTorch allocates and frees in a training step, in order.
#ifndef SNUG_LIB_PREDICT_TRAININGTRACE_H
#define SNUG_LIB_PREDICT_TRAININGTRACE_H

#include "snug/Predict/Training.h"

#include <cstdint>
#include <string>
#include <vector>

namespace snug::predict {

/// Bytes that grow linearly with the batch size.
struct ByteCount {
  int64_t perImage = 0, fixed = 0;

  int64_t at(int64_t batch) const { return perImage * batch + fixed; }
  ByteCount &operator+=(ByteCount other) {
    perImage += other.perImage;
    fixed += other.fixed;
    return *this;
  }
};

/// A training step with gradients and momentum in place: forward, loss and
/// backward pass. It does not depend on the batch size, only its sizes do.
struct TrainingTrace {
  enum class EventKind {
    Allocate,
    Free,
    /// Of an algorithm that cuDNN may choose: allocated and freed at once.
    Scratch
  };
  struct Event {
    EventKind kind;
    int buffer;
  };
  /// What an op keeps, as KeptForBackward.
  struct Kept {
    ByteCount bytes;
    std::string what;
  };

  std::vector<ByteCount> buffers;
  std::vector<Event> events;
  ByteCount weights;      ///< parameters, and statistics of batch norms
  ByteCount gradients;    ///< of parameters; as much again is momentum
  ByteCount saved;        ///< sum of `kept`
  std::vector<Kept> kept; ///< of each op of the network
  /// The backward pass multiplies matrices, so that PyTorch loads cuBLAS.
  bool usesMatrixLibrary = false;
};

TrainingTrace traceTraining(const TrainingNetwork &network);

/// Peaks over a step.
struct TracePeak {
  int64_t liveBytes = 0;     ///< of what is allocated
  int64_t reservedBytes = 0; ///< of what the allocator took for it
};

/// Peaks at a batch size, with or without scratch. Nothing above 2^60 bytes is
/// told apart.
TracePeak replay(const TrainingTrace &trace, int64_t batch, bool withScratch);

} // namespace snug::predict

#endif // SNUG_LIB_PREDICT_TRAININGTRACE_H
