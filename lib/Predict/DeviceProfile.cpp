// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reads device profiles, shipped ones and files.
#include "snug/Predict/DeviceProfile.h"

#include "snug/Predict/TrainingModel.h"

#include <nlohmann/json.hpp>

#include <fstream>
#include <iterator>
#include <tuple>

namespace snug::predict {

/// Generated from lib/Predict/profiles/*.json: pairs of name and content.
extern const char *const kShippedProfiles[][2];
extern const int64_t kShippedProfileCount;

/// Reads `document[section][key]` as a figure in `unit` into `figure`; returns
/// the error's text, or nothing.
static std::string readFigure(const nlohmann::ordered_json &document,
                              const char *section, const char *key,
                              const char *unit, Figure &figure) {
  std::string where = std::string(section) + "." + key;
  auto object = document.find(section);
  if (object == document.end() || !object->is_object() ||
      !object->contains(key) || !(*object)[key].is_object())
    return "device profile lacks the figure " + where;
  const nlohmann::ordered_json &entry = (*object)[key];
  if (!entry.contains("value") || !entry["value"].is_number_integer() ||
      entry["value"].get<int64_t>() < 0)
    return "device profile: " + where +
           ".value must be an integer that is not negative";
  for (const char *field : {"unit", "source", "date"})
    if (!entry.contains(field) || !entry[field].is_string())
      return "device profile: " + where + "." + field + " must be a string";
  if (entry["unit"] != unit)
    return "device profile: " + where + " must be in " + unit;
  figure = {entry["value"].get<int64_t>(), entry["unit"].get<std::string>(),
            entry["source"].get<std::string>(),
            entry["date"].get<std::string>()};
  return "";
}

/// Reads `document["specification"][key]`, which may be absent; returns the
/// error's text, or nothing.
static std::string readSpecification(const nlohmann::ordered_json &document,
                                     const char *key, const char *unit,
                                     std::optional<double> &figure) {
  const auto section = document.find("specification");
  if (section == document.end() || !section->contains(key))
    return "";
  const nlohmann::ordered_json &entry = (*section)[key];
  const std::string where = "device profile: specification." + std::string(key);
  if (!entry.is_object() || !entry.contains("value") ||
      !entry["value"].is_number() || entry["value"].get<double>() <= 0)
    return where + ".value must be a positive number";
  for (const char *field : {"unit", "source", "date"})
    if (!entry.contains(field) || !entry[field].is_string())
      return where + "." + field + " must be a string";
  if (entry["unit"] != unit)
    return where + " must be in " + unit;
  figure = entry["value"].get<double>();
  return "";
}

Result<DeviceProfile> parseDeviceProfile(const std::string &json) {
  nlohmann::ordered_json document =
      nlohmann::ordered_json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!document.is_object())
    return Error{"device profile is not a JSON object"};
  if (!document.contains("snug_device_profile") ||
      !document["snug_device_profile"].is_number_integer())
    return Error{"device profile lacks its version, snug_device_profile"};
  int64_t version = document["snug_device_profile"].get<int64_t>();
  if (version != kDeviceProfileVersion)
    return Error{"device profile has version " + std::to_string(version) +
                 ", this build reads version " +
                 std::to_string(kDeviceProfileVersion)};
  if (!document.contains("name") || !document["name"].is_string())
    return Error{"device profile lacks its name"};
  DeviceProfile profile;
  profile.name = document["name"].get<std::string>();
  for (auto [key, figure] :
       {std::pair{"base", &profile.runtimeBaseBytes},
        std::pair{"per_thread", &profile.runtimePerThreadBytes}})
    if (std::string problem =
            readFigure(document, "runtime_overhead", key, "bytes", *figure);
        !problem.empty())
      return Error{problem};
  TrainingDevice &device = profile.trainingDevice;
  device.name = profile.name;
  for (auto [key, unit, figure] :
       {std::tuple{"peak", "GFLOP/s", &device.peakGflops},
        std::tuple{"memory_bandwidth", "GB/s", &device.bandwidthGBs},
        std::tuple{"training_memory", "MiB", &device.memoryMib}})
    if (std::string problem = readSpecification(document, key, unit, *figure);
        !problem.empty())
      return Error{problem};
  if (document.contains("training")) {
    Result<TrainingModel> training =
        TrainingModel::fromJson(document["training"]);
    if (!training)
      return Error{"device profile: " + training.error().message};
    profile.training =
        std::make_shared<const TrainingModel>(std::move(*training));
  }
  return profile;
}

std::vector<std::string> shippedDeviceProfiles() {
  std::vector<std::string> names;
  for (int64_t i = 0; i < kShippedProfileCount; ++i)
    names.push_back(kShippedProfiles[i][0]);
  return names;
}

Result<std::string> readDeviceProfile(const std::string &nameOrPath) {
  for (int64_t i = 0; i < kShippedProfileCount; ++i)
    if (nameOrPath == kShippedProfiles[i][0])
      return std::string(kShippedProfiles[i][1]);
  const std::string ending = ".json";
  if (nameOrPath.size() > ending.size() &&
      nameOrPath.compare(nameOrPath.size() - ending.size(), ending.size(),
                         ending) == 0) {
    std::ifstream file(nameOrPath, std::ios::binary);
    if (!file)
      return Error{"cannot read the device profile '" + nameOrPath + "'"};
    return std::string(std::istreambuf_iterator<char>(file),
                       std::istreambuf_iterator<char>());
  }
  std::string known;
  for (const std::string &name : shippedDeviceProfiles())
    known += (known.empty() ? "" : ", ") + name;
  return Error{"unknown device '" + nameOrPath + "'; known are " + known +
               ", or give the path of a profile that ends in .json"};
}

Result<DeviceProfile> loadDeviceProfile(const std::string &nameOrPath) {
  Result<std::string> text = readDeviceProfile(nameOrPath);
  return text ? parseDeviceProfile(*text) : text.error();
}

} // namespace snug::predict
