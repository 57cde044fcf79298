// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Builds plan files for tests through FlatBuffers' object interface.

#include "PlanBuilder.h"

#include "snug/runtime/PlanFormat.h"

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <set>
#include <utility>

namespace snug {
namespace testing {

using runtime::kBufferAlignment;
using runtime::kPageBytes;
using runtime::PlanHeader;

namespace {

uint64_t roundUp(uint64_t value, uint64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

PlanHeader headerOf(const unsigned char *data) {
  PlanHeader header;
  std::memcpy(&header, data, sizeof(header));
  return header;
}

} // namespace

PlanImage::PlanImage(const std::vector<unsigned char> &bytes)
    : length(bytes.size()) {
  void *place = nullptr;
  if (posix_memalign(&place, kPageBytes, length ? length : 1) != 0)
    std::abort();
  memory = static_cast<unsigned char *>(place);
  if (length)
    std::memcpy(memory, bytes.data(), length);
}

PlanImage::PlanImage(PlanImage &&other) noexcept { *this = std::move(other); }

PlanImage &PlanImage::operator=(PlanImage &&other) noexcept {
  std::swap(memory, other.memory);
  std::swap(length, other.length);
  return *this;
}

PlanImage::~PlanImage() { std::free(memory); }

size_t PlanImage::programBytes() const {
  return static_cast<size_t>(headerOf(memory).programBytes);
}

size_t PlanImage::weightsOffset() const {
  return static_cast<size_t>(headerOf(memory).weightsOffset);
}

void PlanImage::seal() {
  PlanHeader header = headerOf(memory);
  header.checksum = 0;
  std::memcpy(memory, &header, sizeof(header));
  header.checksum =
      runtime::planChecksum(memory, static_cast<size_t>(header.weightsOffset));
  std::memcpy(memory, &header, sizeof(header));
}

void PlanImage::write(const std::string &path) const {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char *>(memory),
             static_cast<std::streamsize>(length));
}

PlanImage packPlan(const schema::ProgramT &program,
                   const std::vector<unsigned char> &weights) {
  flatbuffers::FlatBufferBuilder builder;
  schema::FinishProgramBuffer(builder,
                              schema::Program::Pack(builder, &program));
  PlanHeader header = {};
  std::memcpy(header.magic, runtime::kPlanMagic, sizeof(header.magic));
  header.version = runtime::kPlanVersion;
  header.headerBytes = sizeof(header);
  header.programOffset = sizeof(header);
  header.programBytes = builder.GetSize();
  header.weightsOffset =
      roundUp(sizeof(header) + header.programBytes, kPageBytes);
  header.weightsBytes = weights.size();
  header.fileBytes = header.weightsOffset + header.weightsBytes;
  std::vector<unsigned char> bytes(header.fileBytes);
  std::memcpy(bytes.data(), &header, sizeof(header));
  std::memcpy(bytes.data() + sizeof(header), builder.GetBufferPointer(),
              builder.GetSize());
  std::copy(weights.begin(), weights.end(),
            bytes.begin() + static_cast<ptrdiff_t>(header.weightsOffset));
  PlanImage image(bytes);
  image.seal();
  return image;
}

schema::Window window(int kernel, int stride, int pad, int dilation) {
  return schema::Window(kernel, kernel, stride, stride, dilation, dilation, pad,
                        pad, pad, pad);
}

PlanBuilder::PlanBuilder(runtime::Target target, int threads) : target(target) {
  program.model = "test";
  program.producer = "conformance suite";
  program.target = static_cast<schema::Target>(target);
  program.threads = threads;
  program.predicted.reset(new schema::PredictionT);
}

uint64_t PlanBuilder::allocate(uint64_t bytes) {
  const uint64_t offset = arenaEnd;
  arenaEnd += roundUp(bytes, kBufferAlignment);
  return offset;
}

schema::View PlanBuilder::channelsLast(int n, int h, int w, int c) {
  const int64_t row = int64_t{w} * c;
  const uint64_t offset =
      allocate(sizeof(float) * static_cast<uint64_t>(n * h * row));
  return schema::View(offset, n, h, w, c, h * row, row, c, 1);
}

schema::View PlanBuilder::channelsFirst(int n, int h, int w, int c) {
  const int64_t plane = int64_t{h} * w;
  const uint64_t offset =
      allocate(sizeof(float) * static_cast<uint64_t>(n * c * plane));
  return schema::View(offset, n, h, w, c, c * plane, w, 1, plane);
}

void PlanBuilder::bind(
    std::vector<std::unique_ptr<schema::TensorBindingT>> &bindings,
    const std::string &name, const schema::View &view) {
  std::unique_ptr<schema::TensorBindingT> binding(new schema::TensorBindingT);
  binding->name = name;
  binding->shape = {view.batch(), view.channels(), view.height(), view.width()};
  binding->offset = view.offset();
  binding->bytes = sizeof(float) * static_cast<uint64_t>(view.batch()) *
                   static_cast<uint64_t>(view.channels()) *
                   static_cast<uint64_t>(view.height()) *
                   static_cast<uint64_t>(view.width());
  bindings.push_back(std::move(binding));
}

void PlanBuilder::input(const std::string &name, const schema::View &view) {
  bind(program.inputs, name, view);
}

void PlanBuilder::output(const std::string &name, const schema::View &view) {
  bind(program.outputs, name, view);
}

uint32_t PlanBuilder::segment(const std::string &name, int64_t bytes) {
  const uint64_t offset = roundUp(weights.size(), kBufferAlignment);
  weights.resize(offset + static_cast<uint64_t>(bytes));
  std::unique_ptr<schema::SegmentT> segment(new schema::SegmentT);
  segment->name = name;
  segment->range.reset(new schema::Range(offset, static_cast<uint64_t>(bytes)));
  program.segments.push_back(std::move(segment));
  return static_cast<uint32_t>(program.segments.size() - 1);
}

/// Packing functions want 64-byte aligned memory, which a vector is not.
template <typename Pack>
static void packAligned(unsigned char *destination, uint64_t bytes, Pack pack) {
  void *place = nullptr;
  if (posix_memalign(&place, kBufferAlignment, bytes ? bytes : 1) != 0)
    std::abort();
  pack(static_cast<float *>(place));
  std::memcpy(destination, place, bytes);
  std::free(place);
}

int32_t PlanBuilder::biasSegment(const std::string &name,
                                 const std::vector<float> &bias) {
  if (bias.empty())
    return -1;
  const int64_t channels = static_cast<int64_t>(bias.size());
  const int64_t bytes = runtime::packedBiasBytes(channels);
  const uint32_t index = segment(name + ".bias", bytes);
  packAligned(weights.data() + program.segments[index]->range->offset(),
              static_cast<uint64_t>(bytes), [&](float *out) {
                runtime::packBias(channels, bias.data(), out);
              });
  return static_cast<int32_t>(index);
}

std::unique_ptr<schema::View> copied(const schema::View &view) {
  return std::unique_ptr<schema::View>(new schema::View(view));
}

void PlanBuilder::move(const std::string &name, const schema::View &in,
                       const schema::View &out) {
  schema::MoveT kernel;
  kernel.input = copied(in);
  kernel.output = copied(out);
  append(name, std::move(kernel));
}

/// The shape of a convolution of these views.
static runtime::WindowShape shapeOf(const schema::View &in,
                                    const schema::View &out,
                                    const schema::Window &window, int groups) {
  runtime::WindowShape shape;
  shape.batch = in.batch();
  shape.inputHeight = in.height();
  shape.inputWidth = in.width();
  shape.inputChannels = in.channels();
  shape.outputHeight = out.height();
  shape.outputWidth = out.width();
  shape.outputChannels = out.channels();
  shape.kernelHeight = window.kernel_height();
  shape.kernelWidth = window.kernel_width();
  shape.strideHeight = window.stride_height();
  shape.strideWidth = window.stride_width();
  shape.dilationHeight = window.dilation_height();
  shape.dilationWidth = window.dilation_width();
  shape.padTop = window.pad_top();
  shape.padLeft = window.pad_left();
  shape.padBottom = window.pad_bottom();
  shape.padRight = window.pad_right();
  shape.groups = groups;
  return shape;
}

schema::ConvolutionT &PlanBuilder::convolution(
    const std::string &name, const schema::View &in, const schema::View &out,
    const schema::Window &window, int groups, const std::vector<float> &oihw,
    const std::vector<float> &bias, schema::Activation activation,
    const schema::View *residual) {
  const runtime::WindowShape shape = shapeOf(in, out, window, groups);
  schema::ConvolutionT kernel;
  kernel.input = copied(in);
  kernel.output = copied(out);
  if (residual)
    kernel.residual = copied(*residual);
  kernel.window.reset(new schema::Window(window));
  kernel.groups = groups;
  const int64_t bytes = runtime::packedConvolutionBytes(target, shape);
  kernel.weights = segment(name + ".weights", bytes);
  packAligned(weights.data() +
                  program.segments[kernel.weights]->range->offset(),
              static_cast<uint64_t>(bytes), [&](float *packed) {
                runtime::packConvolution(target, shape, oihw.data(), packed);
              });
  kernel.bias = biasSegment(name, bias);
  kernel.activation = activation;
  kernel.alpha = 0.1f;
  const int64_t scratch = runtime::workspaceBytes(
      target, runtime::convolutionKernel(shape), shape, program.threads);
  if (scratch > 0)
    kernel.workspace.reset(
        new schema::Range(allocate(static_cast<uint64_t>(scratch)),
                          static_cast<uint64_t>(scratch)));
  return append(name, std::move(kernel));
}

void PlanBuilder::runByWinograd(schema::ConvolutionT &kernel) {
  const uint64_t scratch = static_cast<uint64_t>(runtime::workspaceBytes(
      target, runtime::KernelKind::Winograd,
      shapeOf(*kernel.input, *kernel.output, *kernel.window, kernel.groups),
      program.threads));
  kernel.winograd = true;
  kernel.workspace.reset(new schema::Range(allocate(scratch), scratch));
}

schema::TransposedConvolutionT &PlanBuilder::transposedConvolution(
    const std::string &name, const schema::View &in, const schema::View &out,
    const schema::Window &window, int groups, const std::vector<float> &filter,
    const std::vector<float> &bias) {
  const runtime::WindowShape shape = shapeOf(in, out, window, groups);
  schema::TransposedConvolutionT kernel;
  kernel.input = copied(in);
  kernel.output = copied(out);
  kernel.window.reset(new schema::Window(window));
  kernel.groups = groups;
  const int64_t bytes =
      runtime::packedTransposedConvolutionBytes(target, shape);
  kernel.weights = segment(name + ".weights", bytes);
  packAligned(weights.data() +
                  program.segments[kernel.weights]->range->offset(),
              static_cast<uint64_t>(bytes), [&](float *packed) {
                runtime::packTransposedConvolution(target, shape, filter.data(),
                                                   packed);
              });
  kernel.bias = biasSegment(name, bias);
  return append(name, std::move(kernel));
}

int32_t PlanBuilder::constant(const std::string &name,
                              const std::vector<float> &values) {
  const uint64_t bytes = sizeof(float) * values.size();
  const uint32_t index = segment(name, static_cast<int64_t>(bytes));
  std::memcpy(weights.data() + program.segments[index]->range->offset(),
              values.data(), bytes);
  return static_cast<int32_t>(index);
}

void PlanBuilder::pool(const std::string &name, const schema::View &in,
                       const schema::View &out, const schema::Window &window,
                       schema::PoolKind kind) {
  schema::PoolT kernel;
  kernel.input = copied(in);
  kernel.output = copied(out);
  kernel.window.reset(new schema::Window(window));
  kernel.kind = kind;
  append(name, std::move(kernel));
}

void PlanBuilder::reduce(const std::string &name, const schema::View &in,
                         const schema::View &out, schema::ReduceKind kind) {
  schema::ReduceT kernel;
  kernel.input = copied(in);
  kernel.output = copied(out);
  kernel.kind = kind;
  append(name, std::move(kernel));
}

void PlanBuilder::gemm(const std::string &name, const schema::View &in,
                       const schema::View &out, const std::vector<float> &w,
                       const std::vector<float> &bias) {
  schema::GemmT kernel;
  kernel.input = copied(in);
  kernel.output = copied(out);
  const int64_t k = in.channels(), n = out.channels();
  const int64_t bytes = runtime::packedGemmBytes(target, k, n);
  kernel.weights = segment(name + ".weights", bytes);
  packAligned(weights.data() +
                  program.segments[kernel.weights]->range->offset(),
              static_cast<uint64_t>(bytes), [&](float *packed) {
                runtime::packGemm(target, k, n, w.data(), n, 1, packed);
              });
  kernel.bias = biasSegment(name, bias);
  append(name, std::move(kernel));
}

schema::UnaryT &PlanBuilder::unary(const std::string &name,
                                   const schema::View &in,
                                   const schema::View &out,
                                   schema::Activation activation) {
  schema::UnaryT kernel;
  kernel.input = copied(in);
  kernel.output = copied(out);
  kernel.activation = activation;
  return append(name, std::move(kernel));
}

schema::BinaryT &PlanBuilder::binary(const std::string &name,
                                     const schema::View &left,
                                     const schema::View &right,
                                     const schema::View &out,
                                     schema::BinaryKind kind) {
  schema::BinaryT kernel;
  kernel.kind = kind;
  kernel.left = copied(left);
  kernel.right = copied(right);
  kernel.output = copied(out);
  return append(name, std::move(kernel));
}

void PlanBuilder::softmax(const std::string &name, const schema::View &in,
                          const schema::View &out) {
  schema::SoftmaxT kernel;
  kernel.input = copied(in);
  kernel.output = copied(out);
  append(name, std::move(kernel));
}

PlanImage PlanBuilder::build() {
  program.arena_bytes = roundUp(arenaEnd ? arenaEnd : 1, kPageBytes);
  program.weight_bytes = weights.size();
  return packPlan(program, weights);
}

std::unique_ptr<schema::ProgramT> unpackProgram(const PlanImage &image) {
  return std::unique_ptr<schema::ProgramT>(
      schema::GetProgram(image.data() + sizeof(PlanHeader))->UnPack());
}

std::vector<unsigned char> weightsOf(const PlanImage &image) {
  return std::vector<unsigned char>(image.data() + image.weightsOffset(),
                                    image.data() + image.size());
}

/// Segments that an instruction reads, ascending.
static std::set<uint32_t> segmentsOf(const schema::InstructionT &instruction) {
  std::set<uint32_t> segments;
  const auto add = [&segments](int64_t segment) {
    if (segment >= 0)
      segments.insert(static_cast<uint32_t>(segment));
  };
  const schema::KernelUnion &kernel = instruction.kernel;
  if (const auto *k = kernel.AsConvolution()) {
    add(k->weights);
    add(k->bias);
  } else if (const auto *k = kernel.AsTransposedConvolution()) {
    add(k->weights);
    add(k->bias);
  } else if (const auto *k = kernel.AsGemm()) {
    add(k->weights);
    add(k->bias);
  } else if (const auto *k = kernel.AsBinary()) {
    add(k->left_constant);
    add(k->right_constant);
  }
  return segments;
}

PlanImage streamedPlan(const PlanImage &image) {
  const std::unique_ptr<schema::ProgramT> program = unpackProgram(image);
  const std::vector<unsigned char> dense = weightsOf(image);
  std::vector<unsigned char> paged;
  for (auto &segment : program->segments) {
    const schema::Range range = *segment->range;
    const size_t offset = paged.size();
    segment->range.reset(new schema::Range(offset, range.bytes()));
    const auto begin = dense.begin() + static_cast<ptrdiff_t>(range.offset());
    paged.insert(paged.end(), begin,
                 begin + static_cast<ptrdiff_t>(range.bytes()));
    paged.resize(roundUp(paged.size(), kPageBytes));
  }
  program->weight_bytes = paged.size();
  program->stream_weights = true;
  std::set<uint32_t> last;
  for (uint32_t i = 0; i < program->instructions.size(); ++i) {
    const std::set<uint32_t> segments = segmentsOf(*program->instructions[i]);
    auto &ranges = program->weight_ranges;
    if (!segments.empty() && segments == last)
      for (size_t r = ranges.size() - segments.size(); r < ranges.size(); ++r)
        ranges[r] = schema::WeightRange(ranges[r].begin(), i + 1,
                                        ranges[r].offset(), ranges[r].bytes());
    else
      for (uint32_t segment : segments) {
        const schema::Range &range = *program->segments[segment]->range;
        ranges.emplace_back(i, i + 1, range.offset(),
                            roundUp(range.bytes(), kPageBytes));
      }
    last = segments;
  }
  return packPlan(*program, paged);
}

} // namespace testing
} // namespace snug
