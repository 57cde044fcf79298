// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Intervals, axis maps and checked arithmetic.
#include "snug/Network/Geometry.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace snug::network {

namespace {

int64_t floorDivide(int64_t a, int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}
int64_t ceilDivide(int64_t a, int64_t b) { return a / b + (a % b > 0 ? 1 : 0); }

/// Away from the borders the first tap of the first window and the last tap of
/// the last one are the answer. At a border, or with dilation or a stride above
/// the kernel, windows are walked inwards to the outermost tap that lies
/// inside; one or two steps unless pads are absurd.
Needed neededByWindow(const AxisMap &map, const Interval &output,
                      int64_t inputExtent) {
  auto windowBegin = [&](int64_t index) {
    return index * map.stride - map.padLow;
  };
  const int64_t extent = map.extent(), dilation = map.dilation;
  const int64_t begin = windowBegin(output.begin);
  const int64_t end = windowBegin(output.end - 1) + extent;
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

/// Output o is reached from input i by a tap where o + padLow = i * stride +
/// tap * dilation. Walks the outputs inwards from either end to the first that
/// no input further out can reach any more.
Needed neededByTransposedWindow(const AxisMap &map, const Interval &output,
                                int64_t inputExtent) {
  int64_t first = inputExtent, last = -1;
  for (int64_t o = output.begin; o < output.end; ++o) {
    const int64_t at = o + map.padLow;
    if (ceilDivide(at - (map.extent() - 1), map.stride) >= first)
      break;
    for (int64_t tap = map.taps - 1; tap >= 0; --tap) {
      const int64_t spread = at - tap * map.dilation;
      if (spread >= 0 && spread % map.stride == 0 &&
          spread / map.stride < inputExtent) {
        first = std::min(first, spread / map.stride);
        break;
      }
    }
  }
  for (int64_t o = output.end - 1; o >= output.begin; --o) {
    const int64_t at = o + map.padLow;
    if (floorDivide(at, map.stride) <= last)
      break;
    for (int64_t tap = 0; tap < map.taps; ++tap) {
      const int64_t spread = at - tap * map.dilation;
      if (spread >= 0 && spread % map.stride == 0 &&
          spread / map.stride < inputExtent) {
        last = std::max(last, spread / map.stride);
        break;
      }
    }
  }
  if (first > last)
    return {};
  const int64_t padLow = output.begin + map.padLow - first * map.stride;
  return {{first, last + 1},
          padLow,
          (last - first) * map.stride + map.extent() - padLow - output.size()};
}

/// Positions grow with the index, and so do the elements they read.
Needed neededByResample(const AxisMap &map, const Interval &output,
                        int64_t inputExtent) {
  const double low = map.sourcePosition(output.begin, inputExtent);
  const double high = map.sourcePosition(output.end - 1, inputExtent);
  auto nearest = [&](double position) {
    switch (map.rounding) {
    case NearestRounding::PreferFloor:
      return std::ceil(position - 0.5);
    case NearestRounding::PreferCeil:
      return std::floor(position + 0.5);
    case NearestRounding::Floor:
      return std::floor(position);
    case NearestRounding::Ceil:
      return std::ceil(position);
    }
    return position;
  };
  const bool isNearest = map.mode == ResampleMode::Nearest;
  const double first = isNearest ? nearest(low) : std::floor(low);
  const double last = isNearest ? nearest(high) : std::ceil(high);
  return {{static_cast<int64_t>(first), static_cast<int64_t>(last) + 1}, 0, 0};
}

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
  map.form = Form::Whole;
  return map;
}

AxisMap AxisMap::window(int64_t taps, int64_t stride, int64_t dilation,
                        int64_t padLow, int64_t padHigh) {
  AxisMap map;
  map.taps = taps;
  map.stride = stride;
  map.dilation = dilation;
  map.padLow = padLow;
  map.padHigh = padHigh;
  return map;
}

AxisMap AxisMap::transposedWindow(int64_t taps, int64_t stride,
                                  int64_t dilation, int64_t padLow,
                                  int64_t padHigh) {
  AxisMap map = window(taps, stride, dilation, padLow, padHigh);
  map.form = Form::TransposedWindow;
  return map;
}

AxisMap AxisMap::crop(int64_t begin, int64_t count, int64_t inputExtent,
                      int64_t step) {
  const int64_t end = begin + (count - 1) * step + 1;
  return window(1, step, 1, -begin, end - inputExtent);
}

AxisMap AxisMap::resample(ResampleMode mode, NearestRounding rounding,
                          double scale, double shift) {
  AxisMap map;
  map.form = Form::Resample;
  map.mode = mode;
  map.rounding = rounding;
  map.scale = scale;
  map.shift = shift;
  return map;
}

double AxisMap::sourcePosition(int64_t output, int64_t inputExtent) const {
  // In memory, so that no compiler fuses the two operations into one rounding.
  volatile double product = scale * static_cast<double>(output);
  const double position = product + shift;
  return std::clamp(position, 0.0, static_cast<double>(inputExtent - 1));
}

Needed AxisMap::needed(const Interval &output, int64_t inputExtent) const {
  assert(!output.empty() && output.begin >= 0 && inputExtent > 0);
  switch (form) {
  case Form::Window:
    return neededByWindow(*this, output, inputExtent);
  case Form::TransposedWindow:
    return neededByTransposedWindow(*this, output, inputExtent);
  case Form::Resample:
    return neededByResample(*this, output, inputExtent);
  case Form::Whole:
    break;
  }
  return {{0, inputExtent}, 0, 0};
}

std::optional<int64_t> AxisMap::outputExtent(int64_t inputExtent) const {
  assert(form == Form::Window || form == Form::TransposedWindow);
  if (form == Form::TransposedWindow) {
    const int64_t outputs =
        (inputExtent - 1) * stride + extent() - padLow - padHigh;
    return outputs > 0 ? std::optional<int64_t>(outputs) : std::nullopt;
  }
  // The last window must begin at `room` or before (counted from -padLow).
  const int64_t room = inputExtent + padLow + padHigh - extent();
  if (room < 0)
    return std::nullopt;
  return room / stride + 1;
}

Interval splitPart(int64_t extent, int64_t parts, int64_t index) {
  assert(parts >= 1 && parts <= extent && index >= 0 && index < parts);
  const int64_t small = extent / parts, larger = extent % parts;
  auto begin = [&](int64_t part) {
    return part * small + std::max<int64_t>(part - (parts - larger), 0);
  };
  return {begin(index), begin(index + 1)};
}

std::vector<Interval> split(int64_t extent, int64_t parts) {
  std::vector<Interval> result;
  result.reserve(static_cast<size_t>(parts));
  for (int64_t i = 0; i < parts; ++i)
    result.push_back(splitPart(extent, parts, i));
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
