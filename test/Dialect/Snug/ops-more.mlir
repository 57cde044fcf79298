// RUN: snug-opt %s --split-input-file | FileCheck %s
// RUN: snug-opt %s --split-input-file --mlir-print-op-generic | snug-opt --split-input-file | FileCheck %s
// RUN: snug-opt %s --split-input-file --verify-roundtrip

// CHECK-LABEL: func.func @conv_transpose2d
func.func @conv_transpose2d(%x: tensor<1x8x5x5xf32>, %f: tensor<8x4x3x3xf32>, %g: tensor<8x2x2x1xf32>, %b: tensor<4xf32>) {
  // (5 - 1) * 2 + 3 - 2 + 1 = 10.
  // CHECK: snug.conv_transpose2d %{{.*}} filter %{{.*}} bias %{{.*}} strides [2, 2] pads [1, 1, 1, 1] output_pads [1, 1] activation relu :
  %0 = snug.conv_transpose2d %x filter %f bias %b strides [2, 2] pads [1, 1, 1, 1] output_pads [1, 1] activation relu
      : (tensor<1x8x5x5xf32>, tensor<8x4x3x3xf32>, tensor<4xf32>) -> tensor<1x4x10x10xf32>
  // 4 + 3 + 1 = 8 and 4 * 3 + 1 = 13.
  // CHECK: snug.conv_transpose2d %{{.*}} filter %{{.*}} strides [1, 3] dilations [3, 1] groups 4 :
  %1 = snug.conv_transpose2d %x filter %g strides [1, 3] dilations [3, 1] groups 4
      : (tensor<1x8x5x5xf32>, tensor<8x2x2x1xf32>) -> tensor<1x8x8x13xf32>
  // CHECK: snug.conv_transpose2d %{{.*}} filter %{{.*}} : (tensor<1x8x5x5xf32>, tensor<8x4x3x3xf32>) -> tensor<1x4x7x7xf32>
  %2 = snug.conv_transpose2d %x filter %f : (tensor<1x8x5x5xf32>, tensor<8x4x3x3xf32>) -> tensor<1x4x7x7xf32>
  return
}

// -----

// CHECK-LABEL: func.func @pools
func.func @pools(%x: tensor<1x8x10x9xf32>) {
  // CHECK: snug.avg_pool2d %{{.*}} kernel [3, 3] strides [2, 2] pads [1, 1, 1, 1] ceil_pads [1, 0] count_include_pad :
  %0 = snug.avg_pool2d %x kernel [3, 3] strides [2, 2] pads [1, 1, 1, 1] ceil_pads [1, 0] count_include_pad
      : (tensor<1x8x10x9xf32>) -> tensor<1x8x6x5xf32>
  // CHECK: snug.global_max_pool %{{.*}} : (tensor<1x8x10x9xf32>) -> tensor<1x8x1x1xf32>
  %1 = snug.global_max_pool %x : (tensor<1x8x10x9xf32>) -> tensor<1x8x1x1xf32>
  return
}

// -----

// CHECK-LABEL: func.func @along_axes
func.func @along_axes(%x: tensor<4x8x9xf32>, %m: tensor<9x2xf32>, %i: tensor<1x96x5x5xf32>) {
  // CHECK: snug.reduce mean %{{.*}} axes [1, 2] keep_dims : (tensor<4x8x9xf32>) -> tensor<4x1x1xf32>
  %0 = snug.reduce mean %x axes [1, 2] keep_dims : (tensor<4x8x9xf32>) -> tensor<4x1x1xf32>
  // CHECK: snug.reduce max %{{.*}} axes [1] : (tensor<4x8x9xf32>) -> tensor<4x9xf32>
  %1 = snug.reduce max %x axes [1] : (tensor<4x8x9xf32>) -> tensor<4x9xf32>
  // CHECK: snug.reduce sum %{{.*}} axes [0, 1, 2] : (tensor<4x8x9xf32>) -> tensor<f32>
  %2 = snug.reduce sum %x axes [0, 1, 2] : (tensor<4x8x9xf32>) -> tensor<f32>
  // CHECK: snug.reduce min %{{.*}} axes [0] :
  %3 = snug.reduce min %x axes [0] : (tensor<4x8x9xf32>) -> tensor<8x9xf32>
  // CHECK: snug.matmul %{{.*}}, %{{.*}} : (tensor<4x8x9xf32>, tensor<9x2xf32>) -> tensor<4x8x2xf32>
  %4 = snug.matmul %x, %m : (tensor<4x8x9xf32>, tensor<9x2xf32>) -> tensor<4x8x2xf32>
  // CHECK: snug.lrn %{{.*}} size 5 alpha 0.0001 beta 0.75 bias 1.0 : tensor<1x96x5x5xf32>
  %5 = snug.lrn %i size 5 alpha 1.0e-4 beta 0.75 bias 1.0 : tensor<1x96x5x5xf32>
  return
}

