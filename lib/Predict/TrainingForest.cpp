// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// perf4sight's method: extremely randomised trees over analytic features.
#include "snug/Predict/TrainingForest.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace snug::predict {

using nlohmann::ordered_json;

/// perf4sight's decision_tree_fitter asks scikit-learn for as many.
constexpr int64_t kTreeCount = 300;
constexpr uint64_t kSeed = 1;
constexpr int64_t kFeatureCount = 56;

//===----------------------------------------------------------------------===//
// Trees
//===----------------------------------------------------------------------===//

namespace {

/// SplitMix64: the same numbers on every machine, which the standard library's
/// distributions do not promise.
class Random {
public:
  explicit Random(uint64_t seed) : state(seed) {}
  uint64_t next() {
    uint64_t mixed = state += 0x9e3779b97f4a7c15u;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
    return mixed ^ (mixed >> 31);
  }
  /// In [0, 1).
  double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }

private:
  uint64_t state;
};

class Grower {
public:
  Grower(const std::vector<std::vector<double>> &rows,
         const std::vector<double> &targets, uint64_t seed)
      : rows(rows), targets(targets), random(seed) {}

  std::vector<TreeNode> grow() {
    std::vector<int> members(rows.size());
    for (size_t i = 0; i < members.size(); ++i)
      members[i] = static_cast<int>(i);
    // Not by recursion: a tree may be as deep as it has rows. A range waits
    // with the node whose right child it becomes.
    struct Waiting {
      size_t begin, end;
      int64_t parent;
    };
    std::vector<Waiting> waiting{{0, members.size(), -1}};
    while (!waiting.empty()) {
      auto [begin, end, parent] = waiting.back();
      waiting.pop_back();
      if (parent >= 0)
        nodes[parent].right = static_cast<int64_t>(nodes.size());
      while (std::optional<Split> split = best(members, begin, end)) {
        auto middle = std::partition(
            members.begin() + begin, members.begin() + end, [&](int member) {
              return rows[member][split->feature] <= split->threshold;
            });
        const size_t cut = middle - members.begin();
        waiting.push_back({cut, end, static_cast<int64_t>(nodes.size())});
        nodes.push_back({split->feature, split->threshold, 0});
        end = cut;
      }
      double sum = 0;
      for (size_t i = begin; i < end; ++i)
        sum += targets[members[i]];
      nodes.push_back({-1, sum / static_cast<double>(end - begin), 0});
    }
    return std::move(nodes);
  }

private:
  struct Split {
    int feature;
    double threshold;
  };

  /// The split that leaves the least variance, of one at random a feature;
  /// nothing where targets or all features are equal.
  std::optional<Split> best(const std::vector<int> &members, size_t begin,
                            size_t end) {
    bool isPure = true;
    for (size_t i = begin + 1; i < end; ++i)
      isPure &= targets[members[i]] == targets[members[begin]];
    if (isPure)
      return std::nullopt;
    std::optional<Split> found;
    double foundScore = -1;
    for (size_t feature = 0; feature < rows.front().size(); ++feature) {
      double low = rows[members[begin]][feature], high = low;
      for (size_t i = begin + 1; i < end; ++i) {
        low = std::min(low, rows[members[i]][feature]);
        high = std::max(high, rows[members[i]][feature]);
      }
      if (low == high)
        continue;
      double threshold = low + random.unit() * (high - low);
      if (threshold >= high) // rounded
        threshold = low;
      double leftSum = 0, rightSum = 0;
      int64_t leftCount = 0, rightCount = 0;
      for (size_t i = begin; i < end; ++i) {
        const double target = targets[members[i]];
        const bool isLeft = rows[members[i]][feature] <= threshold;
        (isLeft ? leftSum : rightSum) += target;
        ++(isLeft ? leftCount : rightCount);
      }
      // Least variance within is most between.
      const double score =
          leftSum * leftSum / static_cast<double>(leftCount) +
          rightSum * rightSum / static_cast<double>(rightCount);
      if (score > foundScore) {
        foundScore = score;
        found = Split{static_cast<int>(feature), threshold};
      }
    }
    return found;
  }

  const std::vector<std::vector<double>> &rows;
  const std::vector<double> &targets;
  Random random;
  std::vector<TreeNode> nodes;
};

} // namespace

RandomizedTrees
RandomizedTrees::grow(const std::vector<std::vector<double>> &rows,
                      const std::vector<double> &targets, int64_t treeCount,
                      uint64_t seed) {
  RandomizedTrees forest;
  Random seeds(seed);
  for (int64_t tree = 0; tree < treeCount && !rows.empty(); ++tree)
    forest.trees.push_back(Grower(rows, targets, seeds.next()).grow());
  return forest;
}

