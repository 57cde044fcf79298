// RUN: snug-opt %s --split-input-file | FileCheck %s
// RUN: snug-opt %s --split-input-file --mlir-print-op-generic | snug-opt --split-input-file | FileCheck %s
// RUN: snug-opt %s --split-input-file --verify-roundtrip

// Every op in its shortest and its longest form; defaults are not printed.

// CHECK-LABEL: module attributes {snug.model = "net"}
// CHECK: func.func @network(%{{.*}}: tensor<1x3x8x9xf32> {snug.name = "image"}) -> (tensor<1x2x4x4xf32> {snug.name = "pooled"})
module attributes {snug.model = "net"} {
  func.func @network(%image: tensor<1x3x8x9xf32> {snug.name = "image"})
      -> (tensor<1x2x4x4xf32> {snug.name = "pooled"}) {
    // Resources give constants their names.
    // CHECK: %[[FILTER:conv0.weight]] = snug.constant dense_resource<conv0.weight> : tensor<2x3x3x3xf32>
    %filter = snug.constant dense_resource<conv0.weight> : tensor<2x3x3x3xf32>
    // CHECK: snug.constant dense<5.000000e-01> : tensor<2xf32>
    %bias = snug.constant dense<0.5> : tensor<2xf32>
    // CHECK: snug.conv2d %{{.*}} filter %[[FILTER]] bias %{{.*}} pads [1, 1, 1, 1] activation leaky_relu(0.1) :
    // CHECK-SAME: (tensor<1x3x8x9xf32>, tensor<2x3x3x3xf32>, tensor<2xf32>) -> tensor<1x2x8x9xf32>
    %0 = snug.conv2d %image filter %filter bias %bias pads [1, 1, 1, 1] activation leaky_relu(0.1)
        : (tensor<1x3x8x9xf32>, tensor<2x3x3x3xf32>, tensor<2xf32>) -> tensor<1x2x8x9xf32> loc("conv0")
    // CHECK: snug.max_pool2d %{{.*}} kernel [2, 2] strides [2, 2] :
    %1 = snug.max_pool2d %0 kernel [2, 2] strides [2, 2] : (tensor<1x2x8x9xf32>) -> tensor<1x2x4x4xf32> loc("pool0")
    return %1 : tensor<1x2x4x4xf32>
  }
}

// -----

// CHECK-LABEL: func.func @conv2d
func.func @conv2d(%x: tensor<1x8x9x9xf32>, %f: tensor<4x4x3x3xf32>, %b: tensor<4xf32>, %r: tensor<1x4x5x3xf32>, %f1: tensor<4x8x1x1xf32>) {
  // CHECK: snug.conv2d %{{.*}} filter %{{.*}} : (tensor<1x8x9x9xf32>, tensor<4x8x1x1xf32>) -> tensor<1x4x9x9xf32>
  %0 = snug.conv2d %x filter %f1 strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] groups 1 activation none
      : (tensor<1x8x9x9xf32>, tensor<4x8x1x1xf32>) -> tensor<1x4x9x9xf32>
  // A floor: (9 + 2 - 3) / 2 + 1 = 5, (9 + 1 - 5) / 2 + 1 = 3.
  // CHECK: snug.conv2d %{{.*}} filter %{{.*}} bias %{{.*}} residual %{{.*}} strides [2, 2] pads [1, 1, 1, 0] dilations [1, 2] groups 2 activation relu {note = "x"} :
  // CHECK-SAME: -> tensor<1x4x5x3xf32>
  %1 = snug.conv2d %x filter %f bias %b residual %r strides [2, 2] pads [1, 1, 1, 0] dilations [1, 2] groups 2 activation relu {note = "x"}
      : (tensor<1x8x9x9xf32>, tensor<4x4x3x3xf32>, tensor<4xf32>, tensor<1x4x5x3xf32>) -> tensor<1x4x5x3xf32>
  // A permission.
  // CHECK: snug.conv2d %{{.*}} filter %{{.*}} strides [2, 2] pads [1, 1, 1, 0] dilations [1, 2] groups 2 allow_winograd {note = "y"} :
  %w = snug.conv2d %x filter %f strides [2, 2] pads [1, 1, 1, 0] dilations [1, 2] groups 2 allow_winograd {note = "y"}
    : (tensor<1x8x9x9xf32>, tensor<4x4x3x3xf32>) -> tensor<1x4x5x3xf32>
  // A residual without a bias.
  // CHECK: snug.conv2d %{{.*}} filter %{{.*}} residual %{{.*}} strides [2, 2] pads [1, 1, 1, 0] dilations [1, 2] groups 2 activation relu6 :
  %2 = snug.conv2d %x filter %f residual %r strides [2, 2] pads [1, 1, 1, 0] dilations [1, 2] groups 2 activation relu6
      : (tensor<1x8x9x9xf32>, tensor<4x4x3x3xf32>, tensor<1x4x5x3xf32>) -> tensor<1x4x5x3xf32>
  return
}

