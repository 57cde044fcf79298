// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Measured training steps: the CSV form that tools/zoo/profile_training.py
// writes.
#ifndef SNUG_PREDICT_TRAININGDATA_H
#define SNUG_PREDICT_TRAININGDATA_H

#include "snug/Network/Result.h"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace snug::predict {

/// A row: one training step of one network. Its graph is
/// `{network}_{level}.onnx`.
struct TrainingRow {
  int64_t line = 0; ///< in the file, from 1
  std::string network;
  int64_t level = 0; ///< pruning_percent: variants of the network; 0 = itself
  int64_t batch = 0;
  std::optional<double> latencyMs; ///< latency_ms
  std::optional<double> memoryMib; ///< mem_used_mib

  /// "{network}_{level}"
  std::string model() const;
};

/// Which rows are read; empty: all.
struct TrainingSelection {
  std::set<std::string> networks;
  std::set<int64_t> levels;
};

/// The rows of a table with a head that names the columns: network,
/// pruning_percent, batch_size, latency_ms, mem_used_mib and passed, in any
/// order, beside others. Of rows outside the selection only network and level
/// are read. Rows that did not pass, or that hold neither quantity, are left
/// out. Error: a column that is missing, a field that is no number of its kind,
/// a configuration that stands there twice, no row at all.
Result<std::vector<TrainingRow>>
readTrainingRows(const std::string &text, const TrainingSelection &selection);

/// What is odd about a row.
struct RowWarning {
  size_t row = 0; ///< index
  std::string message;
  /// The quantity is left out of the fit: it is far from what the rows around
  /// it say.
  bool dropLatency = false, dropMemory = false;
};

/// Rows of which a quantity is far from what the batch sizes around it let one
/// expect, of the same network and level. `memoryLimitMib`: rows above it
/// probably ran while the device was swapping; they are named, and stay.
std::vector<RowWarning> findOddRows(const std::vector<TrainingRow> &rows,
                                    std::optional<double> memoryLimitMib);

} // namespace snug::predict

#endif // SNUG_PREDICT_TRAININGDATA_H