// -----

// CHECK-LABEL: func.func @binary
func.func @binary(%x: tensor<2x8x4x4xf32>, %g: tensor<2x8x1x1xf32>, %c: tensor<8x1x1xf32>, %s: tensor<f32>) {
  // CHECK: snug.binary sub %{{.*}}, %{{.*}} : (tensor<2x8x4x4xf32>, tensor<2x8x4x4xf32>) -> tensor<2x8x4x4xf32>
  %0 = snug.binary sub %x, %x : (tensor<2x8x4x4xf32>, tensor<2x8x4x4xf32>) -> tensor<2x8x4x4xf32>
  // CHECK: snug.binary mul %{{.*}}, %{{.*}} activation hard_sigmoid(0.2, 0.5) : (tensor<2x8x4x4xf32>, tensor<2x8x1x1xf32>) -> tensor<2x8x4x4xf32>
  %1 = snug.binary mul %x, %g activation hard_sigmoid(0.2, 0.5) : (tensor<2x8x4x4xf32>, tensor<2x8x1x1xf32>) -> tensor<2x8x4x4xf32>
  // CHECK: snug.binary prelu %{{.*}}, %{{.*}} :
  %2 = snug.binary prelu %x, %c : (tensor<2x8x4x4xf32>, tensor<8x1x1xf32>) -> tensor<2x8x4x4xf32>
  // CHECK: snug.binary div %{{.*}}, %{{.*}} :
  %3 = snug.binary div %s, %x : (tensor<f32>, tensor<2x8x4x4xf32>) -> tensor<2x8x4x4xf32>
  // CHECK: snug.binary pow %{{.*}}, %{{.*}} : (tensor<2x8x1x1xf32>, tensor<8x1x1xf32>) -> tensor<2x8x1x1xf32>
  %4 = snug.binary pow %g, %c : (tensor<2x8x1x1xf32>, tensor<8x1x1xf32>) -> tensor<2x8x1x1xf32>
  // CHECK: snug.binary max
  %5 = snug.binary max %s, %s : (tensor<f32>, tensor<f32>) -> tensor<f32>
  // CHECK: snug.binary min
  %6 = snug.binary min %s, %s : (tensor<f32>, tensor<f32>) -> tensor<f32>
  return
}

// -----

