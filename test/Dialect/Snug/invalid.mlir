// RUN: snug-opt %s --split-input-file --verify-diagnostics

// Every constraint of every layer; groups, constants and attributes of the
// function form are in invalid-structure.mlir.

// Extents.
func.func @f(%x: tensor<1x4x8x8xf32>, %f: tensor<2x4x3x3xf32>) {
  // expected-error@+1 {{'snug.conv2d' op expected output extent 8x8, got 6x6}}
  %0 = snug.conv2d %x filter %f pads [1, 1, 1, 1] : (tensor<1x4x8x8xf32>, tensor<2x4x3x3xf32>) -> tensor<1x2x6x6xf32>
  return
}

// -----

// The result has the wrong channels.
func.func @f(%x: tensor<1x4x8x8xf32>, %f: tensor<2x4x3x3xf32>) {
  // expected-error@+1 {{'snug.conv2d' op expected result type 'tensor<1x2x6x6xf32>', got 'tensor<1x4x6x6xf32>'}}
  %0 = snug.conv2d %x filter %f : (tensor<1x4x8x8xf32>, tensor<2x4x3x3xf32>) -> tensor<1x4x6x6xf32>
  return
}

// -----

// The result has the wrong batch.
func.func @f(%x: tensor<1x4x8x8xf32>, %f: tensor<2x4x3x3xf32>) {
  // expected-error@+1 {{'snug.conv2d' op expected result type 'tensor<1x2x6x6xf32>', got 'tensor<2x2x6x6xf32>'}}
  %0 = snug.conv2d %x filter %f : (tensor<1x4x8x8xf32>, tensor<2x4x3x3xf32>) -> tensor<2x2x6x6xf32>
  return
}

// -----

// Strides of zero.
func.func @f(%x: tensor<1x4x8x8xf32>, %f: tensor<2x4x3x3xf32>) {
  // expected-error@+1 {{'snug.conv2d' op expected 2 strides of at least 1, got [0, 1]}}
  %0 = snug.conv2d %x filter %f strides [0, 1] : (tensor<1x4x8x8xf32>, tensor<2x4x3x3xf32>) -> tensor<1x2x6x6xf32>
  return
}

// -----

// Negative strides.
func.func @f(%x: tensor<1x4x8x8xf32>, %f: tensor<2x4x3x3xf32>) {
  // expected-error@+1 {{'snug.conv2d' op expected 2 strides of at least 1, got [1, -1]}}
  %0 = snug.conv2d %x filter %f strides [1, -1] : (tensor<1x4x8x8xf32>, tensor<2x4x3x3xf32>) -> tensor<1x2x6x6xf32>
  return
}

// -----

// Too few strides.
func.func @f(%x: tensor<1x4x8x8xf32>, %f: tensor<2x4x3x3xf32>) {
  // expected-error@+1 {{'snug.conv2d' op expected 2 strides of at least 1, got [1]}}
  %0 = snug.conv2d %x filter %f strides [1] : (tensor<1x4x8x8xf32>, tensor<2x4x3x3xf32>) -> tensor<1x2x6x6xf32>
  return
}

// -----

// Dilations of zero.
func.func @f(%x: tensor<1x4x8x8xf32>, %f: tensor<2x4x3x3xf32>) {
  // expected-error@+1 {{'snug.conv2d' op expected 2 dilations of at least 1, got [1, 0]}}
  %0 = snug.conv2d %x filter %f dilations [1, 0] : (tensor<1x4x8x8xf32>, tensor<2x4x3x3xf32>) -> tensor<1x2x6x6xf32>
  return
}

// -----

// Negative dilations.
func.func @f(%x: tensor<1x4x8x8xf32>, %f: tensor<2x4x3x3xf32>) {
  // expected-error@+1 {{'snug.conv2d' op expected 2 dilations of at least 1, got [-2, 1]}}
  %0 = snug.conv2d %x filter %f dilations [-2, 1] : (tensor<1x4x8x8xf32>, tensor<2x4x3x3xf32>) -> tensor<1x2x6x6xf32>
  return
}

