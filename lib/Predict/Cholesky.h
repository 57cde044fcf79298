// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Dense systems with a positive definite matrix.
#ifndef SNUG_LIB_PREDICT_CHOLESKY_H
#define SNUG_LIB_PREDICT_CHOLESKY_H

#include <vector>

namespace snug::predict {

using Matrix = std::vector<std::vector<double>>;

/// The x of A x = b, where A is symmetric and positive definite; only its lower
/// triangle is read.
std::vector<double> solvePositiveDefinite(Matrix matrix,
                                          std::vector<double> right);

} // namespace snug::predict

#endif // SNUG_LIB_PREDICT_CHOLESKY_H
