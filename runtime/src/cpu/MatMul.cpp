// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Products of matrices that are both computed at run time.
//
// Some columns of the right matrix at a time are packed on the stack as the
// weights of a 1x1 convolution, whose pixels are the rows of the left one: so
// many steps of the reduction that they stay in the first cache. Partial sums
// wait in the output. Left or output matrices whose rows are not contiguous go
// by way of the stack as well.
//
// Numerics: contracted multiply-adds in an order that depends on the shapes
// only; the error is bounded as for convolutions (Convolution.cpp).
#include "Strided.h"
#include "Transpose.h"

namespace snug {
namespace runtime {
namespace SNUG_KERNEL_NAMESPACE {
namespace {

/// Steps of the reduction whose weights are packed at once.
constexpr int64_t kSteps = 256;
/// Rows of the left matrix that share a packed panel in a piece of work.
constexpr int64_t kRows = 256;
/// Rows that go by way of the stack at once.
constexpr int64_t kStackRows = 16;

struct Matrix {
  float *data;
  int64_t rowStep, columnStep;

  float *at(int64_t row, int64_t column) const {
    return data + row * rowStep + column * columnStep;
  }
};

Matrix matrixOf(const TensorView &view, int64_t index) {
  return {view.data + (view.batch == 1 ? 0 : index * view.batchStride),
          view.rowStride, view.pixelStride};
}

/// `steps` rows of kPanel columns, filled up with zeros.
void packPanel(const Matrix &right, int64_t steps, int64_t columns,
               float *packed) {
  if (right.rowStep == 1 && right.columnStep != 1 && columns == kPanel) {
    transpose(right.data, right.columnStep, packed, kPanel, columns, steps);
    return;
  }
  for (int64_t k = 0; k < steps; ++k, packed += kPanel) {
    const float *from = right.at(k, 0);
    for (int64_t n = 0; n < columns; ++n)
      packed[n] = from[n * right.columnStep];
    for (int64_t n = columns; n < kPanel; ++n)
      packed[n] = 0.0f;
  }
}

/// Rows as the pixels of one picture.
TensorView rowsOf(float *data, int64_t rows, int64_t rowStep,
                  int64_t channels) {
  TensorView view;
  view.data = data;
  view.height = 1;
  view.width = static_cast<int32_t>(rows);
  view.channels = static_cast<int32_t>(channels);
  view.pixelStride = rowStep;
  view.rowStride = view.batchStride = rows * rowStep;
  return view;
}

/// output [rows, columns] = or += left [rows, steps] times a packed panel.
void multiply(const Matrix &left, const float *packed, const Matrix &output,
              int64_t rows, int64_t steps, int64_t columns, bool add) {
  const bool leftDense = left.columnStep == 1 || steps == 1;
  const bool outputDense = output.columnStep == 1 || columns == 1;
  if (leftDense && outputDense) {
    const TensorView to = rowsOf(output.data, rows, output.rowStep, columns);
    Epilogue epilogue;
    epilogue.residual = add ? &to : nullptr;
    multiplyRows(rowsOf(left.data, rows, left.rowStep, steps), packed, epilogue,
                 to);
    return;
  }
  alignas(64) float leftRows[kStackRows * kSteps];
  alignas(64) float outputRows[kStackRows * kPanel];
  for (int64_t row = 0; row < rows; row += kStackRows) {
    const int64_t some = minimum(kStackRows, rows - row);
    const TensorView to = rowsOf(outputRows, some, kPanel, columns);
    for (int64_t r = 0; r < some; ++r) {
      gatherRun(left.at(row + r, 0), left.columnStep, leftRows + r * steps,
                steps);
      if (add)
        gatherRun(output.at(row + r, 0), output.columnStep,
                  outputRows + r * kPanel, columns);
    }
    Epilogue epilogue;
    epilogue.residual = add ? &to : nullptr;
    multiplyRows(rowsOf(leftRows, some, steps, steps), packed, epilogue, to);
    for (int64_t r = 0; r < some; ++r)
      scatterRun(outputRows + r * kPanel, output.at(row + r, 0),
                 output.columnStep, columns);
  }
}

} // namespace

uint64_t matMul(const TensorView &left, const TensorView &right,
                const TensorView &output, ThreadPool &pool) {
  const int64_t rows = output.height, columns = output.width;
  const int64_t depth = left.width;
  const int64_t panels = ceilDivide(columns, kPanel);
  const int64_t rowBlocks = ceilDivide(rows, kRows);
  const int64_t pieceMacs = minimum(rows, kRows) * kPanel * depth;
  parallelPieces(pool, output.batch * rowBlocks * panels,
                 maximum<int64_t>(1, 64 * kGrainElements / pieceMacs),
                 [&](int64_t begin, int64_t end) {
                   alignas(64) float packed[kSteps * kPanel];
                   for (int64_t index = begin; index < end; ++index) {
                     const int64_t column = index % panels * kPanel;
                     const int64_t row = index / panels % rowBlocks * kRows;
                     const int64_t image = index / panels / rowBlocks;
                     const int64_t someRows = minimum(kRows, rows - row);
                     const int64_t someColumns =
                         minimum<int64_t>(kPanel, columns - column);
                     const Matrix a = matrixOf(left, image),
                                  b = matrixOf(right, image),
                                  c = matrixOf(output, image);
                     for (int64_t k = 0; k < depth; k += kSteps) {
                       const int64_t steps = minimum(kSteps, depth - k);
                       packPanel({b.at(k, column), b.rowStep, b.columnStep},
                                 steps, someColumns, packed);
                       multiply({a.at(row, k), a.rowStep, a.columnStep}, packed,
                                {c.at(row, column), c.rowStep, c.columnStep},
                                someRows, steps, someColumns, k > 0);
                     }
                   }
                 });
  return uint64_t(output.batch) * uint64_t(rows) * uint64_t(columns) *
         uint64_t(depth);
}

} // namespace SNUG_KERNEL_NAMESPACE
} // namespace runtime
} // namespace snug
