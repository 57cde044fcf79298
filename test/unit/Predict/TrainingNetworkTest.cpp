// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Extents and check of a network that is trained.
#include "Predict/TestTrainingNetworks.h"

#include "gtest/gtest.h"

#include <functional>

using namespace snug::predict;
using snug::predict::test::convolutionAndRelu;

namespace {

TEST(TrainingNetworkTest, Extents) {
  const TrainingNetwork network = convolutionAndRelu();
  EXPECT_EQ(check(network), "");
  EXPECT_EQ(network.parameters(), 112);
  EXPECT_EQ(network.tensors[1].elements(), 256);
  EXPECT_EQ(network.tensors[1].channels(), 4);
  EXPECT_EQ(network.tensors[1].height(), 8);
  TrainingTensor features;
  features.shape = {10};
  EXPECT_EQ(features.channels(), 10);
  EXPECT_EQ(features.height(), 1);
  EXPECT_EQ(features.width(), 1);
}

TEST(TrainingNetworkTest, EachDefectIsNamed) {
  using Break = std::function<void(TrainingNetwork &)>;
  const std::pair<Break, const char *> broken[] = {
      {[](TrainingNetwork &n) { n.tensors[1].shape[0] = 0; },
       "tensor 'conv' has an extent of 0, which is not positive"},
      {[](TrainingNetwork &n) { n.tensors[1].shape[0] = int64_t{1} << 40; },
       "tensor 'conv' has more than 1099511627776 elements an image"},
      {[](TrainingNetwork &n) { n.tensors[0].isInput = false; },
       "the network has no input"},
      {[](TrainingNetwork &n) { n.ops[0].stride[0] = 0; },
       "op 'conv' has stride of 0, the least is 1"},
      {[](TrainingNetwork &n) { n.ops[0].weights = 0; },
       "op 'conv' has no weights, a convolution has some"},
      {[](TrainingNetwork &n) { n.ops[0].weights = int64_t{1} << 41; },
       "op 'conv' has more than 1099511627776 parameters"},
      {[](TrainingNetwork &n) { n.ops[1].operands = {}; },
       "op 'relu' has no operand"},
      {[](TrainingNetwork &n) { n.ops[1].operands = {2}; },
       "op 'relu' reads a tensor that is not made before it"},
      {[](TrainingNetwork &n) { n.ops[1].result = 1; },
       "op 'relu' makes a tensor that exists already"}};
  for (const auto &[change, message] : broken) {
    TrainingNetwork network = convolutionAndRelu();
    change(network);
    EXPECT_EQ(check(network), message);
  }
}

} // namespace
