// RUN: snug-opt %s | snug-opt | FileCheck %s
// RUN: snug-opt %s --emit-bytecode | snug-opt | FileCheck %s

// Every operation of the dialect, printed and parsed again.
// CHECK-LABEL: snug_plan.program @all target "avx2" threads 2 arena 65536
// CHECK: snug_plan.segment @w packing convolution bytes 1152 = dense<1.000000e+00> : tensor<4x4x3x3xf32>
// CHECK: snug_plan.segment @d packing convolution bytes 576 groups 4 = dense<1.000000e+00> : tensor<4x1x3x3xf32>
// CHECK: snug_plan.segment @b packing bias bytes 64 = dense<0.000000e+00> : tensor<4xf32>
// CHECK: snug_plan.segment @g packing gemm bytes 4096 = dense<0.000000e+00> : tensor<64x3xf32>
// CHECK: snug_plan.segment @t packing transposed_gemm bytes 4096 = dense<0.000000e+00> : tensor<3x64xf32>
// CHECK: snug_plan.buffer input "x" shape [1, 4, 8, 8] offset 0 : !snug_plan.buffer<1x8x8x4, planar>
// CHECK: snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
// CHECK: snug_plan.buffer workspace offset 128 : !snug_plan.workspace<4096>
// CHECK: snug_plan.move %{{.*}} to %{{.*}} : <1x8x8x4, planar> to <1x8x8x4, channels_last>
// CHECK: snug_plan.convolution %{{.*}} to %{{.*}} residual %{{.*}} : !snug_plan.view<1x8x8x4, channels_last> workspace %{{.*}} : !snug_plan.workspace<4096> weights @w bias @b kernel [3, 3] strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] activation leaky_relu slope 1.000000e-01 {group = 0 : i64, tile = 3 : i64} : <1x8x8x4, channels_last> to <1x8x8x4, channels_last>
// CHECK: snug_plan.convolution {{.*}} weights @d kernel [3, 3] strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] groups 4
// CHECK: snug_plan.pool max
// CHECK: snug_plan.pool average {{.*}} {count_include_pad = true}
// CHECK: snug_plan.unary {{.*}} activation relu6
// CHECK: snug_plan.add
// CHECK: snug_plan.global_average_pool
// CHECK: snug_plan.reinterpret
// CHECK: snug_plan.gemm {{.*}} weights @g activation relu
// CHECK: snug_plan.gemm {{.*}} weights @t
// CHECK: snug_plan.softmax
snug_plan.program @all target "avx2" threads 2 arena 65536 {
  snug_plan.segment @w packing convolution bytes 1152 = dense<1.0> : tensor<4x4x3x3xf32>
  snug_plan.segment @d packing convolution bytes 576 groups 4 = dense<1.0> : tensor<4x1x3x3xf32>
  snug_plan.segment @b packing bias bytes 64 = dense<0.0> : tensor<4xf32>
  snug_plan.segment @g packing gemm bytes 4096 = dense<0.0> : tensor<64x3xf32>
  snug_plan.segment @t packing transposed_gemm bytes 4096 = dense<0.0> : tensor<3x64xf32>
  %x = snug_plan.buffer input "x" shape [1, 4, 8, 8] offset 0 : !snug_plan.buffer<1x8x8x4, planar>
  %a = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %c = snug_plan.buffer activation : !snug_plan.buffer<1x8x8x4, channels_last>
  %h = snug_plan.buffer activation : !snug_plan.buffer<1x4x4x4, channels_last>
  %m = snug_plan.buffer activation : !snug_plan.buffer<1x1x1x4, channels_last>
  %f = snug_plan.buffer activation : !snug_plan.buffer<1x1x1x64, channels_last>
  %y = snug_plan.buffer output "y" shape [1, 3] : !snug_plan.buffer<1x1x1x3, planar>
  %s = snug_plan.buffer workspace offset 128 : !snug_plan.workspace<4096>
  %xv = snug_plan.view %x[0, 0] : <1x8x8x4, planar> -> <1x8x8x4, planar>
  %av = snug_plan.view %a[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  %cv = snug_plan.view %c[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x4, channels_last>
  %hv = snug_plan.view %h[0, 0] : <1x4x4x4, channels_last> -> <1x4x4x4, channels_last>
  %mv = snug_plan.view %m[0, 0] : <1x1x1x4, channels_last> -> <1x1x1x4, channels_last>
  %fv = snug_plan.view %f[0, 0] : <1x1x1x64, channels_last> -> <1x1x1x64, channels_last>
  %yv = snug_plan.view %y[0, 0] : <1x1x1x3, planar> -> <1x1x1x3, planar>
  snug_plan.move %xv to %av : <1x8x8x4, planar> to <1x8x8x4, channels_last>
  snug_plan.convolution %av to %cv residual %av : !snug_plan.view<1x8x8x4, channels_last> workspace %s : !snug_plan.workspace<4096> weights @w bias @b kernel [3, 3] strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] activation leaky_relu slope 1.000000e-01 {group = 0 : i64, tile = 3 : i64} : <1x8x8x4, channels_last> to <1x8x8x4, channels_last>
  snug_plan.convolution %av to %cv weights @d kernel [3, 3] strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] groups 4 : <1x8x8x4, channels_last> to <1x8x8x4, channels_last>
  snug_plan.pool max %cv to %hv kernel [2, 2] strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] : <1x8x8x4, channels_last> to <1x4x4x4, channels_last>
  snug_plan.pool average %cv to %hv kernel [2, 2] strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] {count_include_pad = true} : <1x8x8x4, channels_last> to <1x4x4x4, channels_last>
  snug_plan.unary %av to %cv activation relu6 : <1x8x8x4, channels_last> to <1x8x8x4, channels_last>
  snug_plan.add %av, %av to %cv : <1x8x8x4, channels_last>, <1x8x8x4, channels_last> to <1x8x8x4, channels_last>
  snug_plan.global_average_pool %hv to %mv : <1x4x4x4, channels_last> to <1x1x1x4, channels_last>
  %r = snug_plan.reinterpret %f : <1x1x1x64, channels_last> -> <1x4x4x4, planar>
  %rv = snug_plan.view %r[0, 0] : <1x4x4x4, planar> -> <1x4x4x4, planar>
  snug_plan.move %hv to %rv : <1x4x4x4, channels_last> to <1x4x4x4, planar>
  snug_plan.gemm %fv to %yv weights @g activation relu : <1x1x1x64, channels_last> to <1x1x1x3, planar>
  snug_plan.gemm %fv to %yv weights @t : <1x1x1x64, channels_last> to <1x1x1x3, planar>
  snug_plan.softmax %yv to %yv : <1x1x1x3, planar> to <1x1x1x3, planar>
}
