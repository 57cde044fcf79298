// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sizes as users write and read them.
#include "snug/Analysis/Sizes.h"

#include <gtest/gtest.h>

using namespace snug;

TEST(Sizes, UnitsArePowersOf1000Or1024) {
  EXPECT_EQ(*parseBytes("4096"), 4096);
  EXPECT_EQ(*parseBytes("4096B"), 4096);
  EXPECT_EQ(*parseBytes("3KB"), 3000);
  EXPECT_EQ(*parseBytes("3KiB"), 3072);
  EXPECT_EQ(*parseBytes("64MiB"), 64 << 20);
  EXPECT_EQ(*parseBytes("64 MB"), 64000000);
  EXPECT_EQ(*parseBytes("1.5GiB"), int64_t(3) << 29);
  EXPECT_EQ(*parseBytes("2GB"), 2000000000);
  EXPECT_EQ(*parseBytes("0"), 0);
  EXPECT_EQ(*parseBytes("0.5B"), 0);
}

TEST(Sizes, EverythingElseIsRefused) {
  for (const char *text :
       {"", "MiB", "-1", "-1MiB", "64mib", "64 MiB ", "1e6", "0x10", "1.2.3MB",
        ".", "12 34", "64Mi", "99999999999GiB", "nan", "inf"})
    EXPECT_FALSE(parseBytes(text)) << text;
}

TEST(Sizes, AreWrittenInTheLargestUnit) {
  EXPECT_EQ(formatBytes(0), "0 B");
  EXPECT_EQ(formatBytes(1023), "1023 B");
  EXPECT_EQ(formatBytes(1024), "1.00 KiB");
  EXPECT_EQ(formatBytes(1 << 20), "1.00 MiB");
  EXPECT_EQ(formatBytes(int64_t(5) << 40), "5120.00 GiB");
}
