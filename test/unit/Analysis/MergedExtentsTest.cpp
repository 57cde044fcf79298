// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Neighbouring axes as one: broadcasts, reductions, matrix products, pads.
#include "snug/Analysis/MergedExtents.h"

#include <gtest/gtest.h>

using namespace snug;

TEST(MergedExtents, EqualShapesAreOneAxis) {
  auto merged =
      mergeBroadcast({2, 3, 4, 5, 6}, {2, 3, 4, 5, 6}, {2, 3, 4, 5, 6});
  ASSERT_TRUE(merged);
  EXPECT_EQ(merged->result, (Extents{1, 1, 1, 720}));
  EXPECT_EQ(merged->left, merged->right);
}

TEST(MergedExtents, RepeatedAxes) {
  // One number a channel of a planar image.
  auto merged = mergeBroadcast({2, 3, 4, 5}, {3, 1, 1}, {2, 3, 4, 5});
  ASSERT_TRUE(merged);
  EXPECT_EQ(merged->left, (Extents{1, 2, 3, 20}));
  EXPECT_EQ(merged->right, (Extents{1, 1, 3, 1}));
  // An outer sum.
  merged = mergeBroadcast({4, 1}, {1, 7}, {4, 7});
  ASSERT_TRUE(merged);
  EXPECT_EQ(merged->left, (Extents{1, 1, 4, 1}));
  EXPECT_EQ(merged->right, (Extents{1, 1, 1, 7}));
  // A number.
  merged = mergeBroadcast({4, 3}, {}, {4, 3});
  ASSERT_TRUE(merged);
  EXPECT_EQ(merged->left, (Extents{1, 1, 1, 12}));
  EXPECT_EQ(merged->right, (Extents{1, 1, 1, 1}));
  // Axes of one element in between do not count.
  merged = mergeBroadcast({2, 1, 3, 1, 5}, {5}, {2, 1, 3, 1, 5});
  ASSERT_TRUE(merged);
  EXPECT_EQ(merged->result, (Extents{1, 1, 6, 5}));
}

TEST(MergedExtents, BroadcastsBeyondFourExtents) {
  EXPECT_TRUE(mergeBroadcast({2, 3, 4, 5}, {1, 3, 1, 5}, {2, 3, 4, 5}));
  EXPECT_FALSE(
      mergeBroadcast({2, 3, 4, 5, 6}, {2, 1, 4, 1, 6}, {2, 3, 4, 5, 6}));
}

TEST(MergedExtents, AxesInTheMiddle) {
  AxisExtents split = splitAround({2, 3, 4, 5}, 1, 3);
  EXPECT_EQ(split.outer, 2);
  EXPECT_EQ(split.middle, 12);
  EXPECT_EQ(split.inner, 5);
  EXPECT_TRUE(mergeReduced({2, 3, 4, 5}, {2, 3}));
  EXPECT_FALSE(mergeReduced({2, 3, 4, 5}, {1, 3}));
  auto merged = mergeReduced({2, 3, 1, 5}, {1, 3});
  ASSERT_TRUE(merged);
  EXPECT_EQ(merged->middle, 15);
  EXPECT_EQ(merged->inner, 1);
}

TEST(MergedExtents, MatrixProducts) {
  auto merged = mergeMatMul({2, 3, 4, 5}, {5, 6});
  ASSERT_TRUE(merged);
  EXPECT_EQ(merged->leftBatch, 6);
  EXPECT_EQ(merged->rightBatch, 1);
  EXPECT_EQ(merged->batch, 6);
  EXPECT_EQ(merged->rows, 4);
  EXPECT_EQ(merged->inner, 5);
  EXPECT_EQ(merged->columns, 6);
  EXPECT_TRUE(mergeMatMul({1, 3, 4, 5}, {3, 5, 6}));
  EXPECT_FALSE(mergeMatMul({2, 1, 4, 5}, {1, 3, 5, 6}));
  EXPECT_FALSE(mergeMatMul({2, 3, 4, 5}, {3, 5, 6}));
}

TEST(MergedExtents, Pads) {
  auto merged = mergePad({2, 3, 4, 5}, {0, 0, 1, 0}, {0, 0, 0, 2});
  ASSERT_TRUE(merged);
  EXPECT_EQ(merged->input, (Extents{1, 6, 4, 5}));
  EXPECT_EQ(merged->result, (Extents{1, 6, 5, 7}));
  EXPECT_EQ(merged->low, (Extents{0, 0, 1, 0}));
  EXPECT_EQ(merged->high, (Extents{0, 0, 0, 2}));
  // A padded batch becomes an axis that may have pads.
  merged = mergePad({2, 3, 4, 5}, {1, 0, 0, 0}, {0, 0, 0, 0});
  ASSERT_TRUE(merged);
  EXPECT_EQ(merged->input, (Extents{1, 1, 2, 60}));
  EXPECT_FALSE(mergePad({2, 3, 4, 5}, {1, 1, 1, 1}, {0, 0, 0, 0}));
}
