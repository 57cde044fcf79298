// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Least squares with coefficients that cannot be negative.
#include "LeastSquares.h"

#include <algorithm>
#include <cmath>

namespace snug::predict {

/// Sweeps over all coefficients; they stop earlier where nothing moves.
constexpr int kSweeps = 20000;
constexpr double kStop = 1e-12;

std::vector<double>
nonNegativeLeastSquares(const std::vector<std::vector<double>> &rows,
                        const std::vector<double> &targets, double ridge) {
  if (rows.empty())
    return {};
  const size_t count = rows.front().size();
  // Columns are scaled to a norm of one, so that no unit weighs more.
  std::vector<double> norms(count, 0);
  for (const std::vector<double> &row : rows)
    for (size_t j = 0; j < count; ++j)
      norms[j] += row[j] * row[j];
  for (double &norm : norms)
    norm = std::sqrt(norm);
  std::vector<std::vector<double>> gram(count, std::vector<double>(count, 0));
  std::vector<double> projection(count, 0);
  for (size_t i = 0; i < rows.size(); ++i)
    for (size_t j = 0; j < count; ++j) {
      if (norms[j] == 0 || rows[i][j] == 0)
        continue;
      const double scaled = rows[i][j] / norms[j];
      projection[j] += scaled * targets[i];
      for (size_t k = 0; k < count; ++k)
        if (norms[k] > 0)
          gram[j][k] += scaled * rows[i][k] / norms[k];
    }
  std::vector<double> scaled(count, 0);
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    double moved = 0, largest = 0;
    for (size_t j = 0; j < count; ++j) {
      if (norms[j] == 0)
        continue;
      double rest = projection[j];
      for (size_t k = 0; k < count; ++k)
        if (k != j)
          rest -= gram[j][k] * scaled[k];
      const double best = std::max(0.0, rest / (gram[j][j] + ridge));
      moved = std::max(moved, std::abs(best - scaled[j]));
      largest = std::max(largest, best);
      scaled[j] = best;
    }
    if (moved <= kStop * largest)
      break;
  }
  for (size_t j = 0; j < count; ++j)
    scaled[j] = norms[j] > 0 ? scaled[j] / norms[j] : 0;
  return scaled;
}

} // namespace snug::predict
