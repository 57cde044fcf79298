// RUN: snug-opt %s --split-input-file --verify-diagnostics --snug-annotate-training="batch=2"
// RUN: not snug-opt %s --split-input-file --snug-annotate-training="batch=0" 2>&1 | FileCheck %s --check-prefix=BATCH
// RUN: not snug-opt %s --split-input-file --snug-annotate-training="device=generic-cpu" 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not snug-opt %s --split-input-file --snug-annotate-training="device=toaster" 2>&1 | FileCheck %s --check-prefix=UNKNOWN

// BATCH: error: a batch has at least one image, got 0
// NONE: error: the device 'generic-cpu' has no model of training; fit one with snug fit training
// UNKNOWN: error: unknown device 'toaster'; known are generic-cpu, jetson-tx2

// expected-error @below {{input 'x' has no batch axis: it has 1 axes; export the network with images along the first axis}}
func.func @no_batch(%x: tensor<4xf32> {snug.name = "x"}) -> tensor<4xf32> {
  %0 = snug.unary relu %x : tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// expected-error @below {{input 'y' has 2 images along its first axis, the input before it has 1; export both with one batch size}}
func.func @two_batches(%x: tensor<1x4xf32> {snug.name = "x"}, %y: tensor<2x4xf32> {snug.name = "y"}) -> tensor<2x4xf32> {
  %0 = snug.binary add %x, %y : (tensor<1x4xf32>, tensor<2x4xf32>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// -----

func.func @batch_ends(%x: tensor<1x4x2x2xf32>) -> tensor<4x4xf32> {
  // expected-error @below {{the batch axis ends here: the result is not one of 1 image along the first axis; a network can be trained in batches where each op keeps them apart}}
  %0 = snug.reshape %x : tensor<1x4x2x2xf32> -> tensor<4x4xf32>
  return %0 : tensor<4x4xf32>
}

// -----

func.func @batch_moves(%x: tensor<3x3xf32>) -> tensor<3x3xf32> {
  // expected-error @below {{the batch axis ends here: the result is not one of 3 images along the first axis}}
  %0 = snug.transpose %x permutation [1, 0] : (tensor<3x3xf32>) -> tensor<3x3xf32>
  return %0 : tensor<3x3xf32>
}

// -----

func.func @unknown(%x: tensor<1x3x8x8xf32>) -> tensor<1x3x8x8xf32> {
  // expected-error @below {{what training it takes is not known: operator 'Cosh' is not supported, nor is 1 node behind it; export the model with other operators, or without this part}}
  %0 = snug.opaque "Cosh"(%x) : (tensor<1x3x8x8xf32>) -> tensor<1x3x8x8xf32>
  %1 = snug.opaque "Sinh"(%0) : (tensor<1x3x8x8xf32>) -> tensor<1x3x8x8xf32>
  return %1 : tensor<1x3x8x8xf32>
}

// -----

func.func @folded(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32> {
  %filter = snug.constant dense<0.0> : tensor<4x4x1x1xf32>
  // expected-error @below {{training is estimated of the network as it was imported, but an activation was folded in here; run snug-annotate-training before the passes that fold and fuse}}
  %0 = snug.conv2d %x filter %filter activation relu
    : (tensor<1x4x8x8xf32>, tensor<4x4x1x1xf32>) -> tensor<1x4x8x8xf32>
  return %0 : tensor<1x4x8x8xf32>
}

// -----

func.func @fused(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32> {
  // expected-error @below {{but layers were fused here}}
  %0 = snug.fused_group(%in = %x) schedule(#snug.whole) : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32> {
    %1 = snug.max_pool2d %in kernel [2, 2] strides [2, 2]
      : (tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32>
    snug.yield %1 : tensor<1x4x4x4xf32>
  }
  return %0 : tensor<1x4x4x4xf32>
}
