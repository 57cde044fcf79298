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
  %0 = snug_plan.buffer activation : !snug_plan.buffer<2x4x4x4, planar>
  // expected-error @below {{changes the bytes or the batch of its buffer}}
  %1 = snug_plan.reinterpret %0 : <2x4x4x4, planar> -> <1x1x1x128, planar>
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
  snug_plan.global_average_pool %2 to %3 : <1x8x8x4, channels_last> to <1x1x2x4, channels_last>
}

// -----

snug_plan.program @p target "avx2" threads 1 {
  snug_plan.segment @w packing convolution bytes 576 groups 3 = dense<1.0> : tensor<4x1x1x1xf32>
  %0 = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %1 = snug_plan.view %0[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  // expected-error @below {{groups must divide both channel counts, got 3}}
  snug_plan.convolution %1 to %1 weights @w kernel [1, 1] strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] groups 3 : <1x8x8x4, channels_last> to <1x8x8x4, channels_last>
}
