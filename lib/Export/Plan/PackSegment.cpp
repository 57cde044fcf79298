// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Packing of a program's segments.
#include "PackSegment.h"

#include "snug/Dialect/Snug/SnugConstants.h"

#include <algorithm>
#include <vector>

using namespace mlir;

namespace snug {

/// A matrix is packed in pieces of so many columns: whole panels of every
/// target, so that the pieces are what the whole would be.
static constexpr int64_t kPieceColumns = 128;

/// Turns [N, C, H, W] into [N, H, W, C].
static void packChannelsLast(ArrayRef<int64_t> shape, const float *from,
                             float *to) {
  const int64_t pixels = shape[2] * shape[3];
  for (int64_t n = 0; n < shape[0]; ++n, from += shape[1] * pixels)
    for (int64_t pixel = 0; pixel < pixels; ++pixel)
      for (int64_t c = 0; c < shape[1]; ++c)
        *to++ = from[c * pixels + pixel];
}

LogicalResult packSegment(plan::SegmentOp segment, runtime::Target target,
                          llvm::function_ref<void(ArrayRef<float>)> write) {
  std::optional<cnn::ConstantValues> values =
      cnn::getConstantValues(segment.getValue());
  if (!values)
    return segment.emitError("segment has no values: the module was printed "
                             "without its weights");
  // A splat stands for all its elements; the catalogue wants them all.
  std::vector<float> repeated;
  const float *data = values->getStored().data();
  if (values->isSplat()) {
    repeated.assign(values->size(), (*values)[0]);
    data = repeated.data();
  }
  ArrayRef<int64_t> shape =
      cast<ShapedType>(segment.getValue().getType()).getShape();
  int64_t expected = 0;
  std::vector<float> packed;
  // Only a size that the catalogue confirms is worth memory.
  auto isConfirmed = [&](int64_t bytes) {
    expected = bytes;
    return expected == segment.getBytes();
  };
  auto allocate = [&](int64_t bytes) {
    packed.assign(bytes / sizeof(float), 0.0f);
    return packed.data();
  };
  switch (segment.getPacking()) {
  case plan::Packing::Convolution: {
    runtime::WindowShape window;
    window.groups = static_cast<int32_t>(segment.getConvolutionGroups());
    window.outputChannels = shape[0];
    window.inputChannels = shape[1] * window.groups;
    window.kernelHeight = shape[2];
    window.kernelWidth = shape[3];
    if (!isConfirmed(runtime::packedConvolutionBytes(target, window)))
      break;
    runtime::packConvolution(target, window, data, allocate(expected));
    write(packed);
    break;
  }
  case plan::Packing::Gemm:
  case plan::Packing::TransposedGemm: {
    bool transposed = segment.getPacking() == plan::Packing::TransposedGemm;
    int64_t inputs = shape[transposed ? 1 : 0];
    int64_t outputs = shape[transposed ? 0 : 1];
    int64_t inputStride = transposed ? 1 : outputs;
    int64_t outputStride = transposed ? inputs : 1;
    if (!isConfirmed(runtime::packedGemmBytes(target, inputs, outputs)))
      break;
    for (int64_t first = 0; first < outputs; first += kPieceColumns) {
      int64_t columns = std::min(kPieceColumns, outputs - first);
      runtime::packGemm(
          target, inputs, columns, data + first * outputStride, inputStride,
          outputStride,
          allocate(runtime::packedGemmBytes(target, inputs, columns)));
      write(packed);
    }
    break;
  }
  case plan::Packing::Bias:
    if (!isConfirmed(runtime::packedBiasBytes(shape[0])))
      break;
    runtime::packBias(shape[0], data, allocate(expected));
    write(packed);
    break;
  case plan::Packing::TransposedConvolution: {
    runtime::WindowShape window;
    window.groups = static_cast<int32_t>(segment.getConvolutionGroups());
    window.inputChannels = shape[0];
    window.outputChannels = shape[1] * window.groups;
    window.kernelHeight = shape[2];
    window.kernelWidth = shape[3];
    ArrayRef<int64_t> strides = segment.getStrides();
    ArrayRef<int64_t> dilations = segment.getDilations();
    window.strideHeight = strides[0];
    window.strideWidth = strides[1];
    window.dilationHeight = dilations[0];
    window.dilationWidth = dilations[1];
    if (!isConfirmed(runtime::packedTransposedConvolutionBytes(target, window)))
      break;
    runtime::packTransposedConvolution(target, window, data,
                                       allocate(expected));
    write(packed);
    break;
  }
  case plan::Packing::Constant:
    if (isConfirmed(values->size() * sizeof(float)))
      write(ArrayRef(data, values->size()));
    break;
  case plan::Packing::ChannelsLastConstant:
    if (!isConfirmed(values->size() * sizeof(float)))
      break;
    packChannelsLast(shape, data, allocate(expected));
    write(packed);
    break;
  }
  if (expected != segment.getBytes())
    return segment.emitError("segment has ")
           << segment.getBytes()
           << " bytes, the kernel catalogue packs it into " << expected
           << " for target " << runtime::targetName(target);
  return success();
}

} // namespace snug
