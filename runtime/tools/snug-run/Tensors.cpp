// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Inputs from files or seeds straight into the arena, outputs straight from it.

#include "Tensors.h"

#include "NpyFile.h"

#include <cerrno>
#include <cstring>
#include <set>
#include <sys/stat.h>

namespace snug {
namespace runner {

namespace {

// Leaves room for ".npy" and a number in the 255 bytes a file name may have.
constexpr size_t kMaxNameBytes = 200;

/// "'a' (1x3x8x8), 'b' (1x4)".
std::string listInputs(const snug_plan *plan) {
  std::string text;
  for (size_t i = 0; i < snug_plan_input_count(plan); ++i) {
    snug_tensor_info info;
    snug_plan_input_info(plan, i, &info);
    text += std::string(i ? ", '" : "'") + info.name + "' (" +
            shapeText(info.shape, info.rank) + ")";
  }
  return text.empty() ? "none" : text;
}

/// Creates a folder and those above it.
std::string makeFolder(const std::string &folder) {
  for (size_t end = 1; end <= folder.size(); ++end) {
    if (end != folder.size() && folder[end] != '/')
      continue;
    const std::string part = folder.substr(0, end);
    if (mkdir(part.c_str(), 0777) != 0 && errno != EEXIST)
      return "cannot create folder '" + part + "': " + std::strerror(errno);
  }
  struct stat info;
  if (stat(folder.c_str(), &info) != 0 || !S_ISDIR(info.st_mode))
    return "cannot write outputs: '" + folder + "' is not a folder";
  return "";
}

} // namespace

std::string InputSources::resolve(const snug_plan *plan,
                                  const RunOptions &options) {
  const size_t count = snug_plan_input_count(plan);
  files.assign(count, "");
  seed = options.seed;
  for (const std::string &argument : options.inputs) {
    // A name may hold '=' itself, so the plan's names decide where it ends.
    size_t found = count, length = 0;
    for (size_t i = 0; i < count; ++i) {
      snug_tensor_info info;
      snug_plan_input_info(plan, i, &info);
      const std::string start = std::string(info.name) + "=";
      if (start.size() > length &&
          argument.compare(0, start.size(), start) == 0) {
        found = i;
        length = start.size();
      }
    }
    if (found == count)
      return "plan has no input '" + argument.substr(0, argument.find('=')) +
             "'; its inputs are " + listInputs(plan);
    const std::string file = argument.substr(length);
    if (file.empty())
      return "input '" + argument.substr(0, length - 1) +
             "' has an empty file name; give --input NAME=FILE.npy";
    if (!files[found].empty())
      return "input '" + argument.substr(0, length - 1) +
             "' is given twice; give each input once";
    files[found] = file;
  }
  for (size_t i = 0; i < count; ++i)
    if (files[i].empty() && !options.randomInputs) {
      snug_tensor_info info;
      snug_plan_input_info(plan, i, &info);
      return "input '" + std::string(info.name) +
             "' has no values; give --input " + info.name +
             "=FILE.npy of shape " + shapeText(info.shape, info.rank) +
             " or --random-inputs=SEED";
    }
  return "";
}

std::string InputSources::fill(const snug_plan *plan,
                               snug_executor *executor) const {
  for (size_t i = 0; i < files.size(); ++i) {
    snug_tensor_info info;
    snug_plan_input_info(plan, i, &info);
    float *data = nullptr;
    const snug_status status = snug_executor_input(executor, i, &data);
    if (status.code != SNUG_OK)
      return status.message;
    if (files[i].empty()) {
      fillRandom(seed, i, data, info.bytes / sizeof(float));
      continue;
    }
    const std::string error =
        readNpy(files[i].c_str(), info.shape, info.rank, data);
    if (!error.empty())
      return "input '" + std::string(info.name) + "': file '" + files[i] +
             "' " + error;
  }
  return "";
}

void fillRandom(uint64_t seed, uint64_t index, float *values, uint64_t count) {
  uint64_t state = seed + index * 0x632be59bd9b4e019ull;
  for (uint64_t n = 0; n < count; ++n) {
    state += 0x9e3779b97f4a7c15ull;
    uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    z ^= z >> 31;
    // Both steps are exact in float.
    values[n] = static_cast<float>(z >> 40) * (1.0f / 8388608.0f) - 1.0f;
  }
}

std::vector<std::string> fileNames(const std::vector<std::string> &tensors) {
  std::vector<std::string> names;
  std::set<std::string> taken;
  for (const std::string &tensor : tensors) {
    std::string name = tensor.substr(0, kMaxNameBytes);
    for (char &c : name)
      if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
            (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-'))
        c = '_';
    std::string distinct = name;
    for (int number = 2; !taken.insert(distinct).second; ++number)
      distinct = name + "_" + std::to_string(number);
    names.push_back(distinct);
  }
  return names;
}

std::string writeOutputs(const snug_plan *plan, snug_executor *executor,
                         const std::string &folder) {
  std::string error = makeFolder(folder);
  if (!error.empty())
    return error;
  std::vector<std::string> tensors;
  for (size_t i = 0; i < snug_plan_output_count(plan); ++i) {
    snug_tensor_info info;
    snug_plan_output_info(plan, i, &info);
    tensors.push_back(info.name);
  }
  const std::vector<std::string> names = fileNames(tensors);
  for (size_t i = 0; i < names.size(); ++i) {
    snug_tensor_info info;
    snug_plan_output_info(plan, i, &info);
    const float *data = nullptr;
    const snug_status status = snug_executor_output(executor, i, &data);
    if (status.code != SNUG_OK)
      return status.message;
    const std::string path = folder + "/" + names[i] + ".npy";
    error = writeNpy(path.c_str(), info.shape, info.rank, data);
    if (!error.empty())
      return "output '" + tensors[i] + "': file '" + path + "' " + error;
  }
  return "";
}

} // namespace runner
} // namespace snug
