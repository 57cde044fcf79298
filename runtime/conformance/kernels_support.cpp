// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Guarded buffers, random tensors and the list of targets for kernel tests.
#include "kernels_support.h"

#include <cmath>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

namespace snug {
namespace runtime {
#ifdef SNUG_EMULATED_AVX512
namespace avx512emulated {
const KernelTable &table();
}
#endif

namespace test {
namespace {

/// Bits of a quiet not-a-number that no kernel computes.
constexpr uint32_t kPoison = 0x7fc5a5a5u;

uint32_t bitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}

} // namespace

std::vector<TestedTable> testedTables() {
  std::vector<TestedTable> tables;
  const Target all[] = {Target::Portable, Target::AVX2, Target::AVX512};
  for (Target target : all) {
    const bool runs = target <= hostTarget();
    tables.push_back(
        {targetName(target), target, runs ? kernelTable(target) : nullptr});
  }
#ifdef SNUG_EMULATED_AVX512
  const bool runs = hostTarget() >= Target::AVX2;
  tables.push_back({"avx512emulated", Target::AVX512,
                    runs ? &avx512emulated::table() : nullptr});
#endif
  return tables;
}

std::string tableName(const ::testing::TestParamInfo<TestedTable> &info) {
  return info.param.name;
}

GuardedBuffer::GuardedBuffer(int64_t floats, Guard guard) : count(floats) {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t bytes = static_cast<size_t>(floats) * sizeof(float);
  const size_t inner = (bytes + page - 1) / page * page;
  mappedBytes = inner + 2 * page;
  mapping =
      mmap(nullptr, mappedBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED)
    throw std::runtime_error("mmap failed");
  char *begin = static_cast<char *>(mapping) + page;
  if (inner > 0 && mprotect(begin, inner, PROT_READ | PROT_WRITE) != 0)
    throw std::runtime_error("mprotect failed");
  first = reinterpret_cast<float *>(
      guard == Guard::AtStart ? begin : begin + inner - bytes);
  for (int64_t i = 0; i < count; ++i)
    std::memcpy(first + i, &kPoison, sizeof(kPoison));
}

GuardedBuffer::~GuardedBuffer() { munmap(mapping, mappedBytes); }

uint64_t Random::next() {
  uint64_t z = (state += 0x9e3779b97f4a7c15ull);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

int Random::between(int low, int high) {
  return low + static_cast<int>(next() % static_cast<uint64_t>(high - low + 1));
}

float Random::value() {
  return static_cast<float>(next() >> 40) / 8388608.0f - 1.0f;
}

Gaps randomGaps(Random &random) {
  Gaps gaps;
  if (random.oneIn(2))
    return gaps;
  gaps.pixel = random.oneIn(2) ? random.between(1, 40) : 0;
  gaps.row = random.between(0, 60);
  gaps.batch = random.between(0, 30);
  return gaps;
}

Tensor::Tensor(const Extents &extents, int64_t batch, int64_t row,
               int64_t pixel, int64_t channel, Guard guard) {
  view.batch = extents.batch;
  view.height = extents.height;
  view.width = extents.width;
  view.channels = extents.channels;
  view.batchStride = batch;
  view.rowStride = row;
  view.pixelStride = pixel;
  view.channelStride = channel;
  const int64_t range =
      (extents.batch - 1) * batch + (extents.height - 1) * row +
      (extents.width - 1) * pixel + (extents.channels - 1) * channel + 1;
  buffer.reset(new GuardedBuffer(range, guard));
  view.data = buffer->data();
}

Tensor::Tensor(const Extents &extents, const Gaps &gaps, Guard guard)
    : Tensor(extents,
             extents.height *
                     (extents.width * int64_t(extents.channels + gaps.pixel) +
                      gaps.row) +
                 gaps.batch,
             extents.width * int64_t(extents.channels + gaps.pixel) + gaps.row,
             extents.channels + gaps.pixel, 1, guard) {}

Tensor Tensor::channelsFirst(const Extents &extents, Guard guard) {
  const int64_t plane = int64_t(extents.height) * extents.width;
  return Tensor(extents, plane * extents.channels, extents.width, 1, plane,
                guard);
}

Tensor Tensor::ordered(const Extents &extents, const int (&order)[4], int gap,
                       Guard guard) {
  const int64_t each[4] = {extents.batch, extents.height, extents.width,
                           extents.channels};
  int64_t strides[4];
  int64_t span = 1;
  for (int i = 3; i >= 0; --i) {
    strides[order[i]] = span;
    span = span * each[order[i]] + gap;
  }
  return Tensor(extents, strides[0], strides[1], strides[2], strides[3], guard);
}

Tensor Tensor::random(const Extents &extents, Random &random, Guard guard) {
  int order[4] = {0, 1, 2, 3};
  for (int i = 3; i > 0; --i)
    std::swap(order[i], order[random.between(0, i)]);
  return ordered(extents, order, random.pick({0, 0, 1, 7}), guard);
}

float &Tensor::at(int n, int y, int x, int c) {
  return view.data[n * view.batchStride + y * view.rowStride +
                   x * view.pixelStride + c * view.channelStride];
}

float Tensor::at(int n, int y, int x, int c) const {
  return const_cast<Tensor *>(this)->at(n, y, x, c);
}

void Tensor::fill(Random &random) {
  for (int n = 0; n < view.batch; ++n)
    for (int y = 0; y < view.height; ++y)
      for (int x = 0; x < view.width; ++x)
        for (int c = 0; c < view.channels; ++c)
          at(n, y, x, c) = random.value();
}

int64_t Tensor::damaged() const {
  std::vector<bool> inside(static_cast<size_t>(buffer->size()), false);
  for (int n = 0; n < view.batch; ++n)
    for (int y = 0; y < view.height; ++y)
      for (int x = 0; x < view.width; ++x)
        for (int c = 0; c < view.channels; ++c)
          inside[static_cast<size_t>(n * view.batchStride + y * view.rowStride +
                                     x * view.pixelStride +
                                     c * view.channelStride)] = true;
  int64_t damaged = 0;
  for (int64_t i = 0; i < buffer->size(); ++i)
    damaged +=
        !inside[static_cast<size_t>(i)] && bitsOf(buffer->data()[i]) != kPoison;
  return damaged;
}

bool Tensor::sameBits(const Tensor &other) const {
  return buffer->size() == other.buffer->size() &&
         std::memcmp(buffer->data(), other.buffer->data(),
                     static_cast<size_t>(buffer->size()) * sizeof(float)) == 0;
}

void expectSameElements(const Tensor &inPlace, const Tensor &apart) {
  const TensorView &extents = apart.view;
  for (int n = 0; n < extents.batch; ++n)
    for (int y = 0; y < extents.height; ++y)
      for (int x = 0; x < extents.width; ++x)
        for (int c = 0; c < extents.channels; ++c)
          ASSERT_EQ(inPlace.at(n, y, x, c), apart.at(n, y, x, c));
}

double activate(double value, Activation activation, float alpha, float beta) {
  const double a = double(alpha), b = double(beta);
  const auto held = [](double x, double low, double high) {
    return std::fmin(std::fmax(x, low), high);
  };
  switch (activation) {
  case Activation::None:
    break;
  case Activation::Relu:
    return value > 0 ? value : 0;
  case Activation::LeakyRelu:
    return value > 0 ? value : value * a;
  case Activation::Relu6:
    return held(value, 0, 6);
  case Activation::Clip:
    return held(value, a, b);
  case Activation::Sigmoid:
    return 1 / (1 + std::exp(-value));
  case Activation::Silu:
    return value / (1 + std::exp(-value));
  case Activation::HardSigmoid:
    return held(a * value + b, 0, 1);
  case Activation::HardSwish:
    return value * held(value / 6 + 0.5, 0, 1);
  case Activation::Tanh:
    return std::tanh(value);
  case Activation::Elu:
    return value < 0 ? a * std::expm1(value) : value;
  case Activation::Exp:
    return std::exp(value);
  case Activation::Log:
    return std::log(value);
  case Activation::Sqrt:
    return std::sqrt(value);
  case Activation::Abs:
    return std::fabs(value);
  case Activation::Neg:
    return -value;
  case Activation::Reciprocal:
    return 1 / value;
  case Activation::Floor:
    return std::floor(value);
  case Activation::Ceil:
    return std::ceil(value);
  case Activation::Erf:
    return std::erf(value);
  case Activation::Gelu:
    return 0.5 * value * std::erfc(-value * std::sqrt(0.5));
  case Activation::Softplus:
    return value > 0 ? value + std::log1p(std::exp(-value))
                     : std::log1p(std::exp(value));
  case Activation::Mish:
    return value * std::tanh(std::log1p(std::exp(std::fmin(value, 700))));
  }
  return value;
}

Expected activated(const Expected &sum, const Epilogue &epilogue) {
  const double value =
      activate(sum.value, epilogue.activation, epilogue.alpha, epilogue.beta);
  if (epilogue.activation == Activation::None)
    return sum;
  return {value, 2 * sum.magnitude + 2 * std::fabs(value) + 1e-37};
}

void randomActivation(Random &random, Epilogue *epilogue) {
  const Activation smooth[] = {
      Activation::None,      Activation::None,     Activation::Relu,
      Activation::LeakyRelu, Activation::Relu6,    Activation::Clip,
      Activation::Sigmoid,   Activation::Silu,     Activation::HardSigmoid,
      Activation::HardSwish, Activation::Tanh,     Activation::Elu,
      Activation::Abs,       Activation::Neg,      Activation::Erf,
      Activation::Gelu,      Activation::Softplus, Activation::Mish};
  epilogue->activation =
      smooth[random.between(0, int(sizeof(smooth) / sizeof(smooth[0])) - 1)];
  epilogue->alpha = random.oneIn(4) ? 1.5f : 0.2f;
  epilogue->beta = epilogue->activation == Activation::Clip ? 1.75f : 0.5f;
  if (epilogue->activation == Activation::LeakyRelu && random.oneIn(3))
    epilogue->alpha = -0.5f;
}

Extents randomExtents(Random &random) {
  return {random.pick({1, 1, 2}), random.between(1, 12), random.between(1, 20),
          random.pick({1, 2, 3, 4, 5, 8, 9, 15, 16, 17, 24, 32, 33, 64, 70})};
}

::testing::AssertionResult checkElement(double actual, const Expected &expected,
                                        int64_t terms, int n, int y, int x,
                                        int c) {
  const double tolerance = std::ldexp(1.0, -24) * expected.magnitude *
                           (8 + 2 * std::sqrt(static_cast<double>(terms)));
  if (actual == expected.value ||
      std::fabs(actual - expected.value) <= tolerance)
    return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure()
         << "image " << n << " row " << y << " column " << x << " channel " << c
         << ": " << actual << " instead of " << expected.value << ", tolerance "
         << tolerance;
}

ThreadPool &poolOf(int threads) {
  static ThreadPool one(1), two(2), three(3);
  return threads == 1 ? one : threads == 2 ? two : three;
}

} // namespace test
} // namespace runtime
} // namespace snug
