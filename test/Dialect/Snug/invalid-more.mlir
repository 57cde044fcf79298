// RUN: snug-opt %s --split-input-file --verify-diagnostics

// Constraints of transposed convolutions, products of matrices, reductions,
// movements and foreign operations.

func.func @f(%x: tensor<1x8x5x5xf32>, %f: tensor<8x4x3x3xf32>) {
  // expected-error@+1 {{'snug.conv_transpose2d' op expected output extent 11x11, got 10x10}}
  %0 = snug.conv_transpose2d %x filter %f strides [2, 2] : (tensor<1x8x5x5xf32>, tensor<8x4x3x3xf32>) -> tensor<1x4x10x10xf32>
  return
}

// -----

func.func @f(%x: tensor<1x8x5x5xf32>, %f: tensor<4x8x3x3xf32>) {
  // expected-error@+1 {{'snug.conv_transpose2d' op expected a filter of 8 input channels, which come first, got 4}}
  %0 = snug.conv_transpose2d %x filter %f : (tensor<1x8x5x5xf32>, tensor<4x8x3x3xf32>) -> tensor<1x8x7x7xf32>
  return
}

// -----

func.func @f(%x: tensor<1x8x5x5xf32>, %f: tensor<8x4x3x3xf32>) {
  // expected-error@+1 {{'snug.conv_transpose2d' op expected groups that divide 8 input channels, got 3}}
  %0 = snug.conv_transpose2d %x filter %f groups 3 : (tensor<1x8x5x5xf32>, tensor<8x4x3x3xf32>) -> tensor<1x12x7x7xf32>
  return
}

// -----

func.func @f(%x: tensor<1x8x5x5xf32>, %f: tensor<8x4x3x3xf32>, %b: tensor<4xf32>) {
  // expected-error@+1 {{'snug.conv_transpose2d' op expected a bias of 8 channels, got 4}}
  %0 = snug.conv_transpose2d %x filter %f bias %b groups 2 : (tensor<1x8x5x5xf32>, tensor<8x4x3x3xf32>, tensor<4xf32>) -> tensor<1x8x7x7xf32>
  return
}

// -----

func.func @f(%x: tensor<1x8x5x5xf32>, %f: tensor<8x4x3x3xf32>) {
  // expected-error@+1 {{'snug.conv_transpose2d' op pads 4 and 3 leave nothing of the height of 7}}
  %0 = snug.conv_transpose2d %x filter %f pads [4, 0, 3, 0] : (tensor<1x8x5x5xf32>, tensor<8x4x3x3xf32>) -> tensor<1x4x1x7xf32>
  return
}

// -----

func.func @f(%x: tensor<1x8x5x5xf32>, %f: tensor<8x4x3x3xf32>) {
  // expected-error@+1 {{'snug.conv_transpose2d' op the width overflows 64 bits: kernel 3, stride 9223372036854775807, dilation 1, pads 0 and 0, output pad 0 on 5 elements}}
  %0 = snug.conv_transpose2d %x filter %f strides [1, 9223372036854775807] : (tensor<1x8x5x5xf32>, tensor<8x4x3x3xf32>) -> tensor<1x4x7x7xf32>
  return
}

// -----

func.func @f(%x: tensor<1x8x5x5xf32>, %f: tensor<8x4x3x3xf32>) {
  // expected-error@+1 {{'snug.conv_transpose2d' op expected 2 output pads of at least 0, got [1, -1]}}
  %0 = snug.conv_transpose2d %x filter %f output_pads [1, -1] : (tensor<1x8x5x5xf32>, tensor<8x4x3x3xf32>) -> tensor<1x4x7x7xf32>
  return
}

// -----

func.func @f(%x: tensor<1x8x9x9xf32>) {
  // expected-error@+1 {{'snug.avg_pool2d' op a window would see padding only along the height: pads 0 and 2, dilated kernel 2, dilation 1, input 9}}
  %0 = snug.avg_pool2d %x kernel [2, 2] strides [9, 1] pads [0, 0, 1, 0] ceil_pads [1, 0] : (tensor<1x8x9x9xf32>) -> tensor<1x8x2x8xf32>
  return
}

// -----

func.func @f(%x: tensor<1x8x9x9xf32>) {
  // expected-error@+1 {{'snug.avg_pool2d' op expected 2 ceil pads of at least 0, got [1]}}
  %0 = snug.avg_pool2d %x kernel [2, 2] ceil_pads [1] : (tensor<1x8x9x9xf32>) -> tensor<1x8x9x8xf32>
  return
}

// -----

func.func @f(%x: tensor<4x8xf32>, %y: tensor<9x8xf32>) {
  // expected-error@+1 {{'snug.matmul' op expected as many columns on the left as rows on the right, got 8 and 9}}
  %0 = snug.matmul %x, %y : (tensor<4x8xf32>, tensor<9x8xf32>) -> tensor<4x8xf32>
  return
}

// -----