// -----

// Negative pads.
func.func @f(%x: tensor<1x4x8x8xf32>, %f: tensor<2x4x3x3xf32>) {
  // expected-error@+1 {{'snug.conv2d' op expected 4 pads of at least 0, got [0, 0, -1, 0]}}
  %0 = snug.conv2d %x filter %f pads [0, 0, -1, 0] : (tensor<1x4x8x8xf32>, tensor<2x4x3x3xf32>) -> tensor<1x2x6x6xf32>
  return
}

// -----

// Too few pads.
func.func @f(%x: tensor<1x4x8x8xf32>, %f: tensor<2x4x3x3xf32>) {
  // expected-error@+1 {{'snug.conv2d' op expected 4 pads of at least 0, got [1, 1]}}
  %0 = snug.conv2d %x filter %f pads [1, 1] : (tensor<1x4x8x8xf32>, tensor<2x4x3x3xf32>) -> tensor<1x2x6x6xf32>
  return
}

// -----

// No pads at all.
func.func @f(%x: tensor<1x4x8x8xf32>, %f: tensor<2x4x3x3xf32>) {
  // expected-error@+1 {{'snug.conv2d' op expected 4 pads of at least 0, got []}}
  %0 = snug.conv2d %x filter %f pads [] : (tensor<1x4x8x8xf32>, tensor<2x4x3x3xf32>) -> tensor<1x2x6x6xf32>
  return
}

// -----

// Groups that do not divide.
func.func @f(%x: tensor<1x4x8x8xf32>, %f: tensor<2x4x3x3xf32>) {
  // expected-error@+1 {{'snug.conv2d' op expected groups that divide 4 input channels and 2 output channels, got 3}}
  %0 = snug.conv2d %x filter %f groups 3 : (tensor<1x4x8x8xf32>, tensor<2x4x3x3xf32>) -> tensor<1x2x6x6xf32>
  return
}

// -----

// Groups of zero.
func.func @f(%x: tensor<1x4x8x8xf32>, %f: tensor<2x4x3x3xf32>) {
  // expected-error@+1 {{'snug.conv2d' op expected groups that divide 4 input channels and 2 output channels, got 0}}
  %0 = snug.conv2d %x filter %f groups 0 : (tensor<1x4x8x8xf32>, tensor<2x4x3x3xf32>) -> tensor<1x2x6x6xf32>
  return
}

// -----

// Negative groups.
func.func @f(%x: tensor<1x4x8x8xf32>, %f: tensor<2x4x3x3xf32>) {
  // expected-error@+1 {{'snug.conv2d' op expected groups that divide 4 input channels and 2 output channels, got -2}}
  %0 = snug.conv2d %x filter %f groups -2 : (tensor<1x4x8x8xf32>, tensor<2x4x3x3xf32>) -> tensor<1x2x6x6xf32>
  return
}

// -----

// Groups that divide the input only.
func.func @f(%x: tensor<1x4x8x8xf32>, %f: tensor<2x4x3x3xf32>) {
  // expected-error@+1 {{'snug.conv2d' op expected groups that divide 4 input channels and 2 output channels, got 4}}
  %0 = snug.conv2d %x filter %f groups 4 : (tensor<1x4x8x8xf32>, tensor<2x4x3x3xf32>) -> tensor<1x2x6x6xf32>
  return
}

// -----

// A filter for other groups.
func.func @f(%x: tensor<1x4x8x8xf32>, %f: tensor<2x4x3x3xf32>) {
  // expected-error@+1 {{'snug.conv2d' op expected a filter of 2 input channels (4 in 2 groups), got 4}}
  %0 = snug.conv2d %x filter %f groups 2 : (tensor<1x4x8x8xf32>, tensor<2x4x3x3xf32>) -> tensor<1x2x6x6xf32>
  return
}

// -----