// -----

// The kernel may be as large as the padded input, and a stride larger than both.
// CHECK-LABEL: func.func @conv2d_limits
func.func @conv2d_limits(%x: tensor<1x1x2x1xf32>, %f: tensor<1x1x3x3xf32>) {
  // CHECK: -> tensor<1x1x1x1xf32>
  %0 = snug.conv2d %x filter %f strides [9, 9] pads [1, 1, 0, 1]
      : (tensor<1x1x2x1xf32>, tensor<1x1x3x3xf32>) -> tensor<1x1x1x1xf32>
  return
}

// -----

// CHECK-LABEL: func.func @pools
func.func @pools(%x: tensor<1x8x9x9xf32>) {
  // CHECK: snug.max_pool2d %{{.*}} kernel [3, 3] strides [2, 2] pads [1, 1, 1, 1] dilations [2, 1] :
  %0 = snug.max_pool2d %x kernel [3, 3] strides [2, 2] pads [1, 1, 1, 1] dilations [2, 1]
      : (tensor<1x8x9x9xf32>) -> tensor<1x8x4x5xf32>
  // CHECK: snug.avg_pool2d %{{.*}} kernel [1, 2] :
  %1 = snug.avg_pool2d %x kernel [1, 2] : (tensor<1x8x9x9xf32>) -> tensor<1x8x9x8xf32>
  // CHECK: snug.avg_pool2d %{{.*}} kernel [3, 3] strides [2, 2] pads [1, 1, 1, 1] count_include_pad :
  %2 = snug.avg_pool2d %x kernel [3, 3] strides [2, 2] pads [1, 1, 1, 1] count_include_pad
      : (tensor<1x8x9x9xf32>) -> tensor<1x8x5x5xf32>
  // CHECK: snug.global_avg_pool %{{.*}} : (tensor<1x8x9x9xf32>) -> tensor<1x8x1x1xf32>
  %3 = snug.global_avg_pool %x : (tensor<1x8x9x9xf32>) -> tensor<1x8x1x1xf32>
  return
}

// -----

