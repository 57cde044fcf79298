// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Builds plan files in memory, good ones and bad ones, for tests.
#ifndef SNUG_RUNTIME_CONFORMANCE_PLANBUILDER_H
#define SNUG_RUNTIME_CONFORMANCE_PLANBUILDER_H

#include "snug/runtime/Catalogue.h"
#include "snug/runtime/plan_generated.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace snug {
namespace testing {

/// A file's bytes at a page-aligned address, as snug_plan_load_memory wants.
class PlanImage {
public:
  PlanImage() = default;
  explicit PlanImage(const std::vector<unsigned char> &bytes);
  PlanImage(PlanImage &&other) noexcept;
  PlanImage &operator=(PlanImage &&other) noexcept;
  ~PlanImage();

  unsigned char *data() const { return memory; }
  size_t size() const { return length; }
  /// Where the program and the weights begin.
  size_t programBytes() const;
  size_t weightsOffset() const;
  /// Writes the checksum that the bytes should have: a hostile file can.
  void seal();
  void write(const std::string &path) const;

private:
  unsigned char *memory = nullptr;
  size_t length = 0;
};

/// Header, program, padding and weights; sealed.
PlanImage packPlan(const schema::ProgramT &program,
                   const std::vector<unsigned char> &weights);

/// Geometry of a window; equal pads on all sides unless changed.
schema::Window window(int kernel, int stride, int pad, int dilation = 1);

/// A table's own copy of a view.
std::unique_ptr<schema::View> copied(const schema::View &view);

/// Collects buffers, segments and instructions of one plan.
class PlanBuilder {
public:
  PlanBuilder(runtime::Target target, int threads);

  schema::ProgramT program;
  std::vector<unsigned char> weights;

  /// A new buffer in the arena; bytes from its start.
  uint64_t allocate(uint64_t bytes);
  /// Views of a new dense buffer.
  schema::View channelsLast(int n, int h, int w, int c);
  schema::View channelsFirst(int n, int h, int w, int c);

  void input(const std::string &name, const schema::View &view);
  void output(const std::string &name, const schema::View &view);

  void move(const std::string &name, const schema::View &in,
            const schema::View &out);
  /// `weights` is OIHW; an empty bias is none. Takes workspace as needed.
  schema::ConvolutionT &
  convolution(const std::string &name, const schema::View &in,
              const schema::View &out, const schema::Window &window, int groups,
              const std::vector<float> &weights, const std::vector<float> &bias,
              schema::Activation activation = schema::Activation::None,
              const schema::View *residual = nullptr);
  /// Lets a convolution run by Winograd's kernel, in workspace of its own.
  void runByWinograd(schema::ConvolutionT &kernel);
  void pool(const std::string &name, const schema::View &in,
            const schema::View &out, const schema::Window &window,
            schema::PoolKind kind);
  void reduce(const std::string &name, const schema::View &in,
              const schema::View &out, schema::ReduceKind kind);
  /// `weights` is [inputs][outputs].
  void gemm(const std::string &name, const schema::View &in,
            const schema::View &out, const std::vector<float> &weights,
            const std::vector<float> &bias);
  schema::UnaryT &unary(const std::string &name, const schema::View &in,
                        const schema::View &out, schema::Activation activation);
  schema::BinaryT &binary(const std::string &name, const schema::View &left,
                          const schema::View &right, const schema::View &out,
                          schema::BinaryKind kind);
  /// `filter` is [inputs][outputs / groups][rows][columns]; offsets are 0.
  schema::TransposedConvolutionT &
  transposedConvolution(const std::string &name, const schema::View &in,
                        const schema::View &out, const schema::Window &window,
                        int groups, const std::vector<float> &filter,
                        const std::vector<float> &bias);
  /// A segment of these values, as binary kernels read them.
  int32_t constant(const std::string &name, const std::vector<float> &values);
  /// Any other kernel, filled in by the caller.
  template <typename KernelT>
  KernelT &append(const std::string &name, KernelT kernel) {
    std::unique_ptr<schema::InstructionT> instruction(new schema::InstructionT);
    instruction->name = name;
    instruction->group = -1;
    instruction->tile = -1;
    instruction->kernel.Set(std::move(kernel));
    program.instructions.push_back(std::move(instruction));
    return *static_cast<KernelT *>(program.instructions.back()->kernel.value);
  }
  void softmax(const std::string &name, const schema::View &in,
               const schema::View &out);

  /// Completes arena and weights figures and packs the plan.
  PlanImage build();

private:
  runtime::Target target;
  uint64_t arenaEnd = 0;

  uint32_t segment(const std::string &name, int64_t bytes);
  int32_t biasSegment(const std::string &name, const std::vector<float> &bias);
  void bind(std::vector<std::unique_ptr<schema::TensorBindingT>> &bindings,
            const std::string &name, const schema::View &view);
};

/// A plan's program to edit and pack again, and its weights.
std::unique_ptr<schema::ProgramT> unpackProgram(const PlanImage &image);
std::vector<unsigned char> weightsOf(const PlanImage &image);

/// The same plan with every segment on pages of its own, and weights that are
/// streamed: each instruction has those that it reads.
PlanImage streamedPlan(const PlanImage &image);

} // namespace testing
} // namespace snug

#endif // SNUG_RUNTIME_CONFORMANCE_PLANBUILDER_H
