// RUN: snug-opt %s --split-input-file --verify-diagnostics

// expected-error @below {{extents must be positive, got 0}}
func.func private @extents() -> !snug_plan.buffer<1x0x8x4, planar>

// -----

// expected-error @below {{the bytes of 1x4294967296x4294967296x4 elements exceed 64 bits}}
func.func private @bytes() -> !snug_plan.buffer<1x4294967296x4294967296x4, planar>

// -----

// expected-error @below {{expected batch x height x width x channels and a layout, as in <1x8x8x3, planar>}}
func.func private @layout() -> !snug_plan.view<1x8x8x4, tiled>

// -----

// expected-error @below {{a workspace has at least one byte, got 0}}
func.func private @workspace() -> !snug_plan.workspace<0>

// -----

snug_plan.program @p target "avx2" threads 1 {
  // expected-error @below {{packing convolution takes rank 4, got 'tensor<4xf32>'}}
  snug_plan.segment @w packing convolution bytes 64 = dense<1.0> : tensor<4xf32>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  // expected-error @below {{role activation contradicts its type '!snug_plan.workspace<64>'}}
  %0 = snug_plan.buffer activation : !snug_plan.workspace<64>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  // expected-error @below {{an input or output needs its name and shape}}
  %0 = snug_plan.buffer input : !snug_plan.buffer<1x8x8x4, planar>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  // expected-error @below {{shape has 12 elements, its type 256}}
  %0 = snug_plan.buffer input "x" shape [3, 4] : !snug_plan.buffer<1x8x8x4, planar>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  // expected-error @below {{reaches outside its buffer}}
  %1 = snug_plan.view %0[4, 0] : <1x8x8x4, channels_last> -> <1x5x8x4, channels_last>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  // expected-error @below {{takes all batches in the buffer's layout}}
  %1 = snug_plan.view %0[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x2, planar>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  // expected-error @below {{reaches outside its buffer}}
  %1 = snug_plan.view %0[0, 0, 3] : <1x8x8x4, channels_last> -> <1x8x8x2, channels_last>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  // expected-error @below {{changes the bytes of its buffer}}
  %1 = snug_plan.reinterpret %0 : <1x8x8x4, channels_last> -> <1x1x1x257, planar>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  // expected-error @below {{needs strides and dilations of two positive values}}
  snug_plan.segment @w packing transposed_convolution bytes 64 strides [0, 1] = dense<1.0> : tensor<4x4x1x1xf32>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %1 = snug_plan.view %0[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  %2 = snug_plan.view %0[0, 0] : <1x8x8x4, channels_last> -> <1x4x4x4, channels_last>
  // expected-error @below {{needs views of the same extents}}
  snug_plan.move %1 to %2 : <1x8x8x4, channels_last> to <1x4x4x4, channels_last>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %1 = snug_plan.view %0[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  %2 = snug_plan.view %0[0, 0] : <1x8x8x4, channels_last> -> <1x4x5x4, channels_last>
  // expected-error @below {{its window gives 4 columns from 8, its output has 5}}
  snug_plan.pool max %1 to %2 kernel [2, 2] strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] : <1x8x8x4, channels_last> to <1x4x5x4, channels_last>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %1 = snug_plan.view %0[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  // expected-error @below {{needs kernel, strides and dilations of two positive values and pads of four that are not negative}}
  snug_plan.pool max %1 to %1 kernel [1, 1] strides [0, 1] dilations [1, 1] pads [0, 0, 0, 0] : <1x8x8x4, channels_last> to <1x8x8x4, channels_last>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, planar>
  %1 = snug_plan.view %0[0, 0] : <1x8x8x4, planar> -> <1x8x8x4, planar>
  // expected-error @below {{needs channels-last views}}
  snug_plan.unary %1 to %1 activation relu : <1x8x8x4, planar> to <1x8x8x4, planar>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %1 = snug_plan.view %0[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  // expected-error @below {{names no segment of the right packing: @w}}
  snug_plan.convolution %1 to %1 weights @w kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : <1x8x8x4, channels_last> to <1x8x8x4, channels_last>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  snug_plan.segment @w packing convolution bytes 576 = dense<1.0> : tensor<4x1x3x3xf32>
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %1 = snug_plan.view %0[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  // expected-error @below {{contradicts the shape of its weights}}
  snug_plan.convolution %1 to %1 weights @w kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : <1x8x8x4, channels_last> to <1x8x8x4, channels_last>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  snug_plan.segment @w packing convolution bytes 64 = dense<1.0> : tensor<4x4x1x1xf32>
  snug_plan.segment @b packing bias bytes 64 = dense<1.0> : tensor<3xf32>
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %1 = snug_plan.view %0[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  // expected-error @below {{has 4 output channels and a bias of 3}}
  snug_plan.convolution %1 to %1 weights @w bias @b kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : <1x8x8x4, channels_last> to <1x8x8x4, channels_last>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, planar>
  %1 = snug_plan.reinterpret %0 : <1x8x8x4, planar> -> <1x1x1x256, planar>
  // expected-error @below {{takes a buffer of the program}}
  %2 = snug_plan.reinterpret %1 : <1x1x1x256, planar> -> <1x8x8x4, planar>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
^bb0(%0: !snug_plan.buffer<1x8x8x4, planar>):
  // expected-error @below {{takes a buffer of the program, or a reinterpretation of one}}
  %1 = snug_plan.view %0[0, 0] : <1x8x8x4, planar> -> <1x8x8x4, planar>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
^bb0(%0: !snug_plan.view<1x8x8x4, planar>):
  // expected-error @below {{needs views and workspaces of buffers of the program as operands}}
  snug_plan.move %0 to %0 : <1x8x8x4, planar> to <1x8x8x4, planar>
}

// -----

// expected-error @below {{has 257 threads, at most 256 can run}}
snug_plan.program @p target "avx2" threads 257 {
}

// -----

// expected-error @below {{lists a group without names of ops and a schedule: {}}}
snug_plan.program @p target "avx2" threads 1 attributes {groups = [{}]} {
}

// -----

// expected-error @below {{predicts "peak" as no integer}}
snug_plan.program @p target "avx2" threads 1 attributes {predicted = {peak = "low"}} {
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  // expected-error @below {{is no part of a program: only segments, buffers, views and kernels are}}
  snug_plan.program @q target "avx2" threads 1 {
  }
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  // expected-error @below {{needs at least one group, got 0}}
  snug_plan.segment @w packing convolution bytes 64 groups 0 = dense<1.0> : tensor<4x4x1x1xf32>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  // expected-error @below {{an input or output lies in planar order}}
  %0 = snug_plan.buffer input "x" shape [1, 4, 8, 8] : !snug_plan.buffer<1x8x8x4, channels_last>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  snug_plan.segment @w packing convolution bytes 576 groups 4 = dense<1.0> : tensor<4x1x1x1xf32>
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x1, channels_last>
  %1 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %2 = snug_plan.view %0[0, 0] : <1x8x8x1, channels_last> -> <1x8x8x1, channels_last>
  %3 = snug_plan.view %1[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  // expected-error @below {{has 1 groups, its weights are packed for 4}}
  snug_plan.convolution %2 to %3 weights @w kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : <1x8x8x1, channels_last> to <1x8x8x4, channels_last>
}
