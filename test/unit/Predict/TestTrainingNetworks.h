// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Small networks for the tests of training models.
#ifndef SNUG_TEST_UNIT_PREDICT_TESTTRAININGNETWORKS_H
#define SNUG_TEST_UNIT_PREDICT_TESTTRAININGNETWORKS_H

#include "snug/Predict/Training.h"

namespace snug::predict::test {

/// image [3, size, size] -> `filters` filters of 3x3, padded, biased -> relu,
/// in place.
TrainingNetwork convolutionAndRelu(int64_t filters = 4, int64_t size = 8);

} // namespace snug::predict::test

#endif // SNUG_TEST_UNIT_PREDICT_TESTTRAININGNETWORKS_H
