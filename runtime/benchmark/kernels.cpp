// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// snug-kernel-benchmark: times single kernels and prints their speed beside the
// multiply-add peak, measured between them in the same process.
#include "Kernels.h"
#include "ThreadPool.h"
#include "peak.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <sys/mman.h>
#include <time.h>
#include <vector>

using namespace snug::runtime;

namespace {

const char kUsage[] =
    "usage: snug-kernel-benchmark [--target=host|portable|avx2|avx512] "
    "[--threads=1,2]\n"
    "                             [--filter=TEXT] [--seconds=S] [--json=FILE]\n"
    "                             [--clock=wall|cpu]\n"
    "\n"
    "Times kernels on fixed shapes and prints GFLOP/s (two per "
    "multiply-accumulate,\n"
    "padding taps counted) with the percentage of the multiply-add peak, "
    "measured in\n"
    "turns with the kernel, and GB/s (each input and weight read once, each "
    "output\n"
    "written once) with the percentage of what a plain copy of as many bytes "
    "reaches.\n"
    "\n"
    "  --target   instruction set (default: host)\n"
    "  --threads  comma-separated thread counts (default: 1,2)\n"
    "  --filter   only shapes whose name contains this text\n"
    "  --seconds  time for each shape (default: 0.3)\n"
    "  --json     write the records to this file as well\n"
    "  --clock    cpu: count the calling thread's processor time, for busy "
    "machines;\n"
    "             one thread only (default: wall)\n";

struct Options {
  Target target = hostTarget();
  std::vector<int> threads = {1, 2};
  std::string filter, json;
  double seconds = 0.3;
};

/// Memory that a kernel must read and write at least once.
struct Traffic {
  const float *read;
  int64_t readBytes;
  float *written;
  int64_t writtenBytes;
  double bytes() const { return double(readBytes) + double(writtenBytes); }
};

struct Record {
  std::string shape, kernel;
  int threads;
  double bestSeconds, medianSeconds;
  double operations;    ///< floating-point operations; 0 where there are none
  double bytes;         ///< 0 where only operations count
  double streamSeconds; ///< that a plain copy of the bytes takes at best
  /// Median over repetitions of their share of the multiply-add peak measured
  /// right behind each; 0 where there are no operations.
  double pairedPercentOfPeak;
};

double medianOf(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

clockid_t benchmarkClock = CLOCK_MONOTONIC;

double now() {
  timespec t;
  clock_gettime(benchmarkClock, &t);
  return double(t.tv_sec) + 1e-9 * double(t.tv_nsec);
}

/// Page-aligned floats with values that neither grow nor become subnormal, on
/// large pages where it fills some, as the runtime's arena is.
class Buffer {
public:
  explicit Buffer(int64_t bytes, size_t page = size_t(2) << 20) {
    void *memory = nullptr;
    const size_t size = size_t(std::max<int64_t>(bytes, 64));
    if (posix_memalign(&memory, size < page ? 4096 : page, size) != 0) {
      std::fprintf(stderr, "error: out of memory\n");
      std::exit(1);
    }
    floats.reset(static_cast<float *>(memory));
#ifdef MADV_HUGEPAGE
    // Memory that was freed keeps what it was advised to be.
    if (size >= size_t(2) << 20)
      madvise(memory, size, page > 4096 ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
#endif
    uint32_t state = 1;
    for (size_t i = 0; i < size / sizeof(float); ++i) {
      state = state * 1664525u + 1013904223u;
      floats.get()[i] = float(state >> 16) / 32768.0f - 1.0f;
    }
  }
  float *data() const { return floats.get(); }

private:
  struct Free {
    void operator()(float *p) const { std::free(p); }
  };
  std::unique_ptr<float, Free> floats;
};

TensorView denseView(float *data, int height, int width, int channels) {
  TensorView view;
  view.data = data;
  view.height = height;
  view.width = width;
  view.channels = channels;
  view.pixelStride = channels;
  view.rowStride = int64_t(width) * channels;
  view.batchStride = view.rowStride * height;
  return view;
}

/// Weights are mapped from a file, on small pages.
constexpr size_t kWeightPage = 4096;

/// GFLOP/s of the peak loop on all threads of a pool at once.
double peakNow(Target target, ThreadPool &pool, int64_t iterations) {
  std::vector<double> operations(size_t(pool.threads()), 0.0);
  const double start = now();
  pool.forEach(pool.threads(), [&](int64_t index, int) {
    operations[size_t(index)] = runMultiplyAdds(target, iterations);
  });
  const double seconds = now() - start;
  double sum = 0;
  for (double o : operations)
    sum += o;
  return sum / seconds * 1e-9;
}

/// The best of some repetitions.
double measurePeak(Target target, ThreadPool &pool) {
  double best = 0;
  for (int repetition = 0; repetition < 5; ++repetition)
    best = std::max(best, peakNow(target, pool, 200000));
  return best;
}

/// Winograd's kernel is not for convolutions of fewer inputs.
constexpr int kLeastWinogradInputs = 8;

class Benchmark {
public:
  explicit Benchmark(const Options &options)
      : options(options), kernels(*kernelTable(options.target)) {
    for (int threads : options.threads) {
      pools.emplace_back(new ThreadPool(threads));
      peaks.push_back(0);
    }
  }

  void runAll();
  bool writeJson() const;
  void print() const;

private:
  /// `work` is called with a pool and returns multiply-accumulates. `traffic`
  /// may be null for kernels that memory does not bound.
  void time(const std::string &shape, const char *kernel,
            const Traffic *traffic,
            const std::function<uint64_t(ThreadPool &)> &work);
  bool wanted(const std::string &shape) const {
    return shape.find(options.filter) != std::string::npos;
  }
  void convolution(int inputs, int outputs, int height, int width, int kernel,
                   int stride, bool padded, int groups = 1,
                   Activation activation = Activation::LeakyRelu);
  void gemm(int depth, int columns);
  void pooling(const char *name, int channels, int extent, int kernel,
               int stride);
  void elementwise(int channels, int extent);
  void pictures(int channels, int extent);
  void transposedConvolution(int inputs, int outputs, int extent, int kernel,
                             int stride);
  void matMul(int rows, int depth, int columns, bool transposed);
  void moves(int channels, int extent);
  /// Percentages for a time: of the multiply-add peak, of the plain copy.
  double percentOfPeak(const Record &record, double seconds) const;
  static double percentOfStream(const Record &record, double seconds) {
    return 100 * record.streamSeconds / seconds;
  }

  const Options &options;
  const KernelTable &kernels;
  std::vector<std::unique_ptr<ThreadPool>> pools;
  std::vector<double> peaks; ///< best so far, by position in options.threads
  std::vector<Record> records;
};

/// Seconds of the best of some copies of `traffic`, cut into parts for the
/// pool's threads.
double measureStream(const Traffic &traffic, ThreadPool &pool) {
  double best = 0;
  const double start = now();
  for (int repetition = 0; repetition < 5 || now() - start < 0.05;
       ++repetition) {
    const double begin = now();
    pool.forEach(pool.threads(), [&](int64_t index, int) {
      const auto share = [&](int64_t bytes, int64_t part) {
        return bytes / int64_t(sizeof(float)) * part / pool.threads();
      };
      const int64_t from = share(traffic.readBytes, index);
      const int64_t to = share(traffic.writtenBytes, index);
      runStream(traffic.read + from, share(traffic.readBytes, index + 1) - from,
                traffic.written + to,
                share(traffic.writtenBytes, index + 1) - to);
    });
    const double seconds = now() - begin;
    best = repetition == 0 ? seconds : std::min(best, seconds);
  }
  return best;
}

void Benchmark::time(const std::string &shape, const char *kernel,
                     const Traffic *traffic,
                     const std::function<uint64_t(ThreadPool &)> &work) {
  for (size_t i = 0; i < pools.size(); ++i) {
    peaks[i] = std::max(peaks[i], measurePeak(options.target, *pools[i]));
    const double stream = traffic ? measureStream(*traffic, *pools[i]) : 0;
    const double operations = 2.0 * double(work(*pools[i])); // also warms up
    std::vector<double> times, percents;
    const double start = now();
    while (times.size() < 10 || now() - start < options.seconds) {
      const double begin = now();
      work(*pools[i]);
      times.push_back(now() - begin);
      if (operations == 0)
        continue;
      // Half as long as the kernel, within bounds; an iteration takes about
      // four nanoseconds.
      const int64_t iterations = std::min<int64_t>(
          500000, std::max<int64_t>(20000, int64_t(times.back() / 8e-9)));
      const double peak = peakNow(options.target, *pools[i], iterations);
      percents.push_back(100 * operations / times.back() * 1e-9 / peak);
    }
    records.push_back({shape, kernel, options.threads[i],
                       *std::min_element(times.begin(), times.end()),
                       medianOf(times), operations,
                       traffic ? traffic->bytes() : 0, stream,
                       percents.empty() ? 0 : medianOf(percents)});
  }
}

void Benchmark::convolution(int inputs, int outputs, int height, int width,
                            int kernel, int stride, bool padded, int groups,
                            Activation activation) {
  const bool depthwise = groups > 1 && groups == inputs && groups == outputs;
  std::string name =
      (depthwise ? "dw " + std::to_string(inputs)
                 : std::to_string(inputs) + "-" + std::to_string(outputs)) +
      "@" + std::to_string(height) +
      (width == height ? "" : "x" + std::to_string(width)) + " k" +
      std::to_string(kernel) +
      (stride == 1 ? "" : " s" + std::to_string(stride)) +
      (groups > 1 && !depthwise ? " g" + std::to_string(groups) : "") +
      (padded ? "" : " tile") + (activation == Activation::Silu ? " silu" : "");
  if (!wanted(name))
    return;
  WindowShape s;
  const int pad = padded ? kernel / 2 : 0;
  const int halo = padded ? 0 : kernel - stride;
  s.padTop = s.padLeft = s.padBottom = s.padRight = pad;
  // A tile's extents are those of its output; its input has the halo.
  s.inputHeight = padded ? height : height * stride + halo;
  s.inputWidth = padded ? width : width * stride + halo;
  s.inputChannels = inputs;
  s.outputChannels = outputs;
  s.kernelHeight = s.kernelWidth = kernel;
  s.strideHeight = s.strideWidth = stride;
  s.groups = groups;
  s.outputHeight = (s.inputHeight + 2 * pad - kernel) / stride + 1;
  s.outputWidth = (s.inputWidth + 2 * pad - kernel) / stride + 1;
  Buffer in(int64_t(s.inputHeight) * s.inputWidth * inputs * 4);
  Buffer out(int64_t(s.outputHeight) * s.outputWidth * outputs * 4);
  Buffer weights(packedConvolutionBytes(options.target, s), kWeightPage);
  Buffer bias(packedBiasBytes(outputs));
  const TensorView input =
      denseView(in.data(), s.inputHeight, s.inputWidth, inputs);
  const TensorView output =
      denseView(out.data(), s.outputHeight, s.outputWidth, outputs);
  Epilogue epilogue;
  epilogue.bias = bias.data();
  epilogue.activation = activation;
  epilogue.alpha = 0.1f;
  const auto function = depthwise ? kernels.depthwise : kernels.convolution;
  // A depthwise convolution is short of operations, not of bytes.
  const Traffic traffic = {
      in.data(), int64_t(s.inputHeight) * s.inputWidth * inputs * 4, out.data(),
      int64_t(s.outputHeight) * s.outputWidth * outputs * 4};
  time(name, depthwise ? "depthwise" : "convolution",
       depthwise ? &traffic : nullptr, [&](ThreadPool &pool) {
         return function(s, input, weights.data(), epilogue, output, nullptr,
                         pool);
       });
  if (!hasWinograd(s) || inputs < kLeastWinogradInputs)
    return;
  int64_t scratch = 0;
  for (int threads : options.threads)
    scratch =
        std::max(scratch, workspaceBytes(options.target, KernelKind::Winograd,
                                         s, threads));
  Buffer workspace(scratch);
  time(name, "winograd", nullptr, [&](ThreadPool &pool) {
    return kernels.winograd(s, input, weights.data(), epilogue, output,
                            workspace.data(), pool);
  });
}

void Benchmark::gemm(int depth, int columns) {
  const std::string name =
      "gemm " + std::to_string(depth) + "x" + std::to_string(columns);
  if (!wanted(name))
    return;
  Buffer in(int64_t(depth) * 4), out(int64_t(columns) * 4);
  Buffer weights(packedGemmBytes(options.target, depth, columns), kWeightPage);
  Buffer bias(packedBiasBytes(columns));
  const TensorView input = denseView(in.data(), 1, 1, depth);
  const TensorView output = denseView(out.data(), 1, 1, columns);
  Epilogue epilogue;
  epilogue.bias = bias.data();
  epilogue.activation = Activation::Relu;
  const Traffic traffic = {weights.data(), int64_t(depth) * columns * 4,
                           out.data(), int64_t(columns) * 4};
  time(name, "gemm", &traffic, [&](ThreadPool &pool) {
    return kernels.gemm(input, weights.data(), epilogue, output, pool);
  });
}

void Benchmark::pooling(const char *kind, int channels, int extent, int kernel,
                        int stride) {
  const std::string name = std::string(kind) + " " + std::to_string(channels) +
                           "@" + std::to_string(extent) + " k" +
                           std::to_string(kernel) + " s" +
                           std::to_string(stride);
  if (!wanted(name))
    return;
  WindowShape s;
  s.inputHeight = s.inputWidth = extent;
  s.inputChannels = s.outputChannels = channels;
  s.kernelHeight = s.kernelWidth = kernel;
  s.strideHeight = s.strideWidth = stride;
  s.outputHeight = s.outputWidth = (extent - kernel) / stride + 1;
  const int64_t inputBytes = int64_t(extent) * extent * channels * 4;
  const int64_t outputBytes =
      int64_t(s.outputHeight) * s.outputWidth * channels * 4;
  Buffer in(inputBytes), out(outputBytes);
  const TensorView input = denseView(in.data(), extent, extent, channels);
  const TensorView output =
      denseView(out.data(), s.outputHeight, s.outputWidth, channels);
  const bool max = std::strcmp(kind, "max") == 0;
  const bool global = kernel == extent && !max;
  const Traffic traffic = {in.data(), inputBytes, out.data(), outputBytes};
  time(name,
       max      ? "max_pool"
       : global ? "global_average_pool"
                : "average_pool",
       &traffic, [&](ThreadPool &pool) {
         if (max)
           return kernels.maxPool(s, input, output, pool);
         if (global)
           return kernels.reduce(ReduceKind::Mean, input, output, pool);
         return kernels.averagePool(s, nullptr, input, output, pool);
       });
}

void Benchmark::elementwise(int channels, int extent) {
  const std::string at =
      std::to_string(channels) + "@" + std::to_string(extent);
  if (!wanted("relu " + at) && !wanted("add " + at))
    return;
  const int64_t bytes = int64_t(extent) * extent * channels * 4;
  Buffer both(2 * bytes), c(bytes);
  const TensorView left = denseView(both.data(), extent, extent, channels);
  const TensorView right =
      denseView(both.data() + bytes / 4, extent, extent, channels);
  const TensorView output = denseView(c.data(), extent, extent, channels);
  Epilogue epilogue;
  epilogue.activation = Activation::Relu;
  // The copy that the sum of two tensors is compared with reads one of twice
  // the size.
  const Traffic one = {both.data(), bytes, c.data(), bytes};
  const Traffic two = {both.data(), 2 * bytes, c.data(), bytes};
  if (wanted("relu " + at))
    time("relu " + at, "unary", &one, [&](ThreadPool &pool) {
      return kernels.unary(left, epilogue, output, pool);
    });
  if (wanted("add " + at))
    time("add " + at, "binary", &two, [&](ThreadPool &pool) {
      return kernels.binary(BinaryKind::Add, left, right, epilogue, output,
                            pool);
    });
}

/// What is computed of a picture's own elements, and what changes its extents.
void Benchmark::pictures(int channels, int extent) {
  const std::string at =
      std::to_string(channels) + "@" + std::to_string(extent);
  const int64_t bytes = int64_t(extent) * extent * channels * 4;
  Buffer a(bytes), b(4 * bytes), few(channels * 4);
  const TensorView input = denseView(a.data(), extent, extent, channels);
  const TensorView output = denseView(b.data(), extent, extent, channels);
  const TensorView twice =
      denseView(b.data(), 2 * extent, 2 * extent, channels);
  const TensorView pixel = denseView(few.data(), 1, 1, channels);
  const Traffic same = {a.data(), bytes, b.data(), bytes};
  const Traffic larger = {b.data(), bytes, b.data() + bytes / 4, 3 * bytes};
  const auto timeOne = [&](const char *name, const char *kernel,
                           const Traffic &traffic,
                           const std::function<uint64_t(ThreadPool &)> &work) {
    const std::string shape = std::string(name) + " " + at;
    if (wanted(shape))
      time(shape, kernel, &traffic, work);
  };
  Epilogue silu;
  silu.activation = Activation::Silu;
  timeOne("silu", "unary", same, [&](ThreadPool &pool) {
    return kernels.unary(input, silu, output, pool);
  });
  timeOne("gate", "binary", same, [&](ThreadPool &pool) {
    return kernels.binary(BinaryKind::Mul, input, pixel, Epilogue(), output,
                          pool);
  });
  timeOne("mean", "reduce", {a.data(), bytes, few.data(), 64},
          [&](ThreadPool &pool) {
            return kernels.reduce(ReduceKind::Mean, input, pixel, pool);
          });
  timeOne("softmax", "softmax", same, [&](ThreadPool &pool) {
    return kernels.softmax(input, output, pool);
  });
  const NormalizationShape five = {5, 1e-4f, 0.75f, 1.0f};
  timeOne("lrn", "lrn", same, [&](ThreadPool &pool) {
    return kernels.localResponseNormalization(five, input, output, pool);
  });
  for (ResizeMode mode : {ResizeMode::Nearest, ResizeMode::Linear}) {
    const bool linear = mode == ResizeMode::Linear;
    const ResizeAxis axis = {0.5, linear ? -0.25 : 0.0, extent, 0, 0};
    const ResizeShape shape = {mode, NearestRounding::Floor, axis, axis};
    timeOne(linear ? "linear" : "nearest", "resize", larger,
            [&](ThreadPool &pool) {
              return kernels.resize(shape, input, twice, pool);
            });
  }
  const PadShape pads = {1, 1, 1, 1, 0, 0, PadMode::Reflect, 0.0f};
  const TensorView padded =
      denseView(b.data(), extent + 2, extent + 2, channels);
  timeOne("reflect", "pad", same, [&](ThreadPool &pool) {
    return kernels.pad(pads, input, padded, pool);
  });
  const int half = channels / 2;
  const RearrangeShape shuffle = {
      3, {extent * extent, half, 2}, {channels, 1, half}, {channels, 2, 1}};
  timeOne("shuffle", "rearrange", same, [&](ThreadPool &pool) {
    return kernels.rearrange(shuffle, a.data(), b.data(), pool);
  });
  const RearrangeShape transpose = {
      2, {channels, extent * extent}, {1, channels}, {extent * extent, 1}};
  timeOne("transpose", "rearrange", same, [&](ThreadPool &pool) {
    return kernels.rearrange(transpose, a.data(), b.data(), pool);
  });
}

void Benchmark::transposedConvolution(int inputs, int outputs, int extent,
                                      int kernel, int stride) {
  const std::string name =
      "up " + std::to_string(inputs) + "-" + std::to_string(outputs) + "@" +
      std::to_string(extent) + " k" + std::to_string(kernel) + " s" +
      std::to_string(stride);
  if (!wanted(name))
    return;
  WindowShape s;
  s.inputHeight = s.inputWidth = extent;
  s.inputChannels = inputs;
  s.outputChannels = outputs;
  s.kernelHeight = s.kernelWidth = kernel;
  s.strideHeight = s.strideWidth = stride;
  s.outputHeight = s.outputWidth = extent * stride;
  Buffer in(int64_t(extent) * extent * inputs * 4);
  Buffer out(int64_t(s.outputHeight) * s.outputWidth * outputs * 4);
  Buffer weights(packedTransposedConvolutionBytes(options.target, s),
                 kWeightPage);
  const TensorView input = denseView(in.data(), extent, extent, inputs);
  const TensorView output =
      denseView(out.data(), s.outputHeight, s.outputWidth, outputs);
  const int32_t offset = (kernel - stride) / 2;
  time(name, "transposed", nullptr, [&](ThreadPool &pool) {
    return kernels.transposedConvolution(
        s, {offset, offset}, input, weights.data(), Epilogue(), output, pool);
  });
}

void Benchmark::matMul(int rows, int depth, int columns, bool transposed) {
  const std::string name = std::string(transposed ? "matmul t " : "matmul ") +
                           std::to_string(rows) + "x" + std::to_string(depth) +
                           "x" + std::to_string(columns);
  if (!wanted(name))
    return;
  Buffer a(int64_t(rows) * depth * 4), b(int64_t(depth) * columns * 4),
      c(int64_t(rows) * columns * 4);
  const TensorView left = denseView(a.data(), rows, depth, 1);
  TensorView right = denseView(b.data(), depth, columns, 1);
  if (transposed) {
    right.rowStride = 1;
    right.pixelStride = depth;
  }
  const TensorView output = denseView(c.data(), rows, columns, 1);
  time(name, "matmul", nullptr, [&](ThreadPool &pool) {
    return kernels.matMul(left, right, output, pool);
  });
}

void Benchmark::moves(int channels, int extent) {
  const std::string at =
      std::to_string(channels) + "@" + std::to_string(extent);
  const int64_t bytes = int64_t(extent) * extent * channels * 4;
  if (!wanted("nchw to nhwc " + at) && !wanted("nhwc to nchw " + at))
    return;
  Buffer a(bytes), b(bytes);
  const TensorView last = denseView(a.data(), extent, extent, channels);
  TensorView first = denseView(b.data(), extent, extent, channels);
  first.channelStride = int64_t(extent) * extent;
  first.rowStride = extent;
  first.pixelStride = 1;
  const Traffic fromPlanes = {b.data(), bytes, a.data(), bytes};
  const Traffic toPlanes = {a.data(), bytes, b.data(), bytes};
  if (wanted("nchw to nhwc " + at))
    time("nchw to nhwc " + at, "move", &fromPlanes,
         [&](ThreadPool &pool) { return kernels.move(first, last, pool); });
  if (wanted("nhwc to nchw " + at))
    time("nhwc to nchw " + at, "move", &toPlanes,
         [&](ThreadPool &pool) { return kernels.move(last, first, pool); });
}

void Benchmark::runAll() {
  // Whole layers of yolov2, vgg and resnet.
  convolution(3, 32, 608, 608, 3, 1, true);
  convolution(32, 64, 304, 304, 3, 1, true);
  convolution(64, 128, 152, 152, 3, 1, true);
  convolution(128, 64, 152, 152, 1, 1, true);
  convolution(128, 256, 76, 76, 3, 1, true);
  convolution(256, 512, 38, 38, 3, 1, true);
  convolution(512, 1024, 19, 19, 3, 1, true);
  convolution(64, 64, 56, 56, 3, 1, true);
  convolution(256, 64, 56, 56, 1, 1, true);
  convolution(64, 256, 56, 56, 1, 1, true);
  convolution(512, 512, 14, 14, 3, 1, true);
  convolution(512, 512, 7, 7, 3, 1, true);
  convolution(2048, 512, 7, 7, 1, 1, true);
  // Tiles of a grid: 16 x 16 outputs, and ragged widths.
  for (int width : {16, 17, 13, 31}) {
    convolution(3, 32, 16, width, 3, 1, false);
    convolution(32, 64, 16, width, 3, 1, false);
    convolution(64, 128, 16, width, 3, 1, false);
    convolution(128, 256, 16, width, 3, 1, false);
    convolution(256, 512, 16, width, 3, 1, false);
    convolution(128, 64, 16, width, 1, 1, false);
  }
  // Strided, grouped and channel tails.
  convolution(3, 16, 416, 416, 3, 1, true);
  convolution(3, 32, 224, 224, 3, 2, true);
  convolution(3, 64, 224, 224, 3, 1, true);
  convolution(3, 64, 224, 224, 7, 2, true);
  convolution(128, 256, 56, 56, 3, 2, true);
  convolution(64, 64, 56, 56, 3, 1, true, 32);
  convolution(128, 128, 56, 56, 3, 1, true, 32);
  convolution(256, 256, 28, 28, 3, 1, true, 32);
  convolution(512, 512, 14, 14, 3, 1, true, 32);
  convolution(240, 240, 28, 28, 1, 1, true, 3);
  convolution(96, 256, 27, 27, 5, 1, true, 2);
  convolution(96, 24, 56, 56, 1, 1, true);
  convolution(512, 425, 19, 19, 1, 1, true);
  convolution(32, 32, 112, 112, 3, 1, true, 32);
  convolution(144, 144, 56, 56, 3, 2, true, 144);
  convolution(96, 96, 112, 112, 3, 2, true, 96);
  convolution(384, 384, 14, 14, 3, 1, true, 384);
  convolution(512, 512, 14, 14, 3, 1, true, 512);
  convolution(240, 240, 28, 28, 5, 1, true, 240);
  convolution(64, 64, 56, 56, 3, 1, true, 1, Activation::Silu);
  convolution(96, 24, 56, 56, 1, 1, true, 1, Activation::Silu);
  convolution(144, 144, 56, 56, 3, 1, true, 144, Activation::Silu);
  convolution(1024, 1024, 7, 7, 1, 1, true);
  convolution(512, 512, 14, 14, 1, 1, true);
  convolution(512, 2048, 7, 7, 1, 1, true);
  gemm(25088, 4096);
  gemm(1024, 1000);
  pooling("max", 32, 608, 2, 2);
  pooling("max", 64, 152, 2, 2);
  pooling("max", 64, 112, 3, 2);
  pooling("max", 256, 28, 3, 1);
  pooling("average", 64, 56, 2, 2);
  pooling("average", 256, 28, 3, 1);
  pooling("average", 1024, 7, 7, 1);
  elementwise(256, 56);
  pictures(96, 56);
  pictures(16, 112);
  pictures(960, 7);
  transposedConvolution(128, 64, 56, 2, 2);
  transposedConvolution(64, 64, 56, 4, 2);
  transposedConvolution(64, 64, 56, 3, 2);
  matMul(256, 64, 256, true);
  matMul(256, 256, 64, false);
  matMul(1024, 512, 512, false);
  moves(3, 608);
  moves(64, 152);
  moves(512, 38);
}

double Benchmark::percentOfPeak(const Record &record, double seconds) const {
  for (size_t i = 0; i < pools.size(); ++i)
    if (options.threads[i] == record.threads)
      return 100 * record.operations / seconds * 1e-9 / peaks[i];
  return 0;
}

void Benchmark::print() const {
  std::printf("target %s; multiply-add peak:", targetName(options.target));
  for (size_t i = 0; i < pools.size(); ++i)
    std::printf(" %.1f GFLOP/s on %d thread(s)%s", peaks[i], options.threads[i],
                i + 1 < pools.size() ? "," : "\n");
  std::printf("median of all repetitions, each beside the peak measured behind "
              "it, and the best\n");
  std::printf("%-24s %-20s %7s %10s %10s %9s %9s %9s %11s %9s\n", "shape",
              "kernel", "threads", "us", "GFLOP/s", "% of peak", "best", "GB/s",
              "% of copy", "best");
  for (const Record &r : records) {
    const double median = r.medianSeconds;
    std::printf("%-24s %-20s %7d %10.1f ", r.shape.c_str(), r.kernel.c_str(),
                r.threads, median * 1e6);
    if (r.operations > 0)
      std::printf("%10.1f %9.1f %9.1f ", r.operations / median * 1e-9,
                  r.pairedPercentOfPeak, percentOfPeak(r, r.bestSeconds));
    else
      std::printf("%10s %9s %9s ", "-", "-", "-");
    if (r.bytes > 0)
      std::printf("%9.1f %11.1f %9.1f\n", r.bytes / median * 1e-9,
                  percentOfStream(r, median),
                  percentOfStream(r, r.bestSeconds));
    else
      std::printf("%9s %11s %9s\n", "-", "-", "-");
  }
}

bool Benchmark::writeJson() const {
  std::FILE *file = std::fopen(options.json.c_str(), "w");
  if (!file)
    return false;
  std::fprintf(file, "{\"target\": \"%s\", \"peaks\": [",
               targetName(options.target));
  for (size_t i = 0; i < pools.size(); ++i)
    std::fprintf(file, "%s{\"threads\": %d, \"gflops\": %.2f}", i ? ", " : "",
                 options.threads[i], peaks[i]);
  std::fprintf(file, "],\n \"records\": [\n");
  for (size_t i = 0; i < records.size(); ++i) {
    const Record &r = records[i];
    std::fprintf(
        file,
        "  {\"shape\": \"%s\", \"kernel\": \"%s\", \"target\": \"%s\", "
        "\"threads\": %d, \"median_us\": %.2f, \"best_us\": %.2f, "
        "\"gflops\": %.2f, \"percent_of_peak\": %.2f, "
        "\"best_percent_of_peak\": %.2f, \"gigabytes_per_second\": %.2f, "
        "\"copy_gigabytes_per_second\": %.2f, \"percent_of_copy\": %.2f, "
        "\"best_percent_of_copy\": %.2f}%s\n",
        r.shape.c_str(), r.kernel.c_str(), targetName(options.target),
        r.threads, r.medianSeconds * 1e6, r.bestSeconds * 1e6,
        r.operations / r.medianSeconds * 1e-9, r.pairedPercentOfPeak,
        percentOfPeak(r, r.bestSeconds), r.bytes / r.medianSeconds * 1e-9,
        r.bytes > 0 ? r.bytes / r.streamSeconds * 1e-9 : 0.0,
        percentOfStream(r, r.medianSeconds), percentOfStream(r, r.bestSeconds),
        i + 1 < records.size() ? "," : "");
  }
  std::fprintf(file, " ]}\n");
  return std::fclose(file) == 0;
}

[[noreturn]] void wrongUsage(const char *argument) {
  std::fprintf(stderr, "error: cannot use '%s'\n%s", argument, kUsage);
  std::exit(2);
}

/// "1,2" into {1, 2}; empty where it is no such list.
std::vector<int> parseThreads(const char *text) {
  std::vector<int> threads;
  for (char *end = nullptr;; text = end + 1) {
    const long value = std::strtol(text, &end, 10);
    if (end == text || value < 1 || value > 256 ||
        (*end != ',' && *end != '\0'))
      return {};
    threads.push_back(int(value));
    if (*end == '\0')
      return threads;
  }
}

Options parseOptions(int argc, char **argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const char *argument = argv[i];
    const char *value = std::strchr(argument, '=');
    const std::string name =
        value ? std::string(argument, size_t(value - argument)) : argument;
    if (name == "--help") {
      std::fputs(kUsage, stdout);
      std::exit(0);
    }
    if (!value || value[1] == '\0')
      wrongUsage(argument);
    ++value;
    if (name == "--target") {
      if (!parseTarget(value, &options.target))
        wrongUsage(argument);
    } else if (name == "--threads") {
      options.threads = parseThreads(value);
      if (options.threads.empty())
        wrongUsage(argument);
    } else if (name == "--filter") {
      options.filter = value;
    } else if (name == "--json") {
      options.json = value;
    } else if (name == "--clock") {
      if (std::strcmp(value, "cpu") == 0)
        benchmarkClock = CLOCK_THREAD_CPUTIME_ID;
      else if (std::strcmp(value, "wall") != 0)
        wrongUsage(argument);
    } else if (name == "--seconds") {
      char *end = nullptr;
      options.seconds = std::strtod(value, &end);
      if (*end != '\0' || !(options.seconds >= 0))
        wrongUsage(argument);
    } else {
      wrongUsage(argument);
    }
  }
  if (benchmarkClock != CLOCK_MONOTONIC &&
      options.threads != std::vector<int>{1})
    wrongUsage("--clock=cpu with several threads");
  return options;
}

} // namespace

int main(int argc, char **argv) {
  const Options options = parseOptions(argc, argv);
  if (options.target > hostTarget() || !kernelTable(options.target)) {
    std::fprintf(stderr,
                 "error: this machine or build lacks %s; use --target=%s\n",
                 targetName(options.target), targetName(hostTarget()));
    return 1;
  }
  Benchmark benchmark(options);
  benchmark.runAll();
  benchmark.print();
  if (!options.json.empty() && !benchmark.writeJson()) {
    std::fprintf(stderr, "error: cannot write '%s'\n", options.json.c_str());
    return 1;
  }
  return 0;
}