double RandomizedTrees::predict(const std::vector<double> &row) const {
  double sum = 0;
  for (const std::vector<TreeNode> &tree : trees) {
    int64_t at = 0;
    while (tree[at].feature >= 0)
      at = row[tree[at].feature] <= tree[at].value ? at + 1 : tree[at].right;
    sum += tree[at].value;
  }
  return trees.empty() ? 0 : sum / static_cast<double>(trees.size());
}

ordered_json RandomizedTrees::toJson() const {
  ordered_json list = ordered_json::array();
  for (const std::vector<TreeNode> &tree : trees) {
    ordered_json features = ordered_json::array(), values = features,
                 rights = features;
    for (const TreeNode &node : tree) {
      features.push_back(node.feature);
      values.push_back(node.value);
      rights.push_back(node.right);
    }
    list.push_back(
        {{"feature", features}, {"value", values}, {"right", rights}});
  }
  return list;
}

/// Appends a tree; false where it is none.
static bool readTree(const ordered_json &json, int64_t features,
                     std::vector<TreeNode> &tree) {
  for (const char *key : {"feature", "value", "right"})
    if (!json.is_object() || !json.contains(key) || !json[key].is_array() ||
        json[key].size() != json["feature"].size())
      return false;
  const auto count = static_cast<int64_t>(json["feature"].size());
  for (int64_t i = 0; i < count; ++i) {
    const ordered_json &feature = json["feature"][i];
    const ordered_json &value = json["value"][i];
    const ordered_json &right = json["right"][i];
    if (!feature.is_number_integer() || !value.is_number() ||
        !right.is_number_integer())
      return false;
    const auto number = feature.get<int64_t>();
    const bool isLeaf = number == -1;
    // Children stand behind their parent, so that every walk ends.
    if (!isLeaf && (number < 0 || number >= features || i + 1 >= count ||
                    right.get<int64_t>() <= i || right.get<int64_t>() >= count))
      return false;
    tree.push_back(
        {static_cast<int>(number), value.get<double>(), right.get<int64_t>()});
  }
  return count > 0;
}

Result<RandomizedTrees> RandomizedTrees::fromJson(const ordered_json &json,
                                                  int64_t features) {
  RandomizedTrees forest;
  if (!json.is_array())
    return Error{"training.forest: trees must be an array"};
  for (const ordered_json &each : json)
    if (!readTree(each, features, forest.trees.emplace_back()))
      return Error{"training.forest: tree " +
                   std::to_string(forest.trees.size() - 1) + " is damaged"};
  return forest;
}

//===----------------------------------------------------------------------===//
// Features
//===----------------------------------------------------------------------===//

