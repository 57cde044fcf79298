// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Dense systems with a positive definite matrix.
#include "Cholesky.h"

#include <algorithm>
#include <cmath>

namespace snug::predict {

std::vector<double> solvePositiveDefinite(Matrix matrix,
                                          std::vector<double> right) {
  const size_t count = right.size();
  for (size_t i = 0; i < count; ++i) {
    for (size_t j = 0; j <= i; ++j) {
      double sum = matrix[i][j];
      for (size_t k = 0; k < j; ++k)
        sum -= matrix[i][k] * matrix[j][k];
      matrix[i][j] =
          i == j ? std::sqrt(std::max(sum, 1e-300)) : sum / matrix[j][j];
    }
  }
  for (size_t i = 0; i < count; ++i) {
    for (size_t k = 0; k < i; ++k)
      right[i] -= matrix[i][k] * right[k];
    right[i] /= matrix[i][i];
  }
  for (size_t i = count; i-- > 0;) {
    for (size_t k = i + 1; k < count; ++k)
      right[i] -= matrix[k][i] * right[k];
    right[i] /= matrix[i][i];
  }
  return right;
}

} // namespace snug::predict
