// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What was learnt of networks that differ in channels alone.
#ifndef SNUG_PREDICT_TOPOLOGYCURVE_H
#define SNUG_PREDICT_TOPOLOGYCURVE_H

#include "snug/Network/Result.h"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

namespace snug::predict {

/// A network of the topology: the logarithm of its parameters, and that of the
/// milliseconds the physical model says of it.
struct TopologyMember {
  double logParameters = 0, logMs = 0;
};

/// A measurement of a member: logarithm to base 2 of the batch, and natural
/// logarithm of measured by predicted time.
struct TopologyResidual {
  size_t member = 0;
  double log2Batch = 0, residual = 0;
  double weight = 1; ///< positive
};

/// Networks pruned at random to a size differ from each other in ways that no
/// measurement shows, as profiles of pruned networks often are of other random
/// draws than the graphs beside them. What a size costs is therefore read from
/// a smooth curve over the members' sizes, and what was measured is smoothed
/// over size and batch: Gaussian processes (Rasmussen and Williams, Gaussian
/// Processes for Machine Learning, sections 2.2 and 2.7), kept as tables.
/// Beyond the sizes of the members both fade out.
class TopologyCurve {
public:
  TopologyCurve() = default;
  /// From members, at least one.
  TopologyCurve(std::string topology,
                const std::vector<TopologyMember> &members);
  /// Learns what the physical model, shifted, leaves over.
  void fit(const std::vector<TopologyMember> &members,
           const std::vector<TopologyResidual> &residuals);

  const std::string &getTopology() const { return topology; }
  /// What has to be added to the logarithm of a member's predicted GPU time.
  double shift(TopologyMember member) const;
  /// What has to be added to the logarithm of the step time after that.
  double correction(double logParameters, double log2Batch) const;

  nlohmann::ordered_json toJson() const;
  /// Error: a table that is missing or of another size.
  static Result<TopologyCurve> fromJson(const nlohmann::ordered_json &json);

private:
  double beyond(double logParameters) const;

  std::string topology;
  std::vector<double> logParameters; ///< ascending, at least one
  std::vector<double> logMs;         ///< at each, or empty: no shift
  std::vector<double> trust;         ///< in it, of the same sizes
  std::vector<double> log2Batches;   ///< ascending, empty: no correction
  std::vector<std::vector<double>> corrections; ///< [size][batch]
};

} // namespace snug::predict

#endif // SNUG_PREDICT_TOPOLOGYCURVE_H