func.func @f(%x: tensor<8xf32>, %y: tensor<8x8xf32>) {
  // expected-error@+1 {{'snug.matmul' op expected operands of rank two at least, got [8] and [8, 8]; reshape a vector to a matrix}}
  %0 = snug.matmul %x, %y : (tensor<8xf32>, tensor<8x8xf32>) -> tensor<8xf32>
  return
}

// -----

func.func @f(%x: tensor<2x4x8xf32>, %y: tensor<3x8x8xf32>) {
  // expected-error@+1 {{'snug.matmul' op cannot broadcast [2] and [3]: extents 2 and 3 on the same axis, expected equal ones or one of 1}}
  %0 = snug.matmul %x, %y : (tensor<2x4x8xf32>, tensor<3x8x8xf32>) -> tensor<2x4x8xf32>
  return
}

// -----

func.func @f(%x: tensor<2x4x8xf32>, %y: tensor<2x1x1xf32>) {
  // expected-error@+1 {{'snug.binary' op expected result type 'tensor<2x4x8xf32>', got 'tensor<2x4x1xf32>'}}
  %0 = snug.binary mul %x, %y : (tensor<2x4x8xf32>, tensor<2x1x1xf32>) -> tensor<2x4x1xf32>
  return
}

// -----

func.func @f(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{'snug.unary' op expected beta of clip to be a number, got nan}}
  %0 = snug.unary clip(0.0, 0x7FC00000) %x : tensor<2x4xf32>
  return
}

// -----

func.func @f(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{'snug.unary' op expected no beta with elu, got 1.000000e+00}}
  %0 = "snug.unary"(%x) <{kind = #snug<activation elu>, alpha = 1.0 : f32, beta = 1.0 : f32}> : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @f(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{'snug.reduce' op expected at least one axis to reduce; without one it is a snug.identity}}
  %0 = snug.reduce sum %x axes [] : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @f(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{'snug.reduce' op expected axes in ascending order, each once, got [1, 1]}}
  %0 = snug.reduce sum %x axes [1, 1] : (tensor<2x4xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @f(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{'snug.reduce' op expected an axis in [0, 2), got -1}}
  %0 = snug.reduce sum %x axes [-1] : (tensor<2x4xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @f(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{'snug.reduce' op expected result type 'tensor<2x1xf32>', got 'tensor<2xf32>'}}
  %0 = snug.reduce sum %x axes [1] keep_dims : (tensor<2x4xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x2x2xf32>) {
  // expected-error@+1 {{'snug.lrn' op expected a size of at least 1, got 0}}
  %0 = snug.lrn %x size 0 alpha 1.0 beta 0.75 bias 1.0 : tensor<1x4x2x2xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x2x2xf32>) {
  // expected-error@+1 {{'snug.lrn' op expected a finite beta, got INF}}
  %0 = snug.lrn %x size 5 alpha 1.0 beta inf bias 1.0 : tensor<1x4x2x2xf32>
  return
}

// -----

func.func @f(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{'snug.transpose' op expected a permutation of 2 axes, got [0, 0]}}
  %0 = snug.transpose %x permutation [0, 0] : (tensor<2x4xf32>) -> tensor<2x2xf32>
  return
}

// -----

func.func @f(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{'snug.transpose' op expected result type 'tensor<4x2xf32>', got 'tensor<2x4xf32>'}}
  %0 = snug.transpose %x permutation [1, 0] : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @f() {
  // expected-error@+1 {{'snug.concat' op expected at least one operand}}
  %0 = snug.concat axis 0 : () -> tensor<2x4xf32>
  return
}

// -----

func.func @f(%x: tensor<2x4xf32>, %y: tensor<3x5xf32>) {
  // expected-error@+1 {{'snug.concat' op expected operands that differ along axis 0 only, but operand 1 is [3, 5] and the first one [2, 4]}}
  %0 = snug.concat %x, %y axis 0 : (tensor<2x4xf32>, tensor<3x5xf32>) -> tensor<5x4xf32>
  return
}

// -----

func.func @f(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{'snug.concat' op expected an axis in [0, 2), got 2}}
  %0 = snug.concat %x, %x axis 2 : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @f(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{'snug.slice' op axis 1 of 4 elements cannot be sliced from 3 to 3 by steps of 1; expected a start on the axis and an end beyond it in the direction of the step}}
  %0 = snug.slice %x starts [0, 3] ends [2, 3] steps [1, 1] : (tensor<2x4xf32>) -> tensor<2x1xf32>
  return
}

// -----

func.func @f(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{'snug.slice' op axis 0 of 2 elements cannot be sliced from 2 to -1 by steps of -1}}
  %0 = snug.slice %x starts [2, 0] ends [-1, 3] steps [-1, 1] : (tensor<2x4xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @f(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{'snug.slice' op expected 2 steps, none of them zero, got [1, 0]}}
  %0 = snug.slice %x starts [0, 0] ends [2, 3] steps [1, 0] : (tensor<2x4xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @f(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{'snug.slice' op expected result type 'tensor<1x2xf32>', got 'tensor<1x3xf32>'}}
  %0 = snug.slice %x starts [1, 3] ends [2, -1] steps [9223372036854775807, -3] : (tensor<2x4xf32>) -> tensor<1x3xf32>
  return
}

// -----

func.func @f(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{'snug.pad' op expected 2 low pads of at least 0, got [0, -1]}}
  %0 = snug.pad %x low [0, -1] high [0, 0] : (tensor<2x4xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @f(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{'snug.pad' op reflecting adds fewer elements than an axis has, but axis 0 has 2 and pads 0 and 2}}
  %0 = snug.pad %x low [0, 0] high [2, 0] mode reflect : (tensor<2x4xf32>) -> tensor<4x4xf32>
  return
}

// -----

func.func @f(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{'snug.pad' op only mode constant has a value, got one with edge}}
  %0 = snug.pad %x low [0, 0] high [2, 0] mode edge value 1.0 : (tensor<2x4xf32>) -> tensor<4x4xf32>
  return
}

// -----

func.func @f(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{'snug.pad' op expected a value that is a number, got NaN}}
  %0 = snug.pad %x low [0, 0] high [2, 0] value 0x7FC00000 : (tensor<2x4xf32>) -> tensor<4x4xf32>
  return
}

