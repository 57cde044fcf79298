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
// CHECK: snug_plan.convolution %{{.*}} to %{{.*}} residual %{{.*}} : !snug_plan.view<1x8x8x4, channels_last> workspace %{{.*}} : !snug_plan.workspace<4096> weights @w bias @b kernel [3, 3] strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] activation leaky_relu alpha 1.000000e-01 {group = 0 : i64, tile = 3 : i64} : <1x8x8x4, channels_last> to <1x8x8x4, channels_last>
// CHECK: snug_plan.convolution {{.*}} weights @d kernel [3, 3] strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] groups 4
// CHECK: snug_plan.convolution {{.*}} workspace %{{.*}} : !snug_plan.workspace<4096> weights @w kernel [3, 3] strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] activation relu winograd {tile = 1 : i64} :
// CHECK: snug_plan.pool max
// CHECK: snug_plan.pool average {{.*}} {count_include_pad = true}
// CHECK: snug_plan.unary {{.*}} activation relu6
// CHECK: snug_plan.binary add
// CHECK: snug_plan.reduce mean
// CHECK: snug_plan.reinterpret
// CHECK: snug_plan.gemm {{.*}} weights @g activation relu
// CHECK: snug_plan.gemm {{.*}} weights @t
// CHECK: snug_plan.softmax
// CHECK: snug_plan.view %{{.*}}[0, 0, 1] : <1x8x8x4, channels_last> -> <1x8x8x2, channels_last>
// CHECK: snug_plan.transposed_convolution {{.*}} weights @u bias @b kernel [3, 3] strides [2, 2] dilations [1, 1] offsets [1, -3] activation clip alpha -1.000000e+00 beta 0x7F800000
// CHECK: snug_plan.pool average {{.*}} pads [0, 0, 1, 1] counted [1, 0] {count_include_pad = true}
// CHECK: snug_plan.reduce min
// CHECK: snug_plan.binary prelu left {{.*}} constant @c begin 2 extents [1, 1, 1, 4] strides [0, 0, 0, 1] to {{.*}} activation silu
// CHECK: snug_plan.binary sub right {{.*}} constant @k begin 0 extents [1, 8, 8, 4] strides [256, 32, 4, 1] to
// CHECK: snug_plan.resize linear {{.*}} scale [5.000000e-01, 5.000000e-01] shift [-2.500000e-01, -2.500000e-01] of [4, 4] from [0, 0] at [0, 0]
// CHECK: snug_plan.resize nearest {{.*}} rounding floor scale
// CHECK: snug_plan.pad reflect {{.*}} pads [2, 2, 2, 2, 0, 0] :
// CHECK: snug_plan.pad constant {{.*}} value 1.500000e+00 :
// CHECK: snug_plan.rearrange {{.*}} extents [64, 4] input 252 [-4, 1] output 0 [1, 64] :
// CHECK: snug_plan.lrn {{.*}} size 5 alpha 9.99999974E-5 beta 7.500000e-01 bias 1.000000e+00 :
// CHECK: snug_plan.matmul
snug_plan.program @all target "avx2" threads 2 arena 65536 {
  snug_plan.segment @w packing convolution bytes 1152 = dense<1.0> : tensor<4x4x3x3xf32>
  snug_plan.segment @d packing convolution bytes 576 groups 4 = dense<1.0> : tensor<4x1x3x3xf32>
  snug_plan.segment @b packing bias bytes 64 = dense<0.0> : tensor<4xf32>
  snug_plan.segment @g packing gemm bytes 4096 = dense<0.0> : tensor<64x3xf32>
  snug_plan.segment @t packing transposed_gemm bytes 4096 = dense<0.0> : tensor<3x64xf32>
  snug_plan.segment @u packing transposed_convolution bytes 1152 strides [2, 2] = dense<1.0> : tensor<4x4x3x3xf32>
  snug_plan.segment @c packing constant bytes 64 = dense<1.0> : tensor<2x3xf32>
  snug_plan.segment @k packing channels_last_constant bytes 1024 = dense<1.0> : tensor<1x4x8x8xf32>
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
  snug_plan.convolution %av to %cv residual %av : !snug_plan.view<1x8x8x4, channels_last> workspace %s : !snug_plan.workspace<4096> weights @w bias @b kernel [3, 3] strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] activation leaky_relu alpha 1.000000e-01 {group = 0 : i64, tile = 3 : i64} : <1x8x8x4, channels_last> to <1x8x8x4, channels_last>
  snug_plan.convolution %av to %cv weights @d kernel [3, 3] strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] groups 4 : <1x8x8x4, channels_last> to <1x8x8x4, channels_last>
  snug_plan.convolution %av to %cv workspace %s : !snug_plan.workspace<4096> weights @w kernel [3, 3] strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] activation relu winograd {tile = 1 : i64} : <1x8x8x4, channels_last> to <1x8x8x4, channels_last>
  snug_plan.pool max %cv to %hv kernel [2, 2] strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] : <1x8x8x4, channels_last> to <1x4x4x4, channels_last>
  snug_plan.pool average %cv to %hv kernel [2, 2] strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] {count_include_pad = true} : <1x8x8x4, channels_last> to <1x4x4x4, channels_last>
  snug_plan.unary %av to %cv activation relu6 : <1x8x8x4, channels_last> to <1x8x8x4, channels_last>
  snug_plan.binary add left %av : !snug_plan.view<1x8x8x4, channels_last> right %av : !snug_plan.view<1x8x8x4, channels_last> to %cv : <1x8x8x4, channels_last>
  snug_plan.reduce mean %hv to %mv : <1x4x4x4, channels_last> to <1x1x1x4, channels_last>
  %r = snug_plan.reinterpret %f : <1x1x1x64, channels_last> -> <1x4x4x4, planar>
  %rv = snug_plan.view %r[0, 0] : <1x4x4x4, planar> -> <1x4x4x4, planar>
  snug_plan.move %hv to %rv : <1x4x4x4, channels_last> to <1x4x4x4, planar>
  snug_plan.gemm %fv to %yv weights @g activation relu : <1x1x1x64, channels_last> to <1x1x1x3, planar>
  snug_plan.gemm %fv to %yv weights @t : <1x1x1x64, channels_last> to <1x1x1x3, planar>
  snug_plan.softmax %yv to %yv : <1x1x1x3, planar> to <1x1x1x3, planar>
  %part = snug_plan.view %a[0, 0, 1] : <1x8x8x4, channels_last> -> <1x8x8x2, channels_last>
  %part2 = snug_plan.view %c[0, 0] : <1x8x8x4, channels_last> -> <1x8x8x2, channels_last>
  snug_plan.move %part to %part2 : <1x8x8x2, channels_last> to <1x8x8x2, channels_last>
  snug_plan.transposed_convolution %hv to %cv weights @u bias @b kernel [3, 3] strides [2, 2] dilations [1, 1] offsets [1, -3] activation clip alpha -1.0 beta 0x7F800000 : <1x4x4x4, channels_last> to <1x8x8x4, channels_last>
  snug_plan.pool average %cv to %hv kernel [3, 3] strides [2, 2] dilations [1, 1] pads [0, 0, 1, 1] counted [1, 0] {count_include_pad = true} : <1x8x8x4, channels_last> to <1x4x4x4, channels_last>
  snug_plan.reduce min %hv to %mv : <1x4x4x4, channels_last> to <1x1x1x4, channels_last>
  snug_plan.binary prelu left %av : !snug_plan.view<1x8x8x4, channels_last> constant @c begin 2 extents [1, 1, 1, 4] strides [0, 0, 0, 1] to %cv activation silu : <1x8x8x4, channels_last>
  snug_plan.binary sub right %mv : !snug_plan.view<1x1x1x4, channels_last> constant @k begin 0 extents [1, 8, 8, 4] strides [256, 32, 4, 1] to %cv : <1x8x8x4, channels_last>
  snug_plan.resize linear %hv to %cv scale [0.5, 0.5] shift [-0.25, -0.25] of [4, 4] from [0, 0] at [0, 0] : <1x4x4x4, channels_last> to <1x8x8x4, channels_last>
  snug_plan.resize nearest %hv to %cv rounding floor scale [0.5, 0.5] shift [0.0, 0.0] of [9, 4] from [5, 0] at [10, 0] : <1x4x4x4, channels_last> to <1x8x8x4, channels_last>
  snug_plan.pad reflect %hv to %cv pads [2, 2, 2, 2, 0, 0] : <1x4x4x4, channels_last> to <1x8x8x4, channels_last>
  snug_plan.pad constant %hv to %cv pads [2, 2, 2, 2, 0, 0] value 1.5 : <1x4x4x4, channels_last> to <1x8x8x4, channels_last>
  snug_plan.rearrange %av to %cv extents [64, 4] input 252 [-4, 1] output 0 [1, 64] : <1x8x8x4, channels_last> to <1x8x8x4, channels_last>
  snug_plan.lrn %av to %cv size 5 alpha 1.0e-4 beta 0.75 bias 1.0 : <1x8x8x4, channels_last> to <1x8x8x4, channels_last>
  %l = snug_plan.reinterpret %a : <1x8x8x4, channels_last> -> <2x16x8x1, channels_last>
  %lv = snug_plan.view %l[0, 0] : <2x16x8x1, channels_last> -> <2x16x8x1, channels_last>
  %n = snug_plan.reinterpret %h : <1x4x4x4, channels_last> -> <1x8x8x1, channels_last>
  %nv = snug_plan.view %n[0, 0] : <1x8x8x1, channels_last> -> <1x8x8x1, channels_last>
  %o = snug_plan.reinterpret %c : <1x8x8x4, channels_last> -> <2x16x8x1, channels_last>
  %ov = snug_plan.view %o[0, 0] : <2x16x8x1, channels_last> -> <2x16x8x1, channels_last>
  snug_plan.matmul %lv, %nv to %ov : <2x16x8x1, channels_last>, <1x8x8x1, channels_last> to <2x16x8x1, channels_last>
}