// A kernel larger than the input.
func.func @f(%x: tensor<1x4x8x8xf32>, %f: tensor<2x4x9x3xf32>) {
  // expected-error@+1 {{'snug.conv2d' op the dilated kernel's height of 9 exceeds the padded input's 8}}
  %0 = snug.conv2d %x filter %f : (tensor<1x4x8x8xf32>, tensor<2x4x9x3xf32>) -> tensor<1x2x6x6xf32>
  return
}

// -----

// A kernel larger than the padded input.
func.func @f(%x: tensor<1x4x8x8xf32>, %f: tensor<2x4x3x3xf32>) {
  // expected-error@+1 {{'snug.conv2d' op the dilated kernel's width of 11 exceeds the padded input's 10}}
  %0 = snug.conv2d %x filter %f pads [0, 1, 0, 1] dilations [1, 5] : (tensor<1x4x8x8xf32>, tensor<2x4x3x3xf32>) -> tensor<1x2x6x6xf32>
  return
}

// -----

// The dilated kernel overflows.
func.func @f(%x: tensor<1x4x8x8xf32>, %f: tensor<2x4x3x3xf32>) {
  // expected-error@+1 {{'snug.conv2d' op the height overflows 64 bits: kernel 3, dilation 9223372036854775807, pads 0 and 0 on 8 elements}}
  %0 = snug.conv2d %x filter %f dilations [9223372036854775807, 1] : (tensor<1x4x8x8xf32>, tensor<2x4x3x3xf32>) -> tensor<1x2x6x6xf32>
  return
}

// -----

// The dilated kernel overflows by the last element.
func.func @f(%x: tensor<1x4x8x8xf32>, %f: tensor<2x4x1x2xf32>) {
  // expected-error@+1 {{'snug.conv2d' op the width overflows 64 bits: kernel 2, dilation 9223372036854775807, pads 0 and 0 on 8 elements}}
  %0 = snug.conv2d %x filter %f dilations [1, 9223372036854775807] : (tensor<1x4x8x8xf32>, tensor<2x4x1x2xf32>) -> tensor<1x2x6x6xf32>
  return
}

// -----

// The padded input overflows.
func.func @f(%x: tensor<1x4x8x8xf32>, %f: tensor<2x4x3x3xf32>) {
  // expected-error@+1 {{'snug.conv2d' op the width overflows 64 bits: kernel 3, dilation 1, pads 9223372036854775800 and 0 on 8 elements}}
  %0 = snug.conv2d %x filter %f pads [0, 9223372036854775800, 0, 0] : (tensor<1x4x8x8xf32>, tensor<2x4x3x3xf32>) -> tensor<1x2x6x6xf32>
  return
}

// -----

// The padded input overflows by both pads.
func.func @f(%x: tensor<1x4x8x8xf32>, %f: tensor<2x4x3x3xf32>) {
  // expected-error@+1 {{'snug.conv2d' op the height overflows 64 bits: kernel 3, dilation 1, pads 4611686018427387904 and 4611686018427387904 on 8 elements}}
  %0 = snug.conv2d %x filter %f pads [4611686018427387904, 0, 4611686018427387904, 0] : (tensor<1x4x8x8xf32>, tensor<2x4x3x3xf32>) -> tensor<1x2x6x6xf32>
  return
}

// -----

// The result's bytes overflow.
func.func @f(%x: tensor<1x4x8x8xf32>, %f: tensor<2x4x3x3xf32>) {
  // expected-error@+1 {{'snug.conv2d' op the bytes of the result 'tensor<1x2x4611686018427387910x6xf32>' overflow 64 bits}}
  %0 = snug.conv2d %x filter %f pads [4611686018427387904, 0, 0, 0] : (tensor<1x4x8x8xf32>, tensor<2x4x3x3xf32>) -> tensor<1x2x6x6xf32>
  return
}

// -----

