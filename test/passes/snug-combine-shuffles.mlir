// RUN: snug-opt %s --split-input-file --snug-combine-shuffles | FileCheck %s

// The example of the description.
// CHECK-LABEL: func.func @example
// CHECK-NEXT: %[[SHUFFLED:.*]] = snug.channel_shuffle %{{.*}} groups 2 : tensor<1x6x4x4xf32>
// CHECK-NEXT: return %[[SHUFFLED]]
func.func @example(%x: tensor<1x6x4x4xf32>) -> tensor<1x6x4x4xf32> {
  %0 = snug.reshape %x : tensor<1x6x4x4xf32> -> tensor<1x2x3x4x4xf32>
  %1 = snug.transpose %0 permutation [0, 2, 1, 3, 4] : (tensor<1x2x3x4x4xf32>) -> tensor<1x3x2x4x4xf32>
  %2 = snug.reshape %1 : tensor<1x3x2x4x4xf32> -> tensor<1x6x4x4xf32>
  return %2 : tensor<1x6x4x4xf32>
}

// -----

// Pixels as one axis, batch and groups as one.
// CHECK-LABEL: func.func @other_shape
// CHECK-NEXT: snug.channel_shuffle %{{.*}} groups 3
// CHECK-NEXT: return
func.func @other_shape(%x: tensor<1x6x4x4xf32>) -> tensor<1x6x4x4xf32> {
  %0 = snug.reshape %x : tensor<1x6x4x4xf32> -> tensor<3x2x16xf32>
  %1 = snug.transpose %0 permutation [1, 0, 2] : (tensor<3x2x16xf32>) -> tensor<2x3x16xf32>
  %2 = snug.reshape %1 : tensor<2x3x16xf32> -> tensor<1x6x4x4xf32>
  return %2 : tensor<1x6x4x4xf32>
}

// -----

// As PyTorch's pixel_shuffle exports, and as ONNX defines dcr.
// CHECK-LABEL: func.func @depth_to_space
// CHECK-NEXT: snug.depth_to_space %{{.*}} block 2 mode crd :
// CHECK-NEXT: snug.depth_to_space %{{.*}} block 2 :
// CHECK-NEXT: return
func.func @depth_to_space(%x: tensor<2x12x3x5xf32>) -> (tensor<2x3x6x10xf32>, tensor<2x3x6x10xf32>) {
  %0 = snug.reshape %x : tensor<2x12x3x5xf32> -> tensor<2x3x2x2x3x5xf32>
  %1 = snug.transpose %0 permutation [0, 1, 4, 2, 5, 3] : (tensor<2x3x2x2x3x5xf32>) -> tensor<2x3x3x2x5x2xf32>
  %2 = snug.reshape %1 : tensor<2x3x3x2x5x2xf32> -> tensor<2x3x6x10xf32>
  %3 = snug.reshape %x : tensor<2x12x3x5xf32> -> tensor<2x2x2x3x3x5xf32>
  %4 = snug.transpose %3 permutation [0, 3, 4, 1, 5, 2] : (tensor<2x2x2x3x3x5xf32>) -> tensor<2x3x3x2x5x2xf32>
  %5 = snug.reshape %4 : tensor<2x3x3x2x5x2xf32> -> tensor<2x3x6x10xf32>
  return %2, %5 : tensor<2x3x6x10xf32>, tensor<2x3x6x10xf32>
}

// -----

// CHECK-LABEL: func.func @space_to_depth
// CHECK-NEXT: snug.space_to_depth %{{.*}} block 2 :
// CHECK-NEXT: return
func.func @space_to_depth(%x: tensor<2x3x6x10xf32>) -> tensor<2x12x3x5xf32> {
  %0 = snug.reshape %x : tensor<2x3x6x10xf32> -> tensor<2x3x3x2x5x2xf32>
  %1 = snug.transpose %0 permutation [0, 3, 5, 1, 2, 4] : (tensor<2x3x3x2x5x2xf32>) -> tensor<2x2x2x3x3x5xf32>
  %2 = snug.reshape %1 : tensor<2x2x2x3x3x5xf32> -> tensor<2x12x3x5xf32>
  return %2 : tensor<2x12x3x5xf32>
}

// -----

// Another order of the block's channels, a transposition that is read by more,
// and one of whole images stay.
// CHECK-LABEL: func.func @others
// CHECK-NOT: snug.channel_shuffle
// CHECK-NOT: snug.space_to_depth
// CHECK: return
func.func @others(%x: tensor<1x4x4x4xf32>) -> (tensor<1x16x2x2xf32>, tensor<1x2x2x4x4xf32>, tensor<1x4x4x4xf32>, tensor<1x4x4x4xf32>) {
  %0 = snug.reshape %x : tensor<1x4x4x4xf32> -> tensor<1x4x2x2x2x2xf32>
  %1 = snug.transpose %0 permutation [0, 1, 3, 5, 2, 4] : (tensor<1x4x2x2x2x2xf32>) -> tensor<1x4x2x2x2x2xf32>
  %2 = snug.reshape %1 : tensor<1x4x2x2x2x2xf32> -> tensor<1x16x2x2xf32>
  %3 = snug.reshape %x : tensor<1x4x4x4xf32> -> tensor<1x2x2x4x4xf32>
  %4 = snug.transpose %3 permutation [0, 2, 1, 3, 4] : (tensor<1x2x2x4x4xf32>) -> tensor<1x2x2x4x4xf32>
  %5 = snug.reshape %4 : tensor<1x2x2x4x4xf32> -> tensor<1x4x4x4xf32>
  %6 = snug.reshape %x : tensor<1x4x4x4xf32> -> tensor<1x4x16xf32>
  %7 = snug.transpose %6 permutation [0, 2, 1] : (tensor<1x4x16xf32>) -> tensor<1x16x4xf32>
  %8 = snug.reshape %7 : tensor<1x16x4xf32> -> tensor<1x4x4x4xf32>
  return %2, %4, %5, %8 : tensor<1x16x2x2xf32>, tensor<1x2x2x4x4xf32>, tensor<1x4x4x4xf32>, tensor<1x4x4x4xf32>
}
