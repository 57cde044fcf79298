// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// PyTorch's allocator of GPU memory, without the memory.
#include "CachingAllocator.h"

#include <algorithm>

namespace snug::predict {

constexpr int64_t kMib = int64_t{1} << 20;
constexpr int64_t kGranularity = 512;
constexpr int64_t kSmallLimit = kMib, kSmallSegment = 2 * kMib;
constexpr int64_t kLargeLimit = 10 * kMib, kLargeSegment = 20 * kMib;
constexpr int64_t kSegmentGranularity = 2 * kMib;

static int64_t roundUp(int64_t bytes, int64_t granularity) {
  return (bytes + granularity - 1) / granularity * granularity;
}

static int64_t segmentFor(int64_t bytes) {
  if (bytes <= kSmallLimit)
    return kSmallSegment;
  return bytes < kLargeLimit ? kLargeSegment
                             : roundUp(bytes, kSegmentGranularity);
}

void CachingAllocator::insert(int64_t index) {
  const Block &block = blocks[index];
  FreeBlocks &freeBlocks = pool(block);
  const FreeBlock entry = {block.bytes, block.address, index};
  freeBlocks.insert(
      std::lower_bound(freeBlocks.begin(), freeBlocks.end(), entry), entry);
}

void CachingAllocator::remove(int64_t index) {
  const Block &block = blocks[index];
  FreeBlocks &freeBlocks = pool(block);
  freeBlocks.erase(std::lower_bound(freeBlocks.begin(), freeBlocks.end(),
                                    FreeBlock{block.bytes, block.address, 0}));
}

int64_t CachingAllocator::allocate(int64_t bytes) {
  bytes = std::max(kGranularity, roundUp(bytes, kGranularity));
  const bool isSmall = bytes <= kSmallLimit;
  FreeBlocks &freeBlocks = isSmall ? small : large;
  int64_t index = -1;
  if (auto found = std::lower_bound(freeBlocks.begin(), freeBlocks.end(),
                                    FreeBlock{bytes, -1, 0});
      found != freeBlocks.end()) {
    index = found->block;
    freeBlocks.erase(found);
    blocks[index].isFree = false;
  } else {
    Block block;
    block.bytes = segmentFor(bytes);
    block.address = nextAddress;
    block.isSmall = isSmall;
    index = static_cast<int64_t>(blocks.size());
    blocks.push_back(block);
    nextAddress += block.bytes;
    reserved += block.bytes;
  }
  const int64_t rest = blocks[index].bytes - bytes;
  if (isSmall ? rest >= kGranularity : rest > kSmallLimit) {
    Block remainder = blocks[index];
    remainder.bytes = rest;
    remainder.address += bytes;
    remainder.previous = index;
    remainder.isFree = true;
    const auto behind = static_cast<int64_t>(blocks.size());
    if (remainder.next >= 0)
      blocks[remainder.next].previous = behind;
    blocks[index].bytes = bytes;
    blocks[index].next = behind;
    blocks.push_back(remainder);
    insert(behind);
  }
  live += blocks[index].bytes;
  peakLive = std::max(peakLive, live);
  return index;
}

void CachingAllocator::merge(int64_t first, int64_t second) {
  blocks[first].bytes += blocks[second].bytes;
  blocks[first].next = blocks[second].next;
  if (blocks[second].next >= 0)
    blocks[blocks[second].next].previous = first;
}

void CachingAllocator::free(int64_t block) {
  live -= blocks[block].bytes;
  blocks[block].isFree = true;
  if (const int64_t next = blocks[block].next;
      next >= 0 && blocks[next].isFree) {
    remove(next);
    merge(block, next);
  }
  if (const int64_t previous = blocks[block].previous;
      previous >= 0 && blocks[previous].isFree) {
    remove(previous);
    merge(previous, block);
    block = previous;
  }
  insert(block);
}

} // namespace snug::predict