// The multiply-accumulates overflow.
func.func @f(%x: tensor<1x1099511627776x524288x1xf32>, %f: tensor<1048576x1099511627776x1x1xf32>) {
  // expected-error@+1 {{'snug.conv2d' op has more multiply-accumulates than 64 bits hold: 1099511627776 for each of 549755813888 elements}}
  %0 = snug.conv2d %x filter %f : (tensor<1x1099511627776x524288x1xf32>, tensor<1048576x1099511627776x1x1xf32>) -> tensor<1x1048576x524288x1xf32>
  return
}

// -----

// A stride that leaves one element is no overflow.
func.func @f(%x: tensor<1x4x8x8xf32>, %f: tensor<2x4x3x3xf32>) {
  // expected-error@+1 {{'snug.conv2d' op expected output extent 1x6, got 6x6}}
  %0 = snug.conv2d %x filter %f strides [9223372036854775807, 1] : (tensor<1x4x8x8xf32>, tensor<2x4x3x3xf32>) -> tensor<1x2x6x6xf32>
  return
}

// -----

// A bias of other channels.
func.func @f(%x: tensor<1x4x8x8xf32>, %f: tensor<2x4x3x3xf32>, %b: tensor<4xf32>) {
  // expected-error@+1 {{'snug.conv2d' op expected a bias of 2 channels, got 4}}
  %0 = snug.conv2d %x filter %f bias %b : (tensor<1x4x8x8xf32>, tensor<2x4x3x3xf32>, tensor<4xf32>) -> tensor<1x2x6x6xf32>
  return
}

// -----

// A bias of rank two.
func.func @f(%x: tensor<1x4x8x8xf32>, %f: tensor<2x4x3x3xf32>, %b: tensor<1x2xf32>) {
  // expected-error@+1 {{'snug.conv2d' op operand #2 must be 1-d tensor of f32 with static extents of at least one (one number a channel), but got 'tensor<1x2xf32>'}}
  %0 = snug.conv2d %x filter %f bias %b : (tensor<1x4x8x8xf32>, tensor<2x4x3x3xf32>, tensor<1x2xf32>) -> tensor<1x2x6x6xf32>
  return
}

// -----

// A residual of another extent.
func.func @f(%x: tensor<1x4x8x8xf32>, %f: tensor<2x4x3x3xf32>, %r: tensor<1x2x8x8xf32>) {
  // expected-error@+1 {{'snug.conv2d' op expected a residual of the result's type 'tensor<1x2x6x6xf32>', got 'tensor<1x2x8x8xf32>'}}
  %0 = snug.conv2d %x filter %f residual %r : (tensor<1x4x8x8xf32>, tensor<2x4x3x3xf32>, tensor<1x2x8x8xf32>) -> tensor<1x2x6x6xf32>
  return
}

// -----

// An alpha that is not finite.
func.func @f(%x: tensor<1x4x8x8xf32>, %f: tensor<2x4x3x3xf32>) {
  // expected-error@+1 {{'snug.conv2d' op expected alpha of leaky_relu to be a finite number, got nan}}
  %0 = snug.conv2d %x filter %f activation leaky_relu(0x7FC00000) : (tensor<1x4x8x8xf32>, tensor<2x4x3x3xf32>) -> tensor<1x2x6x6xf32>
  return
}

// -----

