// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// snug-run: command lines, inputs and outputs, reports.

#include "NpyFile.h"
#include "Runner.h"
#include "Tensors.h"
#include "TestNetwork.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <unistd.h>

namespace snug {
namespace testing {
namespace {

using runtime::Target;

std::string slurp(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void spill(const std::string &path, const std::string &bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

/// A .npy file of any header and content.
std::string npy(const std::string &dictionary, size_t valueBytes,
                int version = 1) {
  std::string file("\x93NUMPY", 6);
  file += static_cast<char>(version);
  file += '\0';
  const size_t size = dictionary.size();
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i)
    file += static_cast<char>(size >> (8 * i) & 0xff);
  return file + dictionary + std::string(valueBytes, '\0');
}

/// The unsigned integer that follows `"key": ` in a JSON text.
uint64_t figure(const std::string &json, const std::string &key) {
  const size_t place = json.find("\"" + key + "\": ");
  EXPECT_NE(place, std::string::npos) << key;
  return place == std::string::npos
             ? 0
             : std::strtoull(json.c_str() + place + key.size() + 4, nullptr,
                             10);
}

class Runner : public ::testing::Test {
protected:
  void SetUp() override {
    folder = ::testing::TempDir() + "snug-runner-XXXXXX";
    ASSERT_NE(mkdtemp(&folder[0]), nullptr);
    network.plan(Target::Portable, 1).write(path("net.snug"));
    const int64_t shape[] = {2, 3, 9, 7};
    ASSERT_EQ(
        writeNpy(path("image.npy").c_str(), shape, 4, network.input.data()),
        "");
  }
  void TearDown() override {
    const std::string command = "rm -rf '" + folder + "'";
    ASSERT_EQ(std::system(command.c_str()), 0);
  }

  std::string path(const std::string &name) const {
    return folder + "/" + name;
  }

  /// Runs a command line; returns the exit status, keeps what it printed.
  int run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "snug-run");
    std::vector<char *> argv;
    for (std::string &argument : arguments)
      argv.push_back(&argument[0]);
    argv.push_back(nullptr);
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const int status = runner::runMain(static_cast<int>(argv.size()) - 1,
                                       argv.data(), "snug-run");
    standardOutput = ::testing::internal::GetCapturedStdout();
    standardError = ::testing::internal::GetCapturedStderr();
    return status;
  }

  void expectFailure(const std::vector<std::string> &arguments, int status,
                     const std::string &message) {
    EXPECT_EQ(run(arguments), status) << standardError;
    EXPECT_NE(standardError.find(message), std::string::npos) << standardError;
    EXPECT_EQ(standardOutput, "");
  }

  static std::string writeNpy(const char *file, const int64_t *shape,
                              size_t rank, const float *data) {
    return runner::writeNpy(file, shape, rank, data);
  }

