// RUN: snug-opt %s --split-input-file --verify-diagnostics

snug_plan.program @p target "avx2" threads 1 {
  // expected-error @below {{holds a static float32 tensor, got 'tensor<4xf64>'}}
  snug_plan.segment @b packing bias bytes 64 = dense<1.0> : tensor<4xf64>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  // expected-error @below {{offset must not be negative}}
  %0 = "snug_plan.buffer"() <{role = 2 : i32, offset = -64 : i64}> : () -> !snug_plan.buffer<1x8x8x4, channels_last>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  // expected-error @below {{shape has a bad extent 0}}
  %0 = snug_plan.buffer input "x" shape [1, 0, 8, 8] : !snug_plan.buffer<1x8x8x4, planar>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %1 = snug_plan.buffer activation : !snug_plan.buffer<2x4x4x4, channels_last>
  %2 = snug_plan.view %0[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  %3 = snug_plan.view %1[0, 0] : <2x4x4x4, channels_last> -> <2x4x4x4, channels_last>
  // expected-error @below {{changes the batch}}
  snug_plan.pool max %2 to %3 kernel [2, 2] strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] : <1x8x8x4, channels_last> to <2x4x4x4, channels_last>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %1 = snug_plan.buffer activation : !snug_plan.buffer<1x4x4x8, channels_last>
  %2 = snug_plan.view %0[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  %3 = snug_plan.view %1[0, 0] : <1x4x4x8, channels_last> -> <1x4x4x8, channels_last>
  // expected-error @below {{changes the channels}}
  snug_plan.pool max %2 to %3 kernel [2, 2] strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] : <1x8x8x4, channels_last> to <1x4x4x8, channels_last>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %1 = snug_plan.buffer activation : !snug_plan.buffer<1x1x2x4, channels_last>
  %2 = snug_plan.view %0[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  %3 = snug_plan.view %1[0, 0] : <1x1x2x4, channels_last> -> <1x1x2x4, channels_last>
  // expected-error @below {{gives one value per batch and channel}}
  snug_plan.reduce mean %2 to %3 : <1x8x8x4, channels_last> to <1x1x2x4, channels_last>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  snug_plan.segment @w packing convolution bytes 576 groups 3 = dense<1.0> : tensor<4x1x1x1xf32>
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %1 = snug_plan.view %0[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  // expected-error @below {{groups must divide both channel counts, got 3}}
  snug_plan.convolution %1 to %1 weights @w kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] groups 3 : <1x8x8x4, channels_last> to <1x8x8x4, channels_last>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  snug_plan.segment @w packing transposed_convolution bytes 576 groups 3 = dense<1.0> : tensor<4x1x1x1xf32>
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %v0 = snug_plan.view %0[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  // expected-error @below {{groups must divide both channel counts, got 3}}
  snug_plan.transposed_convolution %v0 to %v0 weights @w kernel [1, 1] strides [1, 1] dilations [1, 1] offsets [0, 0] groups 3 : <1x8x8x4, channels_last> to <1x8x8x4, channels_last>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  snug_plan.segment @w packing transposed_convolution bytes 576 = dense<1.0> : tensor<4x4x2x1xf32>
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %v0 = snug_plan.view %0[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  // expected-error @below {{contradicts the shape of its weights}}
  snug_plan.transposed_convolution %v0 to %v0 weights @w kernel [1, 1] strides [1, 1] dilations [1, 1] offsets [0, 0] : <1x8x8x4, channels_last> to <1x8x8x4, channels_last>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %v0 = snug_plan.view %0[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  // expected-error @below {{needs kernel, strides and dilations of two positive values and two offsets}}
  snug_plan.transposed_convolution %v0 to %v0 weights @w kernel [1, 1] strides [1, 1] dilations [1, 1] offsets [0] : <1x8x8x4, channels_last> to <1x8x8x4, channels_last>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %v0 = snug_plan.view %0[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  // expected-error @below {{counts more padding below or right than there is}}
  snug_plan.pool average %v0 to %v0 kernel [2, 2] strides [1, 1] dilations [1, 1] pads [1, 0, 0, 1] counted [1, 0] : <1x8x8x4, channels_last> to <1x8x8x4, channels_last>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %v0 = snug_plan.view %0[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  // expected-error @below {{takes two views, or a view and a constant}}
  snug_plan.binary add left %v0 : !snug_plan.view<1x8x8x4, channels_last> to %v0 : <1x8x8x4, channels_last>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %v0 = snug_plan.view %0[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  %1 = snug_plan.buffer activation : !snug_plan.buffer<1x4x4x4, channels_last>
  %v1 = snug_plan.view %1[0, 0] : <1x4x4x4, channels_last> -> <1x4x4x4, channels_last>
  // expected-error @below {{each extent of an operand is the output's or one}}
  snug_plan.binary add left %v0 : !snug_plan.view<1x8x8x4, channels_last> right %v1 : !snug_plan.view<1x4x4x4, channels_last> to %v0 : <1x8x8x4, channels_last>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  snug_plan.segment @c packing constant bytes 64 = dense<1.0> : tensor<4x1x1xf32>
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %v0 = snug_plan.view %0[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  // expected-error @below {{reads beyond the 4 elements of its constant}}
  snug_plan.binary mul left %v0 : !snug_plan.view<1x8x8x4, channels_last> constant @c begin 1 extents [1, 1, 1, 4] strides [0, 0, 0, 1] to %v0 : <1x8x8x4, channels_last>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  snug_plan.segment @c packing constant bytes 64 = dense<1.0> : tensor<4x1x1xf32>
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %v0 = snug_plan.view %0[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  // expected-error @below {{needs a place, four extents and four strides of its constant, none of them negative}}
  snug_plan.binary mul left %v0 : !snug_plan.view<1x8x8x4, channels_last> constant @c begin 0 extents [1, 1, 1, 4] strides [0, 0, 0, -1] to %v0 : <1x8x8x4, channels_last>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  snug_plan.segment @c packing bias bytes 64 = dense<1.0> : tensor<4xf32>
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %v0 = snug_plan.view %0[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  // expected-error @below {{names no segment of the right packing: @c}}
  snug_plan.binary mul left %v0 : !snug_plan.view<1x8x8x4, channels_last> constant @c begin 0 extents [1, 1, 1, 4] strides [0, 0, 0, 1] to %v0 : <1x8x8x4, channels_last>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %v0 = snug_plan.view %0[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  %1 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x3, channels_last>
  %v1 = snug_plan.view %1[0, 0] : <1x8x8x3, channels_last> -> <1x8x8x3, channels_last>
  // expected-error @below {{changes the batch or the channels}}
  snug_plan.resize nearest %v0 to %v1 scale [1.0, 1.0] shift [0.0, 0.0] of [8, 8] from [0, 0] at [0, 0] : <1x8x8x4, channels_last> to <1x8x8x3, channels_last>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %v0 = snug_plan.view %0[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  // expected-error @below {{has a view that reaches beyond its input}}
  snug_plan.resize nearest %v0 to %v0 scale [1.0, 1.0] shift [0.0, 0.0] of [8, 8] from [1, 0] at [0, 0] : <1x8x8x4, channels_last> to <1x8x8x4, channels_last>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %v0 = snug_plan.view %0[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  // expected-error @below {{needs a finite scale and shift, extents and places for rows and for columns}}
  snug_plan.resize nearest %v0 to %v0 scale [1.0] shift [0.0, 0.0] of [8, 8] from [1, 0] at [0, 0] : <1x8x8x4, channels_last> to <1x8x8x4, channels_last>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %v0 = snug_plan.view %0[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  %1 = snug_plan.buffer activation : !snug_plan.buffer<1x4x4x4, channels_last>
  %v1 = snug_plan.view %1[0, 0] : <1x4x4x4, channels_last> -> <1x4x4x4, channels_last>
  // expected-error @below {{to other extents than those of}}
  snug_plan.pad constant %v1 to %v0 pads [2, 2, 2, 2, 1, 0] : <1x4x4x4, channels_last> to <1x8x8x4, channels_last>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %v0 = snug_plan.view %0[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  %1 = snug_plan.buffer activation : !snug_plan.buffer<1x4x4x4, channels_last>
  %v1 = snug_plan.view %1[0, 0] : <1x4x4x4, channels_last> -> <1x4x4x4, channels_last>
  // expected-error @below {{needs pads of six values that are not negative}}
  snug_plan.pad constant %v1 to %v0 pads [2, 2, 2, 2] : <1x4x4x4, channels_last> to <1x8x8x4, channels_last>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %v0 = snug_plan.view %0[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  // expected-error @below {{reaches outside its buffers}}
  snug_plan.rearrange %v0 to %v0 extents [256] input 0 [1] output 1 [1] : <1x8x8x4, channels_last> to <1x8x8x4, channels_last>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %v0 = snug_plan.view %0[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  // expected-error @below {{reaches outside its buffers}}
  snug_plan.rearrange %v0 to %v0 extents [3] input 1 [-1] output 0 [1] : <1x8x8x4, channels_last> to <1x8x8x4, channels_last>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %v0 = snug_plan.view %0[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  // expected-error @below {{reaches outside its buffers}}
  snug_plan.rearrange %v0 to %v0 extents [3] input 1 [4611686018427387904] output 0 [1] : <1x8x8x4, channels_last> to <1x8x8x4, channels_last>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %v0 = snug_plan.view %0[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  // expected-error @below {{needs one to eight positive extents with an input and an output stride each}}
  snug_plan.rearrange %v0 to %v0 extents [3] input 1 [0] output 0 [1, 2] : <1x8x8x4, channels_last> to <1x8x8x4, channels_last>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %1 = snug_plan.view %0[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  %2 = snug_plan.view %0[0, 0] : <1x8x8x4, channels_last> -> <1x4x8x4, channels_last>
  // expected-error @below {{takes views of whole buffers}}
  snug_plan.rearrange %1 to %2 extents [1] input 0 [1] output 0 [1] : <1x8x8x4, channels_last> to <1x4x8x4, channels_last>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %v0 = snug_plan.view %0[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  // expected-error @below {{needs at least one channel around each}}
  snug_plan.lrn %v0 to %v0 size 0 alpha 1.0 beta 0.75 bias 1.0 : <1x8x8x4, channels_last> to <1x8x8x4, channels_last>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x4x1, channels_last>
  %v0 = snug_plan.view %0[0, 0] : <1x8x4x1, channels_last> -> <1x8x4x1, channels_last>
  // expected-error @below {{cannot multiply}}
  snug_plan.matmul %v0, %v0 to %v0 : <1x8x4x1, channels_last>, <1x8x4x1, channels_last> to <1x8x4x1, channels_last>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %v0 = snug_plan.view %0[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  // expected-error @below {{takes rows of channels and gives as many}}
  snug_plan.gemm %v0 to %v0 weights @w : <1x8x8x4, channels_last> to <1x8x8x4, channels_last>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  snug_plan.segment @w packing transposed_convolution bytes 576 strides [2, 2] = dense<1.0> : tensor<4x4x1x1xf32>
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %1 = snug_plan.view %0[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  // expected-error @below {{has other strides or dilations than its weights are packed for}}
  snug_plan.transposed_convolution %1 to %1 weights @w kernel [1, 1] strides [1, 1] dilations [1, 1] offsets [0, 0] : <1x8x8x4, channels_last> to <1x8x8x4, channels_last>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  snug_plan.segment @w packing convolution bytes 1152 = dense<1.0> : tensor<4x4x3x3xf32>
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %1 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %2 = snug_plan.buffer workspace : !snug_plan.workspace<4096>
  %3 = snug_plan.view %0[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  %4 = snug_plan.view %1[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  // expected-error @below {{winograd needs a workspace}}
  snug_plan.convolution %3 to %4 weights @w kernel [3, 3] strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] winograd : <1x8x8x4, channels_last> to <1x8x8x4, channels_last>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  snug_plan.segment @w packing convolution bytes 1152 = dense<1.0> : tensor<4x4x3x3xf32>
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %1 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %2 = snug_plan.buffer workspace : !snug_plan.workspace<4096>
  %3 = snug_plan.view %0[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  %4 = snug_plan.view %1[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  // expected-error @below {{winograd is for windows of 3x3 without strides, dilations and groups}}
  snug_plan.convolution %3 to %4 workspace %2 : !snug_plan.workspace<4096> weights @w kernel [3, 3] strides [1, 1] dilations [2, 2] pads [2, 2, 2, 2] winograd : <1x8x8x4, channels_last> to <1x8x8x4, channels_last>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  snug_plan.segment @w packing convolution bytes 384 = dense<1.0> : tensor<4x4x1x3xf32>
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %1 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %2 = snug_plan.buffer workspace : !snug_plan.workspace<4096>
  %3 = snug_plan.view %0[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  %4 = snug_plan.view %1[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  // expected-error @below {{winograd is for windows of 3x3 without strides, dilations and groups}}
  snug_plan.convolution %3 to %4 workspace %2 : !snug_plan.workspace<4096> weights @w kernel [1, 3] strides [1, 1] dilations [1, 1] pads [0, 1, 0, 1] winograd : <1x8x8x4, channels_last> to <1x8x8x4, channels_last>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  snug_plan.segment @w packing convolution bytes 576 groups 2 = dense<1.0> : tensor<4x2x3x3xf32>
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %1 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %2 = snug_plan.buffer workspace : !snug_plan.workspace<4096>
  %3 = snug_plan.view %0[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  %4 = snug_plan.view %1[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  // expected-error @below {{winograd is for windows of 3x3 without strides, dilations and groups}}
  snug_plan.convolution %3 to %4 workspace %2 : !snug_plan.workspace<4096> weights @w kernel [3, 3] strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] groups 2 winograd : <1x8x8x4, channels_last> to <1x8x8x4, channels_last>
}