// A parameter that the activation does not have.
func.func @f(%x: tensor<1x4x8x8xf32>, %f: tensor<2x4x3x3xf32>) {
  // expected-error@+1 {{'snug.conv2d' op expected no alpha with relu, got 5.000000e-01}}
  %0 = "snug.conv2d"(%x, %f) <{activation = #snug<activation relu>, alpha = 0.5 : f32, operandSegmentSizes = array<i32: 1, 1, 0, 0>}>
      : (tensor<1x4x8x8xf32>, tensor<2x4x3x3xf32>) -> tensor<1x2x6x6xf32>
  return
}

// -----

// An activation that does not exist.
func.func @f(%x: tensor<1x4x8x8xf32>, %f: tensor<2x4x3x3xf32>) {
  // expected-error@+1 {{unknown activation swish; the description of snug.unary lists them}}
  %0 = snug.conv2d %x filter %f activation swish : (tensor<1x4x8x8xf32>, tensor<2x4x3x3xf32>) -> tensor<1x2x6x6xf32>
  return
}

// -----

// Dynamic extents.
func.func @f(%x: tensor<1x4x?x8xf32>, %f: tensor<2x4x3x3xf32>) {
  // expected-error@+1 {{'snug.conv2d' op operand #0 must be 4-d tensor of f32 with static extents of at least one (NCHW), but got 'tensor<1x4x?x8xf32>'}}
  %0 = snug.conv2d %x filter %f : (tensor<1x4x?x8xf32>, tensor<2x4x3x3xf32>) -> tensor<1x2x6x6xf32>
  return
}

// -----

// Other element types.
func.func @f(%x: tensor<1x4x8x8xf16>, %f: tensor<2x4x3x3xf32>) {
  // expected-error@+1 {{'snug.conv2d' op operand #0 must be 4-d tensor of f32 with static extents of at least one (NCHW), but got 'tensor<1x4x8x8xf16>'}}
  %0 = snug.conv2d %x filter %f : (tensor<1x4x8x8xf16>, tensor<2x4x3x3xf32>) -> tensor<1x2x6x6xf32>
  return
}

// -----

// No rank.
func.func @f(%x: tensor<*xf32>, %f: tensor<2x4x3x3xf32>) {
  // expected-error@+1 {{'snug.conv2d' op operand #0 must be 4-d tensor of f32 with static extents of at least one (NCHW), but got 'tensor<*xf32>'}}
  %0 = snug.conv2d %x filter %f : (tensor<*xf32>, tensor<2x4x3x3xf32>) -> tensor<1x2x6x6xf32>
  return
}

// -----

// No elements.
func.func @f(%x: tensor<1x4x0x8xf32>, %f: tensor<2x4x3x3xf32>) {
  // expected-error@+1 {{'snug.conv2d' op operand #0 must be 4-d tensor of f32 with static extents of at least one (NCHW), but got 'tensor<1x4x0x8xf32>'}}
  %0 = snug.conv2d %x filter %f : (tensor<1x4x0x8xf32>, tensor<2x4x3x3xf32>) -> tensor<1x2x6x6xf32>
  return
}

// -----

// Another rank.
func.func @f(%x: tensor<4x8x8xf32>, %f: tensor<2x4x3x3xf32>) {
  // expected-error@+1 {{'snug.conv2d' op operand #0 must be 4-d tensor of f32 with static extents of at least one (NCHW), but got 'tensor<4x8x8xf32>'}}
  %0 = snug.conv2d %x filter %f : (tensor<4x8x8xf32>, tensor<2x4x3x3xf32>) -> tensor<1x2x6x6xf32>
  return
}

// -----

// Bytes that overflow.
func.func @f(%x: tensor<9223372036854775807x4x8x8xf32>, %f: tensor<2x4x3x3xf32>) {
  // expected-error@+1 {{'snug.conv2d' op operand #0 must be 4-d tensor of f32 with static extents of at least one (NCHW), but got 'tensor<9223372036854775807x4x8x8xf32>'}}
  %0 = snug.conv2d %x filter %f : (tensor<9223372036854775807x4x8x8xf32>, tensor<2x4x3x3xf32>) -> tensor<1x2x6x6xf32>
  return
}

// -----

// An encoding.
func.func @f(%x: tensor<1x4x8x8xf32, "nhwc">, %f: tensor<2x4x3x3xf32>) {
  // expected-error@+1 {{'snug.conv2d' op operand #0 must be 4-d tensor of f32 with static extents of at least one (NCHW), but got 'tensor<1x4x8x8xf32, "nhwc">'}}
  %0 = snug.conv2d %x filter %f : (tensor<1x4x8x8xf32, "nhwc">, tensor<2x4x3x3xf32>) -> tensor<1x2x6x6xf32>
  return
}

// -----

// Types that do not fit the operands.
func.func @f(%x: tensor<1x4x8x8xf32>, %f: tensor<2x4x3x3xf32>) {
  // expected-error@+1 {{custom op 'snug.conv2d' number of operands and types do not match: got 2 operands and 1 types}}
  %0 = snug.conv2d %x filter %f : (tensor<1x4x8x8xf32>) -> tensor<1x2x6x6xf32>
  return
}

// -----

// A weight for other inputs.
func.func @f(%x: tensor<1x6xf32>, %w: tensor<6x3xf32>, %b: tensor<2xf32>) {
  // expected-error@+1 {{'snug.gemm' op expected a weight for 6 inputs, got 3}}
  %0 = snug.gemm %x weight %w transpose_weight : (tensor<1x6xf32>, tensor<6x3xf32>) -> tensor<1x6xf32>
  return
}

// -----

// Other outputs.
func.func @f(%x: tensor<1x6xf32>, %w: tensor<6x3xf32>, %b: tensor<2xf32>) {
  // expected-error@+1 {{'snug.gemm' op expected result type 'tensor<1x3xf32>', got 'tensor<1x6xf32>'}}
  %0 = snug.gemm %x weight %w : (tensor<1x6xf32>, tensor<6x3xf32>) -> tensor<1x6xf32>
  return
}

// -----

// A bias of other outputs.
func.func @f(%x: tensor<1x6xf32>, %w: tensor<6x3xf32>, %b: tensor<2xf32>) {
  // expected-error@+1 {{'snug.gemm' op expected a bias of 3 outputs, got 2}}
  %0 = snug.gemm %x weight %w bias %b : (tensor<1x6xf32>, tensor<6x3xf32>, tensor<2xf32>) -> tensor<1x3xf32>
  return
}

// -----

// An alpha that is not finite.
func.func @f(%x: tensor<1x6xf32>, %w: tensor<6x3xf32>, %b: tensor<2xf32>) {
  // expected-error@+1 {{'snug.gemm' op expected alpha of leaky_relu to be a finite number, got INF}}
  %0 = snug.gemm %x weight %w activation leaky_relu(0x7F800000) : (tensor<1x6xf32>, tensor<6x3xf32>) -> tensor<1x3xf32>
  return
}

// -----

// An input that was not flattened.
func.func @f(%x: tensor<1x4x8x8xf32>, %w: tensor<6x3xf32>) {
  // expected-error@+1 {{'snug.gemm' op operand #0 must be 2-d tensor of f32 with static extents of at least one (rows, columns), but got 'tensor<1x4x8x8xf32>'}}
  %0 = snug.gemm %x weight %w : (tensor<1x4x8x8xf32>, tensor<6x3xf32>) -> tensor<1x3xf32>
  return
}

// -----

// Extents.
func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error@+1 {{'snug.max_pool2d' op expected output extent 7x7, got 4x4}}
  %0 = snug.max_pool2d %x kernel [2, 2] : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
  return
}

