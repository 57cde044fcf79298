// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Device profiles: what is known of a device, each figure with its source.
#ifndef SNUG_PREDICT_DEVICEPROFILE_H
#define SNUG_PREDICT_DEVICEPROFILE_H

#include "snug/Network/Result.h"
#include "snug/Predict/Training.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace snug::predict {

class TrainingModel;

/// Version of the profile format that this code reads and writes.
constexpr int64_t kDeviceProfileVersion = 1;

/// A figure and where it comes from.
struct Figure {
  int64_t value = 0;
  std::string unit;   ///< "bytes"
  std::string source; ///< how it was found, e.g. the command that measured it
  std::string date;   ///< ISO 8601
};

/// A JSON document, see lib/Predict/profiles.
struct DeviceProfile {
  std::string name;
  /// Process memory of a run besides weights, arena and the plan's program,
  /// with one thread.
  Figure runtimeBaseBytes;
  /// The same for each further thread.
  Figure runtimePerThreadBytes;
  /// What models of training may know of the device.
  TrainingDevice trainingDevice;
  /// Null: nobody has fitted one.
  std::shared_ptr<const TrainingModel> training;

  /// Bytes that a run with `threads` threads takes in the process before the
  /// first tensor and besides the plan's program.
  int64_t runtimeOverheadBytes(int64_t threads) const {
    return runtimeBaseBytes.value + (threads - 1) * runtimePerThreadBytes.value;
  }
};

/// Parses a profile. Error: not JSON, a field missing or of the wrong type or
/// unit, a negative figure, or a version newer than this code.
Result<DeviceProfile> parseDeviceProfile(const std::string &json);

/// A shipped profile by name ("generic-cpu"), or a profile file by path (a name
/// that ends in ".json"). Error: unknown, naming those that exist.
Result<DeviceProfile> loadDeviceProfile(const std::string &nameOrPath);

/// The text of a profile, named as loadDeviceProfile() takes it.
Result<std::string> readDeviceProfile(const std::string &nameOrPath);

/// Names of the shipped profiles, in order.
std::vector<std::string> shippedDeviceProfiles();

} // namespace snug::predict

#endif // SNUG_PREDICT_DEVICEPROFILE_H
