// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The allocator of PyTorch: sizes of segments, splitting, joining, reuse.
#include "Predict/CachingAllocator.h"

#include "gtest/gtest.h"

using snug::predict::CachingAllocator;

namespace {

constexpr int64_t kMib = 1 << 20;

TEST(CachingAllocatorTest, SmallBlocksShareASegmentOfTwoMib) {
  CachingAllocator allocator;
  allocator.allocate(1);
  EXPECT_EQ(allocator.getPeakLiveBytes(), 512);
  EXPECT_EQ(allocator.getReservedBytes(), 2 * kMib);
  // 2 MiB - 512 are left: one block of 1 MiB fits, a second one does not.
  allocator.allocate(kMib);
  EXPECT_EQ(allocator.getReservedBytes(), 2 * kMib);
  allocator.allocate(kMib);
  EXPECT_EQ(allocator.getReservedBytes(), 4 * kMib);
  EXPECT_EQ(allocator.getPeakLiveBytes(), 2 * kMib + 512);
}

TEST(CachingAllocatorTest, LargeBlocksAndBlocksOfTheirOwn) {
  CachingAllocator allocator;
  allocator.allocate(kMib + 1); // of 20 MiB
  allocator.allocate(9 * kMib); // of the same
  EXPECT_EQ(allocator.getReservedBytes(), 20 * kMib);
  allocator.allocate(10 * kMib); // its own, the segment has less left
  EXPECT_EQ(allocator.getReservedBytes(), 30 * kMib);
  allocator.allocate(11 * kMib); // rounded up to 2 MiB; 1 MiB is not split off
  EXPECT_EQ(allocator.getReservedBytes(), 42 * kMib);
  EXPECT_EQ(allocator.getPeakLiveBytes(), (1 + 9 + 10 + 12) * kMib + 512);
}

TEST(CachingAllocatorTest, TheSmallestSufficientBlockIsReused) {
  CachingAllocator allocator;
  const int64_t large = allocator.allocate(40 * kMib);
  const int64_t small = allocator.allocate(30 * kMib);
  allocator.free(large);
  allocator.free(small);
  EXPECT_EQ(allocator.allocate(28 * kMib), small);
  EXPECT_EQ(allocator.allocate(28 * kMib), large);
  // 12 MiB are left of the large one, and 2 MiB of the small one.
  allocator.allocate(12 * kMib);
  EXPECT_EQ(allocator.getReservedBytes(), 70 * kMib);
  allocator.allocate(12 * kMib);
  EXPECT_EQ(allocator.getReservedBytes(), 82 * kMib);
}

TEST(CachingAllocatorTest, FreeNeighboursBecomeOneWithinASegment) {
  CachingAllocator allocator;
  const int64_t first = allocator.allocate(5 * kMib);
  const int64_t second = allocator.allocate(5 * kMib);
  const int64_t third = allocator.allocate(5 * kMib);
  allocator.free(first);
  allocator.free(third);  // joins the 5 MiB behind it
  allocator.free(second); // joins all
  EXPECT_EQ(allocator.allocate(20 * kMib), first);
  EXPECT_EQ(allocator.getReservedBytes(), 20 * kMib);
  // Segments do not join: 20 + 20 MiB do not hold 40.
  allocator.allocate(20 * kMib);
  allocator.free(first);
  allocator.allocate(40 * kMib);
  EXPECT_EQ(allocator.getReservedBytes(), 80 * kMib);
}

} // namespace