// CHECK-LABEL: func.func @elementwise
func.func @elementwise(%x: tensor<1x2x8x8xf32>, %c: tensor<2xf32>) {
  // CHECK: snug.batch_norm %{{.*}} scale %{{.*}} shift %{{.*}} mean %{{.*}} variance %{{.*}} :
  %0 = snug.batch_norm %x scale %c shift %c mean %c variance %c epsilon 1.0e-5
      : (tensor<1x2x8x8xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x8x8xf32>
  // CHECK: snug.batch_norm {{.*}} epsilon 0.001 {{.*}}-> tensor<1x2x8x8xf32>
  %1 = snug.batch_norm %x scale %c shift %c mean %c variance %c epsilon 1.0e-3
      : (tensor<1x2x8x8xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x8x8xf32>
  // CHECK: snug.unary relu %{{.*}} : tensor<1x2x8x8xf32>
  %2 = snug.unary relu %0 : tensor<1x2x8x8xf32>
  // CHECK: snug.unary leaky_relu(0.1) %{{.*}} : tensor<1x2x8x8xf32>
  %3 = snug.unary leaky_relu(1.000000e-01) %0 : tensor<1x2x8x8xf32>
  // CHECK: snug.unary relu6 %{{.*}} : tensor<1x2x8x8xf32>
  %4 = snug.unary relu6 %0 : tensor<1x2x8x8xf32>
  // CHECK: snug.binary add %{{.*}}, %{{.*}} : (tensor<1x2x8x8xf32>, tensor<1x2x8x8xf32>) -> tensor<1x2x8x8xf32>
  %5 = snug.binary add %3, %4 : (tensor<1x2x8x8xf32>, tensor<1x2x8x8xf32>) -> tensor<1x2x8x8xf32>
  return
}

// -----

// Parameters are printed with as few digits as bring them back.
// CHECK-LABEL: func.func @parameters
func.func @parameters(%x: tensor<2xf32>) {
  // CHECK: leaky_relu(0.0)
  %0 = snug.unary leaky_relu(0.0) %x : tensor<2xf32>
  // CHECK: leaky_relu(-2.0)
  %1 = snug.unary leaky_relu(-2.0) %x : tensor<2xf32>
  // CHECK: leaky_relu(1.0e-05)
  %2 = snug.unary leaky_relu(1.0e-5) %x : tensor<2xf32>
  // CHECK: leaky_relu(0.33333334)
  %3 = snug.unary leaky_relu(0.3333333333333) %x : tensor<2xf32>
  // CHECK: leaky_relu(1.5e+20)
  %4 = snug.unary leaky_relu(1.5e20) %x : tensor<2xf32>
  // CHECK: clip(-inf, 6.0)
  %5 = snug.unary clip(-inf, 6.0) %x : tensor<2xf32>
  // CHECK: clip(-1.5, inf)
  %6 = snug.unary clip(-1.5, 0x7F800000) %x : tensor<2xf32>
  // CHECK: hard_sigmoid(0.2, 0.5)
  %7 = snug.unary hard_sigmoid(0.2, 0.5) %x : tensor<2xf32>
  return
}

// -----

// CHECK-LABEL: func.func @identities
func.func @identities(%x: tensor<1x2x8x8xf32>) -> tensor<1x2x8x8xf32> {
  // CHECK: snug.identity %{{.*}} : tensor<1x2x8x8xf32>
  %0 = snug.identity %x : tensor<1x2x8x8xf32>
  // CHECK: snug.dropout %{{.*}} : tensor<1x2x8x8xf32>
  %1 = snug.dropout %0 : tensor<1x2x8x8xf32>
  return %1 : tensor<1x2x8x8xf32>
}

// -----

// CHECK-LABEL: func.func @dense_layers
func.func @dense_layers(%x: tensor<1x2x3x4xf32>, %w: tensor<24x10xf32>, %t: tensor<10x24xf32>, %b: tensor<10xf32>) {
  // CHECK: snug.reshape %{{.*}} : tensor<1x2x3x4xf32> -> tensor<1x24xf32>
  %0 = snug.reshape %x : tensor<1x2x3x4xf32> -> tensor<1x24xf32>
  // CHECK: snug.gemm %{{.*}} weight %{{.*}} : (tensor<1x24xf32>, tensor<24x10xf32>) -> tensor<1x10xf32>
  %1 = snug.gemm %0 weight %w : (tensor<1x24xf32>, tensor<24x10xf32>) -> tensor<1x10xf32>
  // CHECK: snug.gemm %{{.*}} weight %{{.*}} bias %{{.*}} transpose_weight activation leaky_relu(0.5) :
  %2 = snug.gemm %0 weight %t bias %b transpose_weight activation leaky_relu(0.5)
      : (tensor<1x24xf32>, tensor<10x24xf32>, tensor<10xf32>) -> tensor<1x10xf32>
  // CHECK: snug.softmax %{{.*}} axis 1 : tensor<1x10xf32>
  %3 = snug.softmax %2 axis 1 : tensor<1x10xf32>
  return
}

// -----

// CHECK-LABEL: func.func @groups
func.func @groups(%x: tensor<1x1x8x8xf32>, %y: tensor<1x1x4x4xf32>) -> (tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>) {
  // CHECK: snug.fused_group(%[[IN:.*]] = %{{.*}}) schedule(#snug.grid<tiles = [2, 4]>) : (tensor<1x1x8x8xf32>) -> tensor<1x1x4x4xf32> {
  %0 = snug.fused_group(%in = %x) schedule(#snug.grid<tiles = [2, 4]>) : (tensor<1x1x8x8xf32>) -> tensor<1x1x4x4xf32> {
    // CHECK: snug.max_pool2d %[[IN]]
    %1 = snug.max_pool2d %in kernel [2, 2] strides [2, 2] : (tensor<1x1x8x8xf32>) -> tensor<1x1x4x4xf32>
    // CHECK: snug.yield %{{.*}} : tensor<1x1x4x4xf32>
    snug.yield %1 : tensor<1x1x4x4xf32>
  }
  // CHECK: snug.fused_group(%[[A:.*]] = %{{.*}}, %[[B:.*]] = %{{.*}}) schedule(#snug.whole) attributes {note} :
  // CHECK-SAME: (tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>) -> (tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>) {
  %2:2 = snug.fused_group(%a = %0, %b = %y) schedule(#snug.whole) attributes {note}
      : (tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>) -> (tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>) {
    // CHECK: snug.binary add %[[A]], %[[B]]
    %3 = snug.binary add %a, %b : (tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32>
    snug.yield %3, %a : tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>
  }
  // A group without operands computes from its constants.
  // CHECK: snug.fused_group() schedule(#snug.grid<tiles = [1, 1]>) : () -> tensor<4xf32> {
  %4 = snug.fused_group() schedule(#snug.grid<tiles = [1, 1]>) : () -> tensor<4xf32> {
    %5 = snug.constant dense<1.0> : tensor<4xf32>
    snug.yield %5 : tensor<4xf32>
  }
  return %2#0, %2#1 : tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>
}

// -----

// Left-out attributes have their defaults in the generic form, too.
// CHECK-LABEL: func.func @generic_defaults
func.func @generic_defaults(%x: tensor<1x1x8x8xf32>, %f: tensor<1x1x3x3xf32>) {
  // CHECK: snug.conv2d %{{.*}} filter %{{.*}} : (tensor<1x1x8x8xf32>, tensor<1x1x3x3xf32>) -> tensor<1x1x6x6xf32>
  %0 = "snug.conv2d"(%x, %f) <{operandSegmentSizes = array<i32: 1, 1, 0, 0>}>
      : (tensor<1x1x8x8xf32>, tensor<1x1x3x3xf32>) -> tensor<1x1x6x6xf32>
  return
}
