// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// An address assignment as the exact search sees it: items in few time
// sections.
#ifndef SNUG_LIB_PLANNER_PACKING_H
#define SNUG_LIB_PLANNER_PACKING_H

#include "snug/Planner/Allocation.h"

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace snug::planner {

/// Offsets and sizes count in units: every offset that matters is a multiple of
/// one. Time is cut into sections; only those are kept whose live items are not
/// all live in a neighbouring section.
struct Packing {
  /// One buffer, or several at one offset.
  struct Item {
    std::vector<int> buffers;
    int64_t size = 0;      ///< units, the largest of its buffers
    int64_t alignment = 1; ///< units
    int64_t begin = 0, end = 0;
    int64_t slackBytes = 0; ///< least bytes by which size units are too many
    std::optional<int64_t> fixed;          ///< units
    int firstSection = 0, lastSection = 0; ///< half-open
    std::vector<int64_t> sizes;            ///< by section, if they differ
    int twin = -1; ///< an equal item that may always be taken to lie above
    bool isTwin = false;
  };
  /// Of two items in conflict one lies above the other: `item` at least `above`
  /// units above this one, or this one at least `below` units above `item`.
  struct Neighbour {
    int item = 0;
    int64_t above = 0, below = 0;
    bool paged = false; ///< and from the next page boundary on
  };
  struct Member {
    int item = 0;
    int64_t size = 0; ///< units in this section
  };
  struct Section {
    std::vector<Member> members;
    int64_t saved = 0;      ///< units that overlaps can save at most
    int64_t slackBytes = 0; ///< largest slack of its members
    int64_t total = 0;      ///< units of all members
  };

  int64_t unit = 1; ///< bytes
  int64_t page = 1; ///< units
  std::vector<Item> items;
  std::vector<std::vector<Neighbour>> neighbours;
  std::vector<Section> sections;
  /// Pairs of items that are bound together though they share no section.
  std::vector<std::pair<int, int>> links;
  /// Whether some item may lie at the very offset of another one below it.
  bool tiesMatter = false;
  /// Whether an item is equally far below all that lie above it.
  bool evenDistances = true;

  /// Largest offset of an item below so many bytes, in units, aligned; negative
  /// if there is none.
  int64_t largestOffset(const Item &item, int64_t capacityBytes) const;
  /// Units that a section's members can take in so many bytes.
  int64_t sectionCapacity(const Section &section, int64_t capacityBytes) const;
};

/// `together[i]`: whether the buffers of the exact overlap i share an offset;
/// overlaps without `exact` are never together. Nothing if that makes two
/// buffers clash or an item misaligned. Overlaps whose output may lie above its
/// input only where they are disjoint are honoured fully; those with a negative
/// distance as if it were zero.
std::optional<Packing> makePacking(const AllocationProblem &problem,
                                   const std::vector<bool> &together);

} // namespace snug::planner

#endif // SNUG_LIB_PLANNER_PACKING_H
