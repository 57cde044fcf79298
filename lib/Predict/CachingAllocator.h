// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// PyTorch's allocator of GPU memory, without the memory.
#ifndef SNUG_LIB_PREDICT_CACHINGALLOCATOR_H
#define SNUG_LIB_PREDICT_CACHINGALLOCATOR_H

#include <cstdint>
#include <vector>

namespace snug::predict {

/// Counts what CUDACachingAllocator of PyTorch (c10/cuda, 1.6 and later) takes
/// from the device for a sequence of allocations on one stream. Sizes are
/// rounded up to 512 bytes. Blocks of at most 1 MiB come from segments of
/// 2 MiB, others below 10 MiB from segments of 20 MiB, larger ones from
/// segments of their own, rounded up to 2 MiB. A free block is reused where it
/// is the smallest that suffices; what it has too much is split off where that
/// is 512 bytes (small blocks) or more than 1 MiB (large ones). Neighbours that
/// are free become one; no segment is given back.
class CachingAllocator {
public:
  /// Returns the block.
  int64_t allocate(int64_t bytes);
  void free(int64_t block);

  int64_t getPeakLiveBytes() const { return peakLive; }
  /// Of all segments; they only grow.
  int64_t getReservedBytes() const { return reserved; }

private:
  struct Block {
    int64_t bytes = 0, address = 0;
    int64_t previous = -1, next = -1; ///< in the segment
    bool isFree = false, isSmall = false;
  };
  struct FreeBlock {
    int64_t bytes, address, block;

    bool operator<(const FreeBlock &other) const {
      return bytes != other.bytes ? bytes < other.bytes
                                  : address < other.address;
    }
  };
  /// Sorted: the smallest comes first, of equals the lowest.
  using FreeBlocks = std::vector<FreeBlock>;

  FreeBlocks &pool(const Block &block) { return block.isSmall ? small : large; }
  void insert(int64_t index);
  void remove(int64_t index);
  /// Appends `second`, the free neighbour behind `first`, to it.
  void merge(int64_t first, int64_t second);

  std::vector<Block> blocks;
  FreeBlocks small, large;
  int64_t nextAddress = 0;
  int64_t live = 0, peakLive = 0, reserved = 0;
};

} // namespace snug::predict

#endif // SNUG_LIB_PREDICT_CACHINGALLOCATOR_H
