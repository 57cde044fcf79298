// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Weights that are in memory only while instructions read them.
#ifndef SNUG_RUNTIME_SRC_CORE_WEIGHTSTREAM_H
#define SNUG_RUNTIME_SRC_CORE_WEIGHTSTREAM_H

#include "Plan.h"
#include "Status.h"

#include <cstddef>
#include <cstdint>

namespace snug {
namespace runtime {

/// One executor's view of the weights of a plan that streams them. Addresses
/// for all weights are reserved once, so instructions are bound as always; the
/// plan's ranges are mapped there from the file and replaced by nothing again.
///
/// A mapping of its own for each range, and not advice on one of the whole
/// file: the system maps neighbours of a page that is touched, up to the
/// mapping's ends, and those would count.
class WeightStream {
public:
  WeightStream() = default;
  ~WeightStream();
  WeightStream(const WeightStream &) = delete;
  WeightStream &operator=(const WeightStream &) = delete;

  /// Reserves addresses. The plan outlives the stream.
  snug_status prepare(const snug_plan &plan);
  /// Where the weights section begins once its ranges are mapped.
  const unsigned char *weights() const { return window; }

  /// The next instruction before which advance() has something to do.
  uint32_t next() const { return nextInstruction; }
  /// Releases what ended before instruction `index` and maps what begins there.
  /// Called for every next() in turn.
  snug_status advance(uint32_t index);
  /// Releases what is mapped; the next instruction is that of a new run.
  void rewind();

  /// The most that was mapped at once so far.
  uint64_t peakBytes() const { return mostMapped; }

private:
  const snug_plan *plan = nullptr;
  unsigned char *window = nullptr;
  size_t windowBytes = 0;
  uint32_t nextInstruction = 0;
  uint32_t firstMapped = 0, nextRange = 0; ///< [firstMapped, nextRange) are
  uint64_t mapped = 0, mostMapped = 0;

  void release();
  void findNext();
};

} // namespace runtime
} // namespace snug

#endif // SNUG_RUNTIME_SRC_CORE_WEIGHTSTREAM_H