  TestNetwork network;
  std::string folder, standardOutput, standardError;
};

TEST_F(Runner, RunsFromFilesToFiles) {
  ASSERT_EQ(
      run({path("net.snug"), "--input", "image=" + path("image.npy"),
           "--output-dir", path("out/deep"), "--json=" + path("r.json"),
           "--profile=" + path("trace.json"), "--threads=1", "--repeat=3"}),
      0)
      << standardError;
  std::vector<float> scores(TestNetwork::kScoreCount);
  const int64_t shape[] = {2, 5};
  ASSERT_EQ(runner::readNpy(path("out/deep/scores.npy").c_str(), shape, 2,
                            scores.data()),
            "");
  for (size_t i = 0; i < scores.size(); ++i)
    EXPECT_NEAR(static_cast<double>(scores[i]), network.scores[i], 1e-5);
  EXPECT_EQ(access(path("out/deep/features.npy").c_str(), R_OK), 0);

  const std::string json = slurp(path("r.json"));
  EXPECT_EQ(figure(json, "executed_macs"), network.macs);
  EXPECT_EQ(figure(json, "network_macs"), network.macs);
  EXPECT_NE(json.find("\"recompute_factor\": 1.000000000"), std::string::npos);
  EXPECT_NE(json.find("{\"ops\": [\"first\"], \"schedule\": \"2x1\", "
                      "\"arena\": 4096, \"latency_us\": "),
            std::string::npos)
      << json;
  const size_t measured = json.find("\"measured\": {");
  ASSERT_NE(measured, std::string::npos);
  EXPECT_EQ(figure(json.substr(measured), "arena"), figure(json, "arena"));
  EXPECT_GT(figure(json.substr(measured), "peak"), 100000u);
  EXPECT_NE(standardOutput.find("predicted        measured"),
            std::string::npos);

  const std::string trace = slurp(path("trace.json"));
  EXPECT_NE(trace.find("\"traceEvents\": ["), std::string::npos);
  EXPECT_NE(
      trace.find("\"name\": \"first\", \"cat\": \"convolution/portable\", "
                 "\"ph\": \"X\", \"ts\": "),
      std::string::npos)
      << trace;
  EXPECT_NE(trace.find("\"group\": 0, \"tile\": 1, \"macs\": 15120"),
            std::string::npos)
      << trace;
}

TEST_F(Runner, GuardsAndRandomInputsGiveEqualOutputs) {
  std::string reference;
  for (const char *guard : {"", "--guard=start", "--guard=end"}) {
    std::vector<std::string> arguments = {path("net.snug"), "--random-inputs=7",
                                          "--output-dir", path("out"),
                                          "--repeat=2"};
    if (*guard)
      arguments.push_back(guard);
    ASSERT_EQ(run(arguments), 0) << standardError;
    const std::string bytes =
        slurp(path("out/features.npy")) + slurp(path("out/scores.npy"));
    EXPECT_EQ(bytes.find("nan"), std::string::npos);
    if (reference.empty())
      reference = bytes;
    EXPECT_EQ(bytes, reference) << guard;
  }
}

TEST_F(Runner, FalsifiedPlansShowInTheReport) {
  const PlanImage honest = network.plan(Target::Portable, 1);
  auto program = unpackProgram(honest);
  program->predicted->executed_macs = 1;
  program->predicted->arena = 64;
  program->predicted->peak = 64;
  packPlan(*program, weightsOf(honest)).write(path("false.snug"));
  ASSERT_EQ(run({path("false.snug"), "--random-inputs=1",
                 "--json=" + path("r.json")}),
            0);
  const std::string json = slurp(path("r.json"));
  const std::string measured = json.substr(json.find("\"measured\": {"));
  EXPECT_EQ(figure(json, "arena"), 64u);
  EXPECT_GT(figure(measured, "arena"), 4096u);
  EXPECT_GT(figure(measured, "peak"), 4096u);
  EXPECT_EQ(figure(json, "executed_macs"), network.macs);
}

TEST_F(Runner, BadCommandLines) {
  expectFailure({}, 2, "plan is required");
  expectFailure({path("net.snug"), "--no-such-option"}, 2, "no-such-option");
  expectFailure({path("net.snug"), "extra"}, 2, "extra");
  expectFailure({path("net.snug"), "--input", "image"}, 2, "NAME=FILE.npy");
  expectFailure({path("net.snug"), "--random-inputs=abc"}, 2, "abc");
  expectFailure({path("net.snug"), "--guard=middle"}, 2, "middle");
  expectFailure({path("net.snug"), "--repeat=0"}, 2, "repeat");
  expectFailure({path("net.snug"), "--threads=0"}, 2, "threads");
  EXPECT_EQ(run({"--help"}), 0);
  EXPECT_NE(standardOutput.find("--random-inputs"), std::string::npos);
}

TEST_F(Runner, BadInputs) {
  const std::string plan = path("net.snug");
  const std::string image = path("bad.npy");
  const std::string good =
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 9, 7), }\n";
  const size_t bytes = TestNetwork::kInputCount * sizeof(float);
  expectFailure({path("none.snug"), "--random-inputs=1"}, 1, "none.snug");
  expectFailure({path("image.npy"), "--random-inputs=1"}, 1, "not a snug plan");
  expectFailure({plan}, 1, "input 'image' has no values");
  expectFailure({plan, "--input", "picture=" + path("image.npy")}, 1,
                "its inputs are 'image' (2x3x9x7)");
  expectFailure({plan, "--input", "image=" + path("image.npy"), "--input",
                 "image=" + path("image.npy")},
                1, "given twice");
  expectFailure({plan, "--input", "image="}, 1, "empty file name");
  expectFailure({plan, "--input", "image=" + path("none.npy")}, 1,
                "cannot be opened");
  expectFailure({plan, "--random-inputs=1", "--threads=2"}, 1,
                "compile the model with --threads=2");
  expectFailure({plan, "--random-inputs=1", "--json=" + path("no/r.json")}, 1,
                "cannot create");
  expectFailure({plan, "--random-inputs=1", "--output-dir", path("image.npy")},
                1, "not a folder");

