// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sizes in bytes as users write and read them.
#include "snug/Analysis/Sizes.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace snug {

Result<int64_t> parseBytes(const std::string &text) {
  static constexpr std::array<std::pair<const char *, int64_t>, 8> units = {
      {{"", 1},
       {"B", 1},
       {"KB", 1000},
       {"MB", 1000 * 1000},
       {"GB", 1000 * 1000 * 1000},
       {"KiB", int64_t(1) << 10},
       {"MiB", int64_t(1) << 20},
       {"GiB", int64_t(1) << 30}}};
  Error error{"cannot read the size '" + text +
              "'; write a number with B, KB, MB, GB, KiB, MiB or GiB, as in "
              "64MiB"};
  size_t digits = text.find_first_not_of("0123456789.");
  std::string number = text.substr(0, digits);
  std::string unit = digits == std::string::npos ? "" : text.substr(digits);
  unit.erase(0, unit.find_first_not_of(' '));
  if (number.empty() || number == "." || number.find('.') != number.rfind('.'))
    return error;
  for (auto [name, factor] : units) {
    if (unit != name)
      continue;
    long double bytes = std::strtold(number.c_str(), nullptr) * factor;
    if (bytes >= 9.2e18L)
      return error;
    return static_cast<int64_t>(bytes);
  }
  return error;
}

std::string formatBytes(int64_t bytes) {
  static constexpr std::array<const char *, 4> units = {"B", "KiB", "MiB",
                                                        "GiB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  while (std::fabs(value) >= 1024 && unit + 1 < units.size()) {
    value /= 1024;
    ++unit;
  }
  char text[64];
  std::snprintf(text, sizeof(text), unit == 0 ? "%.0f %s" : "%.2f %s", value,
                units[unit]);
  return text;
}

} // namespace snug