// -----

func.func @f(%x: tensor<2x4xf32>) {
  // expected-error@+1 {{'snug.pad' op the extent of axis 1 overflows 64 bits}}
  %0 = snug.pad %x low [0, 9223372036854775807] high [0, 1] : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x5x5xf32>) {
  // expected-error@+1 {{'snug.resize' op expected a result of 1 images of 4 channels like the input, got 'tensor<1x3x9x9xf32>'}}
  %0 = snug.resize %x mode linear scale [1.0, 1.0] shift [0.0, 0.0] : (tensor<1x4x5x5xf32>) -> tensor<1x3x9x9xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x5x5xf32>) {
  // expected-error@+1 {{'snug.resize' op expected 2 finite scales of at least zero, got [-1.000000e+00, 1.000000e+00]}}
  %0 = snug.resize %x mode linear scale [-1.0, 1.0] shift [0.0, 0.0] : (tensor<1x4x5x5xf32>) -> tensor<1x4x9x9xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x5x5xf32>) {
  // expected-error@+1 {{'snug.resize' op expected 2 finite shifts, got [0.000000e+00]}}
  %0 = snug.resize %x mode linear scale [1.0, 1.0] shift [0.0] : (tensor<1x4x5x5xf32>) -> tensor<1x4x9x9xf32>
  return
}

// -----

func.func @f(%x: tensor<1x4x5x5xf32>) {
  // expected-error@+1 {{'snug.resize' op only mode nearest rounds, got ceil with linear}}
  %0 = snug.resize %x mode linear rounding ceil scale [1.0, 1.0] shift [0.0, 0.0] : (tensor<1x4x5x5xf32>) -> tensor<1x4x9x9xf32>
  return
}

// -----

func.func @f(%x: tensor<1x6x5x5xf32>) {
  // expected-error@+1 {{'snug.depth_to_space' op expected channels that are a multiple of 4, the square of the block, got 6}}
  %0 = snug.depth_to_space %x block 2 : (tensor<1x6x5x5xf32>) -> tensor<1x1x10x10xf32>
  return
}

// -----

func.func @f(%x: tensor<1x6x5x5xf32>) {
  // expected-error@+1 {{'snug.depth_to_space' op expected a block of at least 1, whose square fits 64 bits, got 0}}
  %0 = snug.depth_to_space %x block 0 : (tensor<1x6x5x5xf32>) -> tensor<1x1x10x10xf32>
  return
}

// -----

func.func @f(%x: tensor<1x6x5x4xf32>) {
  // expected-error@+1 {{'snug.space_to_depth' op expected height and width that are multiples of the block of 2, got 5x4}}
  %0 = snug.space_to_depth %x block 2 : (tensor<1x6x5x4xf32>) -> tensor<1x24x2x2xf32>
  return
}

// -----

func.func @f(%x: tensor<1x6x5x4xf32>) {
  // expected-error@+1 {{'snug.channel_shuffle' op expected groups that divide 6 channels, got 4}}
  %0 = snug.channel_shuffle %x groups 4 : tensor<1x6x5x4xf32>
  return
}

// -----

func.func @f(%x: tensor<1x6x5x4xf32>) {
  // expected-error@+1 {{'snug.opaque' op expected the name of an ONNX operator}}
  %0 = snug.opaque ""(%x) : (tensor<1x6x5x4xf32>) -> tensor<1xf32>
  return
}

// -----

func.func @f(%x: tensor<1x6x5x4xf32>) {
  // expected-error@+1 {{'snug.opaque' op expected at least one result}}
  snug.opaque "Foo"(%x) : (tensor<1x6x5x4xf32>) -> ()
  return
}

// -----

func.func @f(%x: tensor<1x1x1x1x1x1x1xf32>) {
  // expected-error@+1 {{'snug.unary' op operand #0 must be tensor of f32 of rank 0 to 6}}
  %0 = snug.unary relu %x : tensor<1x1x1x1x1x1x1xf32>
  return
}
