// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Intervals, axis maps and checked arithmetic.
#include "snug/Network/Geometry.h"

#include <algorithm>
#include <cassert>

namespace snug::network {

namespace {

int64_t ceilDivide(int64_t a, int64_t b) { return a / b + (a % b > 0 ? 1 : 0); }

} // namespace

bool Interval::contains(const Interval &other) const {
  return other.empty() || (begin <= other.begin && other.end <= end);
}

Interval Interval::hull(const Interval &other) const {
  if (other.empty())
    return *this;
  if (empty())
    return other;
  return {std::min(begin, other.begin), std::max(end, other.end)};
}

AxisMap AxisMap::wholeInput() {
  AxisMap map;
  map.whole = true;
  return map;
}

AxisMap AxisMap::window(int64_t kernel, int64_t stride, int64_t dilation,
                        int64_t padLow, int64_t padHigh) {
  AxisMap map;
  map.numerator = stride;
  map.low = padLow;
  map.high = padHigh;
  map.extent = (kernel - 1) * dilation + 1;
  map.dilation = dilation;
  return map;
}

Needed AxisMap::needed(const Interval &output, int64_t inputExtent) const {
  assert(!output.empty() && output.begin >= 0 && inputExtent > 0);
  if (whole)
    return {{0, inputExtent}, 0, 0};

  // Where the window of an output begins; output indices are not negative, so
  // the division rounds down.
  auto windowBegin = [&](int64_t index) {
    return index * numerator / denominator - low;
  };
  const int64_t begin = windowBegin(output.begin);
  const int64_t end = windowBegin(output.end - 1) + extent;

  // Away from the borders the first tap of the first window and the last tap of
  // the last one are the answer. At a border, windows are walked inwards to the
  // outermost tap that lies inside; one or two steps unless pads are absurd.
  int64_t first = inputExtent;
  for (int64_t i = output.begin; i < output.end && first > 0; ++i) {
    const int64_t base = windowBegin(i);
    if (base >= first)
      break;
    const int64_t tap =
        base >= 0 ? base : base + ceilDivide(-base, dilation) * dilation;
    if (tap < base + extent)
      first = std::min(first, tap);
  }
  int64_t last = -1;
  for (int64_t i = output.end - 1; i >= output.begin && last < inputExtent - 1;
       --i) {
    const int64_t base = windowBegin(i), back = base + extent - 1;
    if (back <= last)
      break;
    const int64_t beyond = back - (inputExtent - 1);
    const int64_t tap =
        beyond <= 0 ? back : back - ceilDivide(beyond, dilation) * dilation;
    if (tap >= base)
      last = std::max(last, tap);
  }
  if (first > last) {
    const int64_t at = std::clamp<int64_t>(begin, 0, inputExtent);
    return {{at, at}, end - begin, 0};
  }
  return {{first, last + 1}, first - begin, end - (last + 1)};
}

std::optional<int64_t> AxisMap::outputExtent(int64_t inputExtent) const {
  assert(!whole);
  // The last window must begin at `room` or before (counted from -low):
  // floor((n - 1) * numerator / denominator) <= room.
  const int64_t room = inputExtent + low + high - extent;
  if (room < 0)
    return std::nullopt;
  return ((room + 1) * denominator - 1) / numerator + 1;
}

std::vector<Interval> split(int64_t extent, int64_t parts) {
  assert(parts >= 1 && parts <= extent);
  const int64_t small = extent / parts, larger = extent % parts;
  std::vector<Interval> result;
  result.reserve(static_cast<size_t>(parts));
  int64_t begin = 0;
  for (int64_t i = 0; i < parts; ++i) {
    const int64_t size = small + (i >= parts - larger ? 1 : 0);
    result.push_back({begin, begin + size});
    begin += size;
  }
  return result;
}

std::optional<int64_t> checkedMultiply(int64_t a, int64_t b) {
  int64_t result = 0;
  if (__builtin_mul_overflow(a, b, &result))
    return std::nullopt;
  return result;
}

std::optional<int64_t> checkedAdd(int64_t a, int64_t b) {
  int64_t result = 0;
  if (__builtin_add_overflow(a, b, &result))
    return std::nullopt;
  return result;
}

} // namespace snug::network