// -----

// Other channels.
func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error@+1 {{'snug.max_pool2d' op expected result type 'tensor<1x4x4x4xf32>', got 'tensor<1x5x4x4xf32>'}}
  %0 = snug.max_pool2d %x kernel [2, 2] strides [2, 2] : (tensor<1x4x8x8xf32>) -> tensor<1x5x4x4xf32>
  return
}

// -----

// A kernel of zero.
func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error@+1 {{'snug.max_pool2d' op expected 2 kernel extents of at least 1, got [0, 2]}}
  %0 = snug.max_pool2d %x kernel [0, 2] strides [2, 2] : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
  return
}

// -----

// A kernel of one number.
func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error@+1 {{'snug.max_pool2d' op expected 2 kernel extents of at least 1, got [2]}}
  %0 = snug.max_pool2d %x kernel [2] strides [2, 2] : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
  return
}

// -----

// Strides of zero.
func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error@+1 {{'snug.max_pool2d' op expected 2 strides of at least 1, got [2, 0]}}
  %0 = snug.max_pool2d %x kernel [2, 2] strides [2, 0] : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
  return
}

// -----

// Dilations of zero.
func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error@+1 {{'snug.max_pool2d' op expected 2 dilations of at least 1, got [0, 1]}}
  %0 = snug.max_pool2d %x kernel [2, 2] strides [2, 2] dilations [0, 1] : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
  return
}

