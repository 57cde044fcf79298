// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Intervals and axis maps: which input an output needs. The only place where
// geometry is computed.
#ifndef SNUG_NETWORK_GEOMETRY_H
#define SNUG_NETWORK_GEOMETRY_H

#include <cstdint>
#include <optional>
#include <vector>

namespace snug::network {

/// Half-open interval [begin, end) of element indices along one axis.
struct Interval {
  int64_t begin = 0, end = 0;

  int64_t size() const { return end - begin; }
  bool empty() const { return end <= begin; }
  bool contains(const Interval &other) const;
  /// Smallest interval that contains both; an empty one contributes nothing.
  Interval hull(const Interval &other) const;
  bool operator==(const Interval &other) const {
    return begin == other.begin && end == other.end;
  }
};

/// What an output interval needs of an input axis: the smallest interval that
/// holds every element of the input that a tap reads, and how far the windows
/// reach beyond it on either side. A kernel that is given this interval as its
/// input and these distances as its pads reads what it would read untiled.
/// padLow + interval.size() + padHigh is the extent that the windows span;
/// where every tap is padding, the interval is empty and padLow is all of that
/// extent.
struct Needed {
  Interval interval;
  int64_t padLow = 0, padHigh = 0;
};

/// Affine map from an output interval to the input interval it needs:
///   begin = floor(out.begin * numerator / denominator) - low
///   end   = floor((out.end - 1) * numerator / denominator) - low + extent
/// clipped to the input, and further to the outermost elements that taps read:
/// with dilation, or a stride above the kernel, elements at a border may lie
/// between taps. A convolution has numerator = stride, low and high = pads,
/// extent = (kernel - 1) * dilation + 1; an elementwise operation is the
/// default. `whole` needs all of the input for any output element (global
/// pooling, a fully connected layer): a barrier inside groups.
struct AxisMap {
  int64_t numerator = 1, denominator = 1;
  int64_t low = 0, high = 0;
  int64_t extent = 1;
  bool whole = false;
  int64_t dilation = 1; ///< distance between taps; divides extent - 1

  static AxisMap identity() { return {}; }
  static AxisMap wholeInput();
  /// A window of `kernel` taps, `dilation` apart, every `stride` elements.
  static AxisMap window(int64_t kernel, int64_t stride, int64_t dilation,
                        int64_t padLow, int64_t padHigh);

  /// The input interval that `output` (not empty) needs of an input axis of
  /// `inputExtent` elements. The interval is empty where every tap is padding.
  Needed needed(const Interval &output, int64_t inputExtent) const;
  /// Number of outputs of this map over `inputExtent` elements (rounded down),
  /// or nothing where the window exceeds the padded input. Not for `whole`.
  std::optional<int64_t> outputExtent(int64_t inputExtent) const;
};

/// `parts` consecutive intervals that cover [0, extent) exactly, sizes
/// differing by at most one, the smaller ones first. Needs 1 <= parts <=
/// extent.
std::vector<Interval> split(int64_t extent, int64_t parts);

/// a * b and a + b, or nothing where the result leaves int64_t.
std::optional<int64_t> checkedMultiply(int64_t a, int64_t b);
std::optional<int64_t> checkedAdd(int64_t a, int64_t b);

} // namespace snug::network

#endif // SNUG_NETWORK_GEOMETRY_H
