// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// perf4sight's method (arXiv 2108.05580), the baseline: extremely randomised
// trees over analytic features of a network's convolutions.
#ifndef SNUG_PREDICT_TRAININGFOREST_H
#define SNUG_PREDICT_TRAININGFOREST_H

#include "snug/Predict/Training.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <vector>

namespace snug::predict {

/// A node of a regression tree; the root is the first one of its tree.
struct TreeNode {
  int feature = -1;  ///< -1: a leaf
  double value = 0;  ///< a threshold, or what a leaf predicts
  int64_t right = 0; ///< the left child (feature <= value) is the next node
};

/// Extremely randomised trees (Geurts, Ernst, Wehenkel 2006): every feature is
/// tried with one random threshold, the best split is taken, leaves are pure.
class RandomizedTrees {
public:
  static RandomizedTrees grow(const std::vector<std::vector<double>> &rows,
                              const std::vector<double> &targets,
                              int64_t treeCount, uint64_t seed);
  /// The mean over all trees.
  double predict(const std::vector<double> &row) const;
  bool empty() const { return trees.empty(); }

  nlohmann::ordered_json toJson() const;
  /// Error: not what toJson() writes, for rows of `features` numbers.
  static Result<RandomizedTrees> fromJson(const nlohmann::ordered_json &json,
                                          int64_t features);

private:
  std::vector<std::vector<TreeNode>> trees;
};

/// perf4sight's 56 features of a network at a batch size: tensors, work and
/// scratch of the forward, input-gradient and weight-gradient convolutions as
/// matrix product, FFT and Winograd, summed over all convolutions.
std::vector<double> forestFeatures(const TrainingNetwork &network,
                                   int64_t batch);

/// The baseline for time and memory; a quantity that no sample has stays
/// without trees and is predicted as zero.
class ForestModel {
public:
  /// Error: no samples.
  static Result<ForestModel> fit(const std::vector<TrainingSample> &samples);

  double latencyMs(const TrainingNetwork &network, int64_t batch) const;
  double memoryMib(const TrainingNetwork &network, int64_t batch) const;

  nlohmann::ordered_json toJson() const;
  static Result<ForestModel> fromJson(const nlohmann::ordered_json &json);

private:
  RandomizedTrees latency, memory;
};

} // namespace snug::predict

#endif // SNUG_PREDICT_TRAININGFOREST_H
