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
/// holds every element of the input that is read, and how far the windows reach
/// beyond it on either side. A kernel that is given this interval as its input
/// and these distances as its pads reads what it would read untiled.
///
/// Of a window, padLow + interval.size() + padHigh is the extent that the
/// windows span; where every tap is padding, the interval is empty and padLow
/// is all of that extent. Of a transposed window, padLow is where the output
/// begins in what the interval spreads over, so that input i of the interval
/// reaches output i * stride + tap * dilation - padLow of those asked for, and
/// padHigh is how far the spread goes on behind their end; either may be
/// negative. Other maps have no pads.
struct Needed {
  Interval interval;
  int64_t padLow = 0, padHigh = 0;
};

/// How a resample turns a position into elements of the input.
enum class ResampleMode { Nearest, Linear };
/// Which element is nearest to a position between two.
enum class NearestRounding {
  PreferFloor, ///< the nearer one, the lower of two as near
  PreferCeil,  ///< the nearer one, the higher of two as near
  Floor,
  Ceil
};

/// Maps output indices of one axis to the input indices that they read, in one
/// of four forms. The default is the identity: output i reads input i.
struct AxisMap {
  enum class Form {
    /// Output i reads inputs i * stride + tap * dilation - padLow:
    /// convolutions,
    /// poolings, crops, elementwise operations.
    Window,
    /// Input i is read by outputs i * stride + tap * dilation - padLow.
    TransposedWindow,
    /// Output i reads one or two inputs at the position scale * i + shift.
    Resample,
    /// Any output reads all of the input (global pooling, a fully connected
    /// layer): a barrier inside groups that make that input.
    Whole
  } form = Form::Window;

  int64_t taps = 1, stride = 1, dilation = 1; ///< of either window
  int64_t padLow = 0, padHigh = 0;            ///< negative: cropped

  ResampleMode mode = ResampleMode::Nearest;
  NearestRounding rounding = NearestRounding::PreferFloor;
  double scale = 1, shift = 0; ///< input elements

  static AxisMap identity() { return {}; }
  static AxisMap wholeInput();
  /// A window of `taps` taps, `dilation` apart, every `stride` elements.
  static AxisMap window(int64_t taps, int64_t stride, int64_t dilation,
                        int64_t padLow, int64_t padHigh);
  /// The window of a transposed convolution; more output at the high end is a
  /// smaller, perhaps negative, `padHigh`.
  static AxisMap transposedWindow(int64_t taps, int64_t stride,
                                  int64_t dilation, int64_t padLow,
                                  int64_t padHigh);
  /// Elements begin, begin + step, ..., of which there are `count`, of an axis
  /// of `inputExtent`. `step` is positive.
  static AxisMap crop(int64_t begin, int64_t count, int64_t inputExtent,
                      int64_t step = 1);
  /// Source positions are scale * index + shift, clamped to [0, inputExtent -
  /// 1]. Linear reads the elements on both sides of a position that is none
  /// itself. `scale` is not negative.
  static AxisMap resample(ResampleMode mode, NearestRounding rounding,
                          double scale, double shift);

  bool isWhole() const { return form == Form::Whole; }
  /// Elements from a window's first tap to its last.
  int64_t extent() const { return (taps - 1) * dilation + 1; }
  /// The position that a resample reads for an output: one multiplication and
  /// one addition in double, then clamped, as kernels compute it.
  double sourcePosition(int64_t output, int64_t inputExtent) const;

  /// The input interval that `output` (not empty) needs of an input axis of
  /// `inputExtent` elements. The interval is empty where every tap is padding.
  Needed needed(const Interval &output, int64_t inputExtent) const;
  /// Number of outputs of a window over `inputExtent` elements (rounded down;
  /// nothing where the window exceeds the padded input), or of a transposed one
  /// (nothing where pads leave none). Not for other forms, whose result says
  /// it.
  std::optional<int64_t> outputExtent(int64_t inputExtent) const;
};

/// `parts` consecutive intervals that cover [0, extent) exactly, sizes
/// differing by at most one, the smaller ones first. Needs 1 <= parts <=
/// extent.
std::vector<Interval> split(int64_t extent, int64_t parts);
/// The interval split(extent, parts)[index].
Interval splitPart(int64_t extent, int64_t parts, int64_t index);

/// a * b and a + b, or nothing where the result leaves int64_t.
std::optional<int64_t> checkedMultiply(int64_t a, int64_t b);
std::optional<int64_t> checkedAdd(int64_t a, int64_t b);

} // namespace snug::network

#endif // SNUG_NETWORK_GEOMETRY_H
