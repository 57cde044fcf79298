// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Exact branch and bound: does a packing fit into so many bytes?
#ifndef SNUG_LIB_PLANNER_PACKINGSEARCH_H
#define SNUG_LIB_PLANNER_PACKINGSEARCH_H

#include "Packing.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace snug::planner {

/// What is left of the limits of a whole solver run.
struct SearchLimits {
  int64_t nodes = 0;
  std::optional<std::chrono::steady_clock::time_point> deadline = {};
  bool expired = false;
};

enum class SearchOutcome { Found, Refuted, Limit };

/// States that are known to fail, by 128 bits of their hashes: with a billion
/// states, the odds that two share them are below 10^-20. Beyond a limit, new
/// ones replace old ones.
class FailedStates {
public:
  struct Key {
    uint64_t low = 0, high = 0;
    /// Adds an element of an unordered state.
    void add(uint64_t first, uint64_t second, uint64_t third);
  };
  bool contains(const Key &key) const;
  void insert(const Key &key);
  void clear();

private:
  std::vector<Key> slots;
  size_t used = 0;
};

/// Places items from the lowest offset upwards, in a depth-first search over
/// the solutions in which no item can be pushed down.
///
/// At every node the item of the least possible offset either lies there, or is
/// delayed: then some other item must lie in its way, which bounds it from
/// below. A node fails where in some section the items that cannot lie below an
/// offset do not fit above it. Where no unplaced item crosses a time, the two
/// sides are solved apart; a side that fails makes the placements fail that it
/// depends on, and no others. Several orders among items of equal least offset
/// are tried in turn, with limits that grow geometrically.
class PackingSearch {
public:
  explicit PackingSearch(const Packing &packing);

  /// Spends at most `nodes` of the limits. With Found, `offsets` has them, in
  /// units by item.
  SearchOutcome run(int64_t capacityBytes, int64_t nodes, SearchLimits &limits);

  /// Nodes that placing everything takes in a search that never turns back.
  int64_t leastCost() const;

  std::vector<int64_t> offsets;

private:
  static int64_t nodeCost(size_t candidates);

  /// Sections, half-open.
  struct Range {
    int first = 0, last = 0;
  };
  /// What goes first among candidates of equal least offset: by length of life,
  /// area, size and by the most bytes yet to place in their sections.
  struct Order {
    enum Kind { LengthAreaTotal, TotalAreaLength, TotalLengthArea, SizeLength };
    Kind kind = LengthAreaTotal;
    bool bySections = false; ///< length in sections instead of steps
    double noise = 0;        ///< by how much lengths and sizes are blurred
    uint64_t seed = 0;
  };
  static Order orderOfAttempt(int64_t attempt);

  bool prepare(int64_t capacityBytes);
  void countCuts(int index, int change);
  void countLink(int a, int b, int change);
  void sortCandidates(std::vector<int> &candidates);
  SearchOutcome attempt(const Order &order, int64_t capacityBytes,
                        int64_t nodes, SearchLimits &limits);
  bool isLate();
  bool solve(Range range, const std::vector<int> &candidates);
  bool search(Range range, const std::vector<int> &candidates);
  void explainState(const std::vector<int> &candidates);
  bool solveParts(Range range, const std::vector<int> &candidates, int item);
  int lowest(const std::vector<int> &candidates) const;
  bool place(int index);
  void unplace(int index);
  bool delay(int index);
  bool raise(int index, int64_t offset, int cause);
  void blame(int cause);
  void explainDelay(int index);
  int causeOfLyingAbove(int index, const Packing::Neighbour &neighbour);
  int rememberConflict();
  bool isBlamed(int index) const {
    return (conflict[index / 64] >> (index % 64) & 1) != 0;
  }
  bool raiseTwins(int index);
  void touch(int section);
  void touchAll(const Packing::Item &item);
  bool checkTouched();
  bool dropTouched();
  void forgetDelayed(size_t size);
  bool checkSection(int section);
  bool putFirst(int section, size_t first);
  int64_t aboveAt(int64_t offset, int64_t distance, bool paged) const;
  void remember(int index);
  struct Mark {
    size_t trail, placed, causes;
  };
  Mark mark() const {
    return {trail.size(), placedOrder.size(), causes.size()};
  }
  void undo(const Mark &mark);

  const Packing &packing;
  const size_t count;
  struct State {
    int64_t least = 0; ///< offset, or the least that is possible
    int64_t most = 0;  ///< largest offset within the capacity
    /// If delayed: where it does not lie, because something is in the way that
    /// is not placed yet; else -1.
    int64_t hole = -1;
    /// Why it cannot lie below `least`: kNone, the item that was placed, or
    /// `count` plus the number of a set of items in `causes`.
    int cause = kNone;
    int lastChange = kNone; ///< in the trail
    bool placed = false;
  };
  static constexpr int kNone = -1;
  std::vector<State> states;
  Order order;
  std::vector<int64_t> capacities; ///< of sections
  std::vector<int64_t> totals;     ///< of unplaced members, by section
  std::vector<int> cuts; ///< unplaced items across a section's upper end
  struct Change {
    int item;
    int64_t least, hole;
    int cause;
    int previous; ///< of the same item, or kNone
  };
  std::vector<Change> trail;
  std::vector<int> placedOrder;
  /// Sets of items, `words` words each: those whose placement or delay a bound
  /// depends on.
  const size_t words;
  std::vector<uint64_t> causes;
  std::vector<uint64_t> conflict; ///< what the latest failure depends on
  /// Of every item delayed since placing it failed: what that depended on.
  std::vector<int> delayed;
  std::vector<uint64_t> delayedConflicts;
  std::vector<int> touched; ///< sections to check
  std::vector<char> isTouched;
  int64_t remaining = 0; ///< nodes of this attempt
  SearchLimits *limit = nullptr;
  int64_t sinceClock = 0;
  bool stopped = false;
  FailedStates failed;
  /// By section: its members in ascending order of `least`, or nearly so.
  std::vector<std::vector<Packing::Member>> sorted;
};

} // namespace snug::planner

#endif // SNUG_LIB_PLANNER_PACKINGSEARCH_H
