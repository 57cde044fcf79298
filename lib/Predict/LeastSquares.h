// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Least squares with coefficients that cannot be negative.
#ifndef SNUG_LIB_PREDICT_LEASTSQUARES_H
#define SNUG_LIB_PREDICT_LEASTSQUARES_H

#include <vector>

namespace snug::predict {

/// The coefficients x >= 0 that make |A x - b|^2 + ridge * |D x|^2 smallest,
/// where row i of A is `rows[i]`, all of one length, and D holds the norms of
/// A's columns. Coordinate descent on the normal equations.
std::vector<double>
nonNegativeLeastSquares(const std::vector<std::vector<double>> &rows,
                        const std::vector<double> &targets, double ridge = 0);

} // namespace snug::predict

#endif // SNUG_LIB_PREDICT_LEASTSQUARES_H