// CHECK-LABEL: func.func @movements
func.func @movements(%x: tensor<1x12x4x6xf32>, %y: tensor<1x3x4x6xf32>) {
  // CHECK: snug.transpose %{{.*}} permutation [0, 2, 3, 1] : (tensor<1x12x4x6xf32>) -> tensor<1x4x6x12xf32>
  %0 = snug.transpose %x permutation [0, 2, 3, 1] : (tensor<1x12x4x6xf32>) -> tensor<1x4x6x12xf32>
  // CHECK: snug.concat %{{.*}}, %{{.*}} axis 1 : (tensor<1x12x4x6xf32>, tensor<1x3x4x6xf32>) -> tensor<1x15x4x6xf32>
  %1 = snug.concat %x, %y axis 1 : (tensor<1x12x4x6xf32>, tensor<1x3x4x6xf32>) -> tensor<1x15x4x6xf32>
  // CHECK: snug.slice %{{.*}} starts [0, 4, 3, 0] ends [1, 8, -1, 6] steps [1, 1, -1, 4] : (tensor<1x12x4x6xf32>) -> tensor<1x4x4x2xf32>
  %2 = snug.slice %x starts [0, 4, 3, 0] ends [1, 8, -1, 6] steps [1, 1, -1, 4] : (tensor<1x12x4x6xf32>) -> tensor<1x4x4x2xf32>
  // CHECK: snug.pad %{{.*}} low [0, 0, 1, 2] high [0, 1, 0, 3] : (tensor<1x12x4x6xf32>) -> tensor<1x13x5x11xf32>
  %3 = snug.pad %x low [0, 0, 1, 2] high [0, 1, 0, 3] mode constant value 0.0 : (tensor<1x12x4x6xf32>) -> tensor<1x13x5x11xf32>
  // CHECK: snug.pad %{{.*}} low [0, 0, 0, 0] high [0, 0, 3, 0] mode reflect :
  %4 = snug.pad %x low [0, 0, 0, 0] high [0, 0, 3, 0] mode reflect : (tensor<1x12x4x6xf32>) -> tensor<1x12x7x6xf32>
  // CHECK: snug.pad %{{.*}} low [0, 0, 1, 0] high [0, 0, 0, 0] value -inf :
  %5 = snug.pad %x low [0, 0, 1, 0] high [0, 0, 0, 0] value -inf : (tensor<1x12x4x6xf32>) -> tensor<1x12x5x6xf32>
  // CHECK: snug.resize %{{.*}} mode nearest rounding floor scale [0.5, 0.3333333333333333] shift [0.0, -0.25] :
  %6 = snug.resize %x mode nearest rounding floor scale [0.5, 0.3333333333333333] shift [0.0, -0.25] : (tensor<1x12x4x6xf32>) -> tensor<1x12x8x18xf32>
  // CHECK: snug.resize %{{.*}} mode linear scale [0.0, 2.0] shift [0.0, 0.5] :
  %7 = snug.resize %x mode linear scale [0.0, 2.0] shift [0.0, 0.5] : (tensor<1x12x4x6xf32>) -> tensor<1x12x1x3xf32>
  // CHECK: snug.depth_to_space %{{.*}} block 2 : (tensor<1x12x4x6xf32>) -> tensor<1x3x8x12xf32>
  %8 = snug.depth_to_space %x block 2 mode dcr : (tensor<1x12x4x6xf32>) -> tensor<1x3x8x12xf32>
  // CHECK: snug.depth_to_space %{{.*}} block 2 mode crd :
  %9 = snug.depth_to_space %x block 2 mode crd : (tensor<1x12x4x6xf32>) -> tensor<1x3x8x12xf32>
  // CHECK: snug.space_to_depth %{{.*}} block 2 : (tensor<1x12x4x6xf32>) -> tensor<1x48x2x3xf32>
  %10 = snug.space_to_depth %x block 2 : (tensor<1x12x4x6xf32>) -> tensor<1x48x2x3xf32>
  // CHECK: snug.channel_shuffle %{{.*}} groups 4 : tensor<1x12x4x6xf32>
  %11 = snug.channel_shuffle %x groups 4 : tensor<1x12x4x6xf32>
  return
}

// -----

// CHECK-LABEL: func.func @opaque
func.func @opaque(%x: tensor<1x3x8x8xf32>) {
  %c = snug.constant dense<1.0> : tensor<2xf32>
  // CHECK: %{{.*}}:2 = snug.opaque "Split"(%{{.*}}, %{{.*}}) domain "ai.example" node "\0A\01x" : (tensor<1x3x8x8xf32>, tensor<2xf32>) -> (tensor<1x1x8x8xf32>, tensor<1x2x8x8xf32>)
  %0:2 = snug.opaque "Split"(%x, %c) domain "ai.example" node "\0A\01x" : (tensor<1x3x8x8xf32>, tensor<2xf32>) -> (tensor<1x1x8x8xf32>, tensor<1x2x8x8xf32>)
  // CHECK: snug.opaque "RandomNormal"() : () -> tensor<f32>
  %1 = snug.opaque "RandomNormal"() : () -> tensor<f32>
  return
}
