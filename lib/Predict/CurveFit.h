// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Least squares of a nonlinear function with few parameters.
#ifndef SNUG_LIB_PREDICT_CURVEFIT_H
#define SNUG_LIB_PREDICT_CURVEFIT_H

#include <functional>
#include <vector>

namespace snug::predict {

/// What a parameter is believed to be before any measurement.
struct Prior {
  double mean = 0, deviation = 1;
};

/// The parameters p that make sum_i rho(r_i(p)) + sum_j z_j^2 / 2 smallest,
/// where z_j = (p_j - mean_j) / deviation_j and rho(r) = sqrt(1 + r^2) - 1, so
/// that outliers count linearly. `residuals` returns all r_i, always as many.
/// Levenberg-Marquardt from the means, with derivatives by differences; Nocedal
/// and Wright, Numerical Optimization, section 10.3.
std::vector<double>
fitCurve(const std::function<std::vector<double>(const std::vector<double> &)>
             &residuals,
         const std::vector<Prior> &priors);

} // namespace snug::predict

#endif // SNUG_LIB_PREDICT_CURVEFIT_H
