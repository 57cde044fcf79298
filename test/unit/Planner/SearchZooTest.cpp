// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The search over networks of hundreds of ops: budgets, consistency, time.
#include "snug/Planner/Search.h"

#include "Network/TestNetworks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>

namespace snug::planner {
namespace {

using network::Builder;
using network::Network;
using network::Taps;

int convolution(Builder &builder, int x, int64_t channels, int64_t kernel,
                int64_t stride = 1) {
  return builder.convolution(x, channels,
                             Taps{kernel, stride, 1, kernel / 2, kernel / 2});
}

Network resnet50() {
  Builder builder;
  int x = convolution(builder, builder.input(1, 3, 224, 224), 64, 7, 2);
  x = builder.maxPool(x, {3, 2, 1, 1, 1});
  int64_t channels = 64;
  for (int blocks : {3, 4, 6, 3}) {
    for (int i = 0; i < blocks; ++i) {
      const int64_t stride = channels > 64 && i == 0 ? 2 : 1;
      int y = convolution(builder, x, channels, 1);
      y = convolution(builder, y, channels, 3, stride);
      y = convolution(builder, y, 4 * channels, 1);
      if (i == 0)
        x = convolution(builder, x, 4 * channels, 1, stride);
      x = builder.leakyRelu(builder.add(x, y));
    }
    channels *= 2;
  }
  builder.output(
      builder.gemm(builder.flatten(builder.globalAveragePool(x)), 10));
  return builder.network();
}

Network densenet121() {
  Builder builder;
  int x = convolution(builder, builder.input(1, 3, 224, 224), 64, 7, 2);
  x = builder.maxPool(builder.leakyRelu(x), {3, 2, 1, 1, 1});
  for (int layers : {6, 12, 24, 16}) {
    std::vector<int> parts{x};
    for (int i = 0; i < layers; ++i) {
      int y = parts.size() > 1 ? builder.concat(parts) : x;
      // A batch norm in front of a convolution stays.
      y = convolution(builder, builder.leakyRelu(builder.leakyRelu(y)), 128, 1);
      parts.push_back(convolution(builder, builder.leakyRelu(y), 32, 3));
    }
    x = builder.leakyRelu(builder.leakyRelu(builder.concat(parts)));
    if (layers == 16)
      break;
    x = convolution(builder, x, builder.network().tensors[x].channels / 2, 1);
    x = builder.averagePool(x, {2, 2, 1, 0, 0}, {2, 2, 1, 0, 0});
  }
  builder.output(
      builder.gemm(builder.flatten(builder.globalAveragePool(x)), 10));
  return builder.network();
}

/// Four branches to a block, as in inception_v3; windows of 1 x 7 and 7 x 1.
Network inception() {
  Builder builder;
  const Taps one{1, 1, 1, 0, 0}, seven{7, 1, 1, 3, 3}, pool{3, 1, 1, 1, 1};
  int x =
      builder.convolution(builder.input(1, 3, 299, 299), 32, {3, 2, 1, 0, 0});
  x = convolution(builder, builder.convolution(x, 32, {3, 1, 1, 0, 0}), 64, 3);
  x = builder.maxPool(x, {3, 2, 1, 0, 0});
  x = builder.convolution(convolution(builder, x, 80, 1), 192, {3, 1, 1, 0, 0});
  x = builder.maxPool(x, {3, 2, 1, 0, 0});
  for (int i = 0; i < 3; ++i) {
    const int a = convolution(builder, x, 64, 1);
    const int b = convolution(builder, convolution(builder, x, 48, 1), 64, 5);
    int c = convolution(builder, convolution(builder, x, 64, 1), 96, 3);
    c = convolution(builder, c, 96, 3);
    const int d =
        convolution(builder, builder.averagePool(x, pool, pool), 64, 1);
    x = builder.concat({a, b, c, d});
  }
  x = builder.concat({builder.convolution(x, 384, {3, 2, 1, 0, 0}),
                      builder.maxPool(x, {3, 2, 1, 0, 0})});
  for (int i = 0; i < 4; ++i) {
    const int a = convolution(builder, x, 192, 1);
    int b =
        builder.convolution(convolution(builder, x, 128, 1), 128, one, seven);
    b = builder.convolution(b, 192, seven, one);
    int c = convolution(builder, x, 128, 1);
    for (int k = 0; k < 2; ++k)
      c = builder.convolution(builder.convolution(c, 128, seven, one), 128, one,
                              seven);
    c = convolution(builder, c, 192, 1);
    const int d =
        convolution(builder, builder.averagePool(x, pool, pool), 192, 1);
    x = builder.concat({a, b, c, d});
  }
  builder.output(
      builder.gemm(builder.flatten(builder.globalAveragePool(x)), 10));
  return builder.network();
}

/// Long skips over everything, and transposed convolutions.
Network unet() {
  Builder builder;
  int x = builder.input(1, 3, 128, 128);
  std::vector<int> skips;
  int64_t channels = 16;
  for (int depth = 0; depth < 4; ++depth, channels *= 2) {
    x = convolution(builder, convolution(builder, x, channels, 3), channels, 3);
    skips.push_back(x);
    x = builder.maxPool(x, {2, 2, 1, 0, 0});
  }
  x = convolution(builder, x, channels, 3);
  while (!skips.empty()) {
    channels /= 2;
    const Taps two{2, 2, 1, 0, 0};
    x = builder.transposedConvolution(x, channels, two, two);
    x = builder.concat({skips.back(), x});
    skips.pop_back();
    x = convolution(builder, convolution(builder, x, channels, 3), channels, 3);
  }
  builder.output(convolution(builder, x, 2, 1));
  return builder.network();
}

struct Case {
  const char *name;
  Network (*build)();
  int64_t divisor; ///< of the untiled arena, which a plan keeps
};

class SearchZoo : public ::testing::TestWithParam<Case> {};

/// Processor seconds that a search took.
double search(const Network &network, const SearchOptions &options,
              SearchResult &result) {
  const std::clock_t begin = std::clock();
  auto found = planner::search(network, options);
  EXPECT_TRUE(found);
  result = std::move(*found);
  return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

TEST_P(SearchZoo, BudgetsAreKeptOrNamed) {
  const Network network = GetParam().build();
  ASSERT_EQ(network::check(network), "");
  SearchOptions options;
  options.runtimeOverhead = [](int64_t steps) {
    return 2000000 + 1000 * steps;
  };
  const auto untiled = evaluate(network, {}, options);
  ASSERT_TRUE(untiled);
  double longest = 0;
  for (BudgetScope scope : {BudgetScope::Arena, BudgetScope::Process}) {
    options.scope = scope;
    auto need = [&](const Plan &plan) {
      return scope == BudgetScope::Arena ? plan.memory.arena : plan.memory.peak;
    };
    const int64_t fixed = need(*untiled) - untiled->memory.arena;
    SearchResult result;
    for (int64_t divisor : {1, 2, 4}) {
      options.budgetBytes = fixed + untiled->memory.arena / divisor;
      longest = std::max(longest, search(network, options, result));
      if (scope == BudgetScope::Arena && divisor <= GetParam().divisor) {
        EXPECT_TRUE(result.plan) << divisor;
      }
      if (result.plan) {
        EXPECT_LE(need(*result.plan), *options.budgetBytes);
        EXPECT_GE(result.plan->program.macs(), network.macs());
      } else {
        EXPECT_GT(result.smallestBudgetBytes, *options.budgetBytes);
      }
    }
    if (scope == BudgetScope::Process)
      continue;
    options.budgetBytes = 0;
    longest = std::max(longest, search(network, options, result));
    ASSERT_FALSE(result.plan);
    const int64_t smallest = result.smallestBudgetBytes;
    EXPECT_EQ(need(result.smallestPlan), smallest);
    options.budgetBytes = smallest;
    longest = std::max(longest, search(network, options, result));
    EXPECT_TRUE(result.plan);
    options.budgetBytes = smallest - 1;
    longest = std::max(longest, search(network, options, result));
    EXPECT_FALSE(result.plan);
    EXPECT_EQ(result.smallestBudgetBytes, smallest);
  }
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__)
  // A second is meant; processor time on a shared machine varies twofold.
  EXPECT_LT(longest, 2.5);
#endif
}

INSTANTIATE_TEST_SUITE_P(Networks, SearchZoo,
                         ::testing::Values(Case{"resnet50", resnet50, 2},
                                           Case{"densenet121", densenet121, 2},
                                           Case{"inception", inception, 2},
                                           Case{"unet", unet, 1}),
                         [](const auto &info) {
                           return std::string(info.param.name);
                         });

} // namespace
} // namespace snug::planner