  const auto refuse = [&](const std::string &file, const char *message) {
    spill(image, file);
    expectFailure({plan, "--input", "image=" + image}, 1, message);
  };
  refuse("", "not a .npy file");
  refuse("hello, this is not an array", "not a .npy file");
  refuse(npy(good, bytes, 3), "version 3");
  refuse(npy(good, bytes).substr(0, 30), "truncated in its header");
  refuse(npy(good, bytes - 1), "truncated: it has 1511 of 1512 bytes");
  refuse(npy(good, bytes + 1), "bytes after its values");
  refuse(npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3, 9, 7)}",
             2 * bytes),
         "'<f8'");
  refuse(npy("{'descr': '>f4', 'fortran_order': False, 'shape': (2, 3, 9, 7)}",
             bytes),
         "'>f4'");
  refuse(npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}",
             bytes),
         "structured");
  refuse(npy("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3, 9, 7)}",
             bytes),
         "Fortran");
  refuse(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 63)}",
             bytes),
         "has shape 2x3x63, but the network needs 2x3x9x7");
  refuse(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 7, 9)}",
             bytes),
         "has shape 2x3x7x9");
  for (const char *dictionary :
       {"", "{", "{}", "{'descr': '<f4'}", "{'descr': '<f4', 'shape': (2,}",
        "{'shape': (-2,), 'descr': '<f4', 'fortran_order': False}",
        "{'shape': (99999999999999999999,), 'descr': '<f4'}", "{'descr: 4}"})
    refuse(npy(dictionary, bytes), "malformed");
}

TEST_F(Runner, ReadsBothVersionsAndAnyKeyOrder) {
  const size_t bytes = TestNetwork::kInputCount * sizeof(float);
  for (int version : {1, 2}) {
    spill(path("v.npy"),
          npy("{\"shape\": (2,3, 9L,7 ,), 'fortran_order':False, "
              "'descr':'<f4'}\n",
              bytes, version));
    EXPECT_EQ(run({path("net.snug"), "--input", "image=" + path("v.npy")}), 0)
        << standardError;
  }
}

TEST_F(Runner, DumpsAPlan) {
  ASSERT_EQ(run({path("net.snug"), "--dump", "--json=" + path("d.json")}), 0)
      << standardError;
  EXPECT_NE(standardOutput.find("input 'image' 2x3x9x7 at 0, 1512 bytes"),
            std::string::npos)
      << standardOutput;
  EXPECT_NE(standardOutput.find("winograd 'first' group 0 tile 1"),
            std::string::npos);
  EXPECT_NE(standardOutput.find("leaky_relu(0.1)"), std::string::npos);
  const std::string json = slurp(path("d.json"));
  EXPECT_NE(json.find("\"kernel\": \"depthwise\""), std::string::npos);
  // A plan for another machine can be looked at, though not run.
  network.plan(Target::AVX512, 1).write(path("other.snug"));
  EXPECT_EQ(run({path("other.snug"), "--dump"}), 0) << standardError;
  EXPECT_NE(standardOutput.find("target avx512"), std::string::npos);
}

TEST(RandomInputs, AreTheSameEverywhere) {
  float values[4];
  runner::fillRandom(1, 0, values, 4);
  // The upper 24 bits of SplitMix64's outputs 0x910a2dec89025cc1,
  // 0xbeeb8da1658eec67, 0xf893a2eefb32555e, 0x71c18690ee42c90b for seed 1.
  const double expected[4] = {
      0x910a2d / 8388608.0 - 1, 0xbeeb8d / 8388608.0 - 1,
      0xf893a2 / 8388608.0 - 1, 0x71c186 / 8388608.0 - 1};
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ(static_cast<double>(values[i]), expected[i]);
}

TEST(FileNames, AreSafeAndDistinct) {
  EXPECT_EQ(runner::fileNames({"a/b", "a:b", "a_b", "../../etc", "conv-1.out"}),
            (std::vector<std::string>{"a_b", "a_b_2", "a_b_3", ".._.._etc",
                                      "conv-1.out"}));
  EXPECT_LT(runner::fileNames({std::string(1000, 'x')})[0].size(), 250u);
}

TEST(Npy, RoundTripsEveryRank) {
  std::string path = ::testing::TempDir() + "snug-npy-XXXXXX";
  const int file = mkstemp(&path[0]);
  ASSERT_GE(file, 0);
  close(file);
  const int64_t shape[] = {2, 1, 3, 1, 1, 2, 1, 1};
  std::vector<float> values(12);
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(i) * 0.5f;
  for (size_t rank = 0; rank <= 8; ++rank) {
    size_t count = 1;
    for (size_t i = 0; i < rank; ++i)
      count *= static_cast<size_t>(shape[i]);
    ASSERT_EQ(runner::writeNpy(path.c_str(), shape, rank, values.data()), "");
    EXPECT_EQ((slurp(path).size() - count * sizeof(float)) % 64, 0u);
    std::vector<float> back(count);
    ASSERT_EQ(runner::readNpy(path.c_str(), shape, rank, back.data()), "");
    EXPECT_TRUE(std::equal(back.begin(), back.end(), values.begin()));
  }
  unlink(path.c_str());
}

} // namespace
} // namespace testing
} // namespace snug
