// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Device profiles: the shipped ones load, broken ones say what is wrong.
#include "snug/Predict/DeviceProfile.h"

#include <gtest/gtest.h>

using namespace snug;
using namespace snug::predict;

/// A profile whose `base` figure is the given JSON.
static std::string profileWithBase(const std::string &base) {
  return R"({"snug_device_profile": 1, "name": "test", "runtime_overhead": {
    "base": )" +
         base + R"(,
    "per_thread": {"value": 10, "unit": "bytes", "source": "s", "date": "d"}}})";
}

static std::string errorOf(const std::string &json) {
  Result<DeviceProfile> profile = parseDeviceProfile(json);
  return profile ? "no error" : profile.error().message;
}

TEST(DeviceProfile, ShippedProfilesLoadAndHaveSources) {
  ASSERT_FALSE(shippedDeviceProfiles().empty());
  for (const std::string &name : shippedDeviceProfiles()) {
    Result<DeviceProfile> profile = loadDeviceProfile(name);
    ASSERT_TRUE(profile) << profile.error().message;
    EXPECT_EQ(profile->name, name);
    EXPECT_FALSE(profile->runtimeBaseBytes.source.empty());
    EXPECT_FALSE(profile->runtimeBaseBytes.date.empty());
  }
}

TEST(DeviceProfile, OverheadGrowsByThreads) {
  Result<DeviceProfile> profile = parseDeviceProfile(profileWithBase(
      R"({"value": 1000, "unit": "bytes", "source": "s", "date": "d"})"));
  ASSERT_TRUE(profile);
  EXPECT_EQ(profile->runtimeOverheadBytes(1), 1000);
  EXPECT_EQ(profile->runtimeOverheadBytes(4), 1030);
}

TEST(DeviceProfile, BrokenProfilesNameTheField) {
  EXPECT_EQ(errorOf("{"), "device profile is not a JSON object");
  EXPECT_EQ(errorOf("[]"), "device profile is not a JSON object");
  EXPECT_EQ(errorOf("{}"),
            "device profile lacks its version, snug_device_profile");
  EXPECT_EQ(errorOf(R"({"snug_device_profile": 2})"),
            "device profile has version 2, this build reads version 1");
  EXPECT_EQ(errorOf(R"({"snug_device_profile": 1})"),
            "device profile lacks its name");
  EXPECT_EQ(errorOf(R"({"snug_device_profile": 1, "name": "x"})"),
            "device profile lacks the figure runtime_overhead.base");
  EXPECT_EQ(errorOf(profileWithBase("3")),
            "device profile lacks the figure runtime_overhead.base");
  EXPECT_EQ(
      errorOf(profileWithBase(
          R"({"value": -1, "unit": "bytes", "source": "s", "date": "d"})")),
      "device profile: runtime_overhead.base.value must be an integer "
      "that is not negative");
  EXPECT_EQ(errorOf(profileWithBase(
                R"({"value": 1, "unit": "KiB", "source": "s", "date": "d"})")),
            "device profile: runtime_overhead.base must be in bytes");
  EXPECT_EQ(errorOf(profileWithBase(R"({"value": 1, "unit": "bytes"})")),
            "device profile: runtime_overhead.base.source must be a string");
}

TEST(DeviceProfile, UnknownNamesListTheKnownOnes) {
  Result<DeviceProfile> unknown = loadDeviceProfile("toaster");
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().message.find("generic-cpu"), std::string::npos);
  Result<DeviceProfile> absent = loadDeviceProfile("absent.json");
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().message,
            "cannot read the device profile 'absent.json'");
}