// -----

// Negative pads.
func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error@+1 {{'snug.max_pool2d' op expected 4 pads of at least 0, got [0, -1, 0, 0]}}
  %0 = snug.max_pool2d %x kernel [2, 2] strides [2, 2] pads [0, -1, 0, 0] : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
  return
}

// -----

// A kernel larger than the input.
func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error@+1 {{'snug.max_pool2d' op the dilated kernel's width of 9 exceeds the padded input's 8}}
  %0 = snug.max_pool2d %x kernel [2, 9] : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
  return
}

// -----

// A huge kernel.
func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error@+1 {{'snug.max_pool2d' op the height overflows 64 bits: kernel 9223372036854775807, dilation 3, pads 0 and 0 on 8 elements}}
  %0 = snug.max_pool2d %x kernel [9223372036854775807, 2] dilations [3, 1] : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
  return
}

// -----

// A first window of padding only.
func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error@+1 {{'snug.max_pool2d' op a window would see padding only along the height: pads 2 and 0, dilated kernel 2, dilation 1, input 8}}
  %0 = snug.max_pool2d %x kernel [2, 2] strides [2, 2] pads [2, 0, 0, 0] : (tensor<1x4x8x8xf32>) -> tensor<1x4x5x4xf32>
  return
}

// -----

// A last window of padding only.
func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error@+1 {{'snug.avg_pool2d' op a window would see padding only along the width: pads 0 and 2, dilated kernel 2, dilation 1, input 8}}
  %0 = snug.avg_pool2d %x kernel [2, 2] strides [2, 2] pads [0, 0, 0, 2] : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x5xf32>
  return
}

// -----

// Taps that jump over the input.
func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error@+1 {{'snug.max_pool2d' op a window would see padding only along the height: pads 1 and 8, dilated kernel 10, dilation 9, input 8}}
  %0 = snug.max_pool2d %x kernel [2, 2] pads [1, 0, 8, 0] dilations [9, 1] : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x7xf32>
  return
}

// -----

// Extents.
func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error@+1 {{'snug.avg_pool2d' op expected output extent 3x3, got 4x4}}
  %0 = snug.avg_pool2d %x kernel [3, 3] strides [2, 2] : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
  return
}

// -----

// Pads that are too few.
func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error@+1 {{'snug.avg_pool2d' op expected 4 pads of at least 0, got [1]}}
  %0 = snug.avg_pool2d %x kernel [3, 3] pads [1] : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
  return
}

// -----

// Extents.
func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error@+1 {{'snug.global_avg_pool' op expected output extent 1x1, got 8x8}}
  %0 = snug.global_avg_pool %x : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  return
}

// -----

// Parameters of other channels.
func.func @f(%x: tensor<1x4x8x8xf32>, %c: tensor<5xf32>) {
  // expected-error@+1 {{'snug.batch_norm' op expected parameters of 4 channels, got 5}}
  %0 = snug.batch_norm %x scale %c shift %c mean %c variance %c
      : (tensor<1x4x8x8xf32>, tensor<5xf32>, tensor<5xf32>, tensor<5xf32>, tensor<5xf32>) -> tensor<1x4x8x8xf32>
  return
}

// -----

