// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reading measured training steps, and finding odd ones.
#include "snug/Predict/TrainingData.h"

#include "gtest/gtest.h"

using namespace snug;
using namespace snug::predict;

namespace {

const std::string kHead = "network,pruning_percent,batch_size,latency_ms,"
                          "mem_used_mib,mem_alloc_mib,passed\n";

TEST(TrainingDataTest, RowsOfTheSelectionAreRead) {
  const auto rows = readTrainingRows(kHead + "a,0,2,10.5,1000,1,True\r\n"
                                             "a,0,4,,1100,1,True\n"
                                             "a,0,8,20,,1,True\n"
                                             "a,0,16,,,1,True\n"
                                             "a,0,32,30,1200,1,False\n"
                                             "b,0,2,many,1000,1,perhaps\n"
                                             "a,50,2,many,1000,1,perhaps\n"
                                             "\n",
                                     {{"a"}, {0}});
  ASSERT_TRUE(bool(rows)) << rows.error().message;
  ASSERT_EQ(rows->size(), 3u);
  EXPECT_EQ(rows->at(0).model(), "a_0");
  EXPECT_EQ(rows->at(0).line, 2);
  EXPECT_EQ(rows->at(0).latencyMs, 10.5);
  EXPECT_EQ(rows->at(1).latencyMs, std::nullopt);
  EXPECT_EQ(rows->at(1).memoryMib, 1100);
  EXPECT_EQ(rows->at(2).batch, 8);
}

TEST(TrainingDataTest, ErrorsNameLineAndColumn) {
  const std::pair<std::string, std::string> broken[] = {
      {"network,batch_size\n",
       "the data has no column 'pruning_percent' in its first line"},
      {kHead, "the data has no row of these networks and levels that passed "
              "and holds a latency or a memory"},
      {kHead + "a,0,2,1\n", "line 2 of the data: it has 4 fields, the first "
                            "line has 7"},
      {kHead + "a,x,2,1,1,1,True\n", "line 2 of the data: pruning_percent is "
                                     "'x', expected an integer from 0"},
      {kHead + "a,0,0,1,1,1,True\n", "line 2 of the data: batch_size is '0', "
                                     "expected an integer from 1"},
      {kHead + "a,0,2,-1,1,1,True\n",
       "line 2 of the data: latency_ms is '-1', expected a positive number or "
       "nothing"},
      {kHead + "a,0,2,1,nan,1,True\n",
       "line 2 of the data: mem_used_mib is 'nan', expected a positive number "
       "or nothing"},
      {kHead + "a,0,2,1,1,1,yes\n", "line 2 of the data: passed is 'yes', "
                                    "expected True or False"},
      {kHead + "a,0,2,1,1,1,True\na,0,2,1,1,1,True\n",
       "line 3 of the data: a_0 at batch 2 stands in line 2 already"}};
  for (const auto &[text, message] : broken) {
    const auto rows = readTrainingRows(text, {});
    ASSERT_FALSE(bool(rows)) << message;
    EXPECT_EQ(rows.error().message, message);
  }
}

/// 20 ms and 10 ms an image, 1000 MiB and 20 MiB an image.
std::vector<TrainingRow> regularRows() {
  std::vector<TrainingRow> rows;
  for (int64_t batch : {2, 4, 8, 16, 32, 64, 100, 150, 200}) {
    TrainingRow row;
    row.network = "a";
    row.batch = batch;
    row.latencyMs = 20.0 + 10.0 * static_cast<double>(batch);
    row.memoryMib = 1000.0 + 20.0 * static_cast<double>(batch);
    rows.push_back(row);
  }
  return rows;
}

TEST(TrainingDataTest, RegularRowsAreNotOdd) {
  EXPECT_TRUE(findOddRows(regularRows(), std::nullopt).empty());
}

TEST(TrainingDataTest, EachOddRowIsFoundAndNoOther) {
  for (size_t odd = 0; odd < regularRows().size(); ++odd)
    for (double factor : {7.0, 2.0, 0.4}) {
      std::vector<TrainingRow> rows = regularRows();
      *rows[odd].latencyMs *= factor;
      const auto warnings = findOddRows(rows, std::nullopt);
      ASSERT_EQ(warnings.size(), 1u) << odd << " " << factor;
      EXPECT_EQ(warnings[0].row, odd);
      EXPECT_TRUE(warnings[0].dropLatency);
      EXPECT_FALSE(warnings[0].dropMemory);
    }
}

TEST(TrainingDataTest, MessagesSayWhatIsOdd) {
  std::vector<TrainingRow> rows = regularRows();
  *rows[4].memoryMib = 9000;
  const auto warnings = findOddRows(rows, 4900);
  ASSERT_EQ(warnings.size(), 2u);
  EXPECT_EQ(warnings[0].message,
            "mem_used_mib 9000 where the batch sizes around it say 1640: left "
            "out of the fit; mem_used_mib 9000 is above the 4900 that a step "
            "can take: the device probably swapped");
  EXPECT_TRUE(warnings[0].dropMemory);
  EXPECT_EQ(warnings[1].message, "mem_used_mib 5000 is above the 4900 that a "
                                 "step can take: the device probably swapped");
  EXPECT_FALSE(warnings[1].dropMemory || warnings[1].dropLatency);
}

} // namespace