/// The 56 features of one convolution (perf4sight, section 4.2, and
/// decision_tree_fitter.py of its repository), for images that need not be
/// square: an extent squared is height times width.
static std::vector<double> convolutionFeatures(const TrainingTensor &input,
                                               const TrainingTensor &output,
                                               const TrainingOp &op,
                                               double batch) {
  const auto inChannels = static_cast<double>(input.channels());
  const auto outChannels = static_cast<double>(output.channels());
  const double perGroup = inChannels / static_cast<double>(op.groups);
  const auto inHeight = static_cast<double>(input.height());
  const auto inWidth = static_cast<double>(input.width());
  const auto outHeight = static_cast<double>(output.height());
  const auto outWidth = static_cast<double>(output.width());
  const double in = inHeight * inWidth, out = outHeight * outWidth;
  const auto taps = static_cast<double>(op.kernel[0] * op.kernel[1]);
  std::vector<double> features;
  auto add = [&](double value) {
    features.push_back(value);
    return value;
  };

  // Tensors: weights and their gradient, inputs and outputs with theirs.
  const double filters = add(outChannels * perGroup * taps);
  const double filterGradients = add(batch * filters);
  const double inputs = add(2 * batch * inChannels * in);
  const double outputs = add(2 * batch * outChannels * out);
  add(filters + filterGradients + inputs + outputs);

  // As matrix products: what im2col writes, and multiply-accumulates.
  const double indices = add(batch * out);
  const double columns = add(batch * out * taps * inChannels);
  const double inputIndices = add(batch * in);
  const double inputColumns = add(batch * in * taps * inChannels);
  const double filterColumns = add(batch * out * taps * perGroup);
  add(columns + inputColumns + filterColumns);
  add(2 * indices + inputIndices);
  const double macs = add(batch * outChannels * out * taps * perGroup);
  const double inputMacs = add(batch * inChannels * in * taps * outChannels);
  add(2 * macs + inputMacs);

  // By FFT: transformed tensors, and operations.
  const double pairs = outChannels * perGroup;
  const double inPlane = inHeight * (1 + inWidth);
  const double outPlane = outHeight * (1 + outWidth);
  const double spectralFilters = add(inPlane * pairs);
  const double spectralInputs = add(inPlane * batch * inChannels);
  const double spectralGradients = add(inPlane * batch * outChannels);
  const double smallFilters = add(outPlane * pairs);
  const double smallGradients = add(outPlane * batch * outChannels);
  add(spectralInputs + spectralFilters);
  add(smallGradients + smallFilters);
  add(spectralGradients + spectralInputs);
  add(2 * spectralInputs + spectralFilters + smallGradients + smallFilters +
      spectralGradients);
  const double planes = batch * inChannels + batch * outChannels + pairs;
  const double products = batch * outChannels * inChannels;
  const double forward = add(in * std::log2(in) / 2 * planes + products * in);
  const double backward =
      add(out * std::log2(out) / 2 * planes + products * out);
  const double weight =
      add(std::sqrt(in) * std::log2(in) * planes + products * in);
  add(forward + backward + weight);

  // Winograd F(m, r): transformed tiles, then operations.
  constexpr std::pair<double, double> kVariants[] = {{4, 3}, {3, 2}};
  auto sums = [&](double first, double second, double third) {
    add(first);
    add(second);
    add(third);
    add(first + second);
    add(first + third);
    add(second + third);
    add(first + second + third);
  };
  auto tiles = [](double height, double width, double by) {
    return std::ceil(height / by) * std::ceil(width / by);
  };
  for (auto [m, r] : kVariants) {
    const double tile = (m + r - 1) * (m + r - 1);
    sums(3 * batch * outChannels * tile * tiles(inHeight, inWidth, m),
         3 * batch * inChannels * tile * tiles(outHeight, outWidth, m),
         3 * batch * pairs * tile * tiles(inHeight, inWidth, m));
  }
  for (auto [m, r] : kVariants) {
    const double tile = (m + r - 1) * (m + r - 1);
    const double cuts = tiles(static_cast<double>(op.kernel[0]),
                              static_cast<double>(op.kernel[1]), r);
    const double inTiles = tiles(inHeight, inWidth, m);
    sums(batch * pairs * inTiles * cuts * tile,
         products * tiles(outHeight, outWidth, m) * cuts * tile,
         batch * pairs * inTiles * tiles(outHeight, outWidth, r) * tile);
  }
  return features;
}

std::vector<double> forestFeatures(const TrainingNetwork &network,
                                   int64_t batch) {
  std::vector<double> sum(kFeatureCount, 0);
  for (const TrainingOp &op : network.ops) {
    if (op.kind != TrainingKind::Convolution)
      continue;
    const std::vector<double> features = convolutionFeatures(
        network.tensors[op.operands[0]], network.tensors[op.result], op,
        static_cast<double>(batch));
    for (int64_t i = 0; i < kFeatureCount; ++i)
      sum[i] += features[i];
  }
  return sum;
}

//===----------------------------------------------------------------------===//
// The model
//===----------------------------------------------------------------------===//

Result<ForestModel>
ForestModel::fit(const std::vector<TrainingSample> &samples) {
  if (samples.empty())
    return Error{"a forest needs at least one row"};
  ForestModel model;
  for (auto [quantity, trees] :
       {std::pair{&TrainingSample::latencyMs, &model.latency},
        std::pair{&TrainingSample::memoryMib, &model.memory}}) {
    std::vector<std::vector<double>> rows;
    std::vector<double> targets;
    for (const TrainingSample &sample : samples)
      if (sample.*quantity) {
        rows.push_back(forestFeatures(*sample.network, sample.batch));
        targets.push_back(*(sample.*quantity));
      }
    *trees = RandomizedTrees::grow(rows, targets, kTreeCount, kSeed);
  }
  return model;
}

double ForestModel::latencyMs(const TrainingNetwork &network,
                              int64_t batch) const {
  return latency.predict(forestFeatures(network, batch));
}

double ForestModel::memoryMib(const TrainingNetwork &network,
                              int64_t batch) const {
  return memory.predict(forestFeatures(network, batch));
}

ordered_json ForestModel::toJson() const {
  return {{"latency", latency.toJson()}, {"memory", memory.toJson()}};
}

Result<ForestModel> ForestModel::fromJson(const ordered_json &json) {
  ForestModel model;
  for (auto [key, trees] : {std::pair{"latency", &model.latency},
                            std::pair{"memory", &model.memory}}) {
    if (!json.is_object() || !json.contains(key))
      return Error{"training.forest lacks the trees of '" + std::string(key) +
                   "'"};
    Result<RandomizedTrees> read =
        RandomizedTrees::fromJson(json[key], kFeatureCount);
    if (!read)
      return read.error();
    *trees = std::move(*read);
  }
  return model;
}

} // namespace snug::predict