// No channels.
func.func @f(%x: tensor<4xf32>, %c: tensor<4xf32>) {
  // expected-error@+1 {{'snug.batch_norm' op expected an input with a channel axis, got 'tensor<4xf32>'}}
  %0 = snug.batch_norm %x scale %c shift %c mean %c variance %c
      : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

// A negative epsilon.
func.func @f(%x: tensor<1x4x8x8xf32>, %c: tensor<4xf32>) {
  // expected-error@+1 {{'snug.batch_norm' op expected a finite epsilon of at least zero, got -5.000000e-01}}
  %0 = snug.batch_norm %x scale %c shift %c mean %c variance %c epsilon -0.5
      : (tensor<1x4x8x8xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4x8x8xf32>
  return
}

// -----

// An epsilon that is not finite.
func.func @f(%x: tensor<1x4x8x8xf32>, %c: tensor<4xf32>) {
  // expected-error@+1 {{'snug.batch_norm' op expected a finite epsilon of at least zero, got nan}}
  %0 = snug.batch_norm %x scale %c shift %c mean %c variance %c epsilon 0x7FC00000
      : (tensor<1x4x8x8xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4x8x8xf32>
  return
}

// -----

// Another result.
func.func @f(%x: tensor<1x4x8x8xf32>, %c: tensor<4xf32>) {
  // expected-error@+1 {{'snug.batch_norm' op failed to verify that all of {input, result} have same type}}
  %0 = snug.batch_norm %x scale %c shift %c mean %c variance %c
      : (tensor<1x4x8x8xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4x8x4xf32>
  return
}

// -----

// Parameters that differ.
func.func @f(%x: tensor<1x4x8x8xf32>, %c: tensor<4xf32>, %d: tensor<5xf32>) {
  // expected-error@+1 {{'snug.batch_norm' op failed to verify that all of {scale, shift, mean, variance} have same type}}
  %0 = snug.batch_norm %x scale %c shift %c mean %d variance %c
      : (tensor<1x4x8x8xf32>, tensor<4xf32>, tensor<4xf32>, tensor<5xf32>, tensor<4xf32>) -> tensor<1x4x8x8xf32>
  return
}

// -----

// No function.
func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error@+1 {{'snug.unary' op expected an activation, got none}}
  %0 = snug.unary none %x : tensor<1x4x8x8xf32>
  return
}

// -----

// An alpha is needed.
func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error@+1 {{expected '('}}
  %0 = snug.unary leaky_relu %x : tensor<1x4x8x8xf32>
  return
}

// -----

// An alpha that is not finite.
func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error@+1 {{'snug.unary' op expected alpha of leaky_relu to be a finite number, got -INF}}
  %0 = snug.unary leaky_relu(0xFF800000) %x : tensor<1x4x8x8xf32>
  return
}

// -----

// Another result.
func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error@+1 {{'snug.unary' op requires the same type for all operands and results}}
  %0 = "snug.unary"(%x) <{kind = #snug<activation relu>}> : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x4xf32>
  return
}

// -----

// Extents that cannot be broadcast.
func.func @f(%x: tensor<1x4x8x8xf32>, %y: tensor<3x1x8xf32>) {
  // expected-error@+1 {{'snug.binary' op cannot broadcast [1, 4, 8, 8] and [3, 1, 8]: extents 4 and 3 on the same axis, expected equal ones or one of 1}}
  %0 = snug.binary add %x, %y : (tensor<1x4x8x8xf32>, tensor<3x1x8xf32>) -> tensor<1x4x8x8xf32>
  return
}

// -----

// Another result.
func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error@+1 {{'snug.identity' op requires the same type for all operands and results}}
  %0 = "snug.identity"(%x) : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x4xf32>
  return
}

// -----

// Another result.
func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error@+1 {{'snug.dropout' op requires the same type for all operands and results}}
  %0 = "snug.dropout"(%x) : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x4xf32>
  return
}

// -----

// Another number of elements.
func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error@+1 {{'snug.reshape' op expected a shape of 256 elements, got 'tensor<1x255xf32>' with 255}}
  %0 = snug.reshape %x : tensor<1x4x8x8xf32> -> tensor<1x255xf32>
  return
}

// -----

// An axis beyond the rank.
func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error@+1 {{'snug.softmax' op expected an axis in [0, 4), got 4}}
  %0 = snug.softmax %x axis 4 : tensor<1x4x8x8xf32>
  return
}

// -----

// A negative axis.
func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error@+1 {{'snug.softmax' op expected an axis in [0, 4), got -1}}
  %0 = snug.softmax %x axis -1 : tensor<1x4x8x8xf32>
  return
}
