// RUN: snug-opt %s --snug-annotate-training="batch=2" | FileCheck %s

// The example of the description: the input of two images is kept, 2 * 4 * 8 * 8
// elements of 4 bytes; weights, gradients and momentum are 16 elements each.
// CHECK-LABEL: func.func @example
// CHECK-SAME: snug.training = {batch = 2 : i64, gradients = 64 : i64, latency_us = {{[0-9]+}} : i64, optimizer_state = 64 : i64
// CHECK-SAME: total = {{[0-9]+}} : i64
func.func @example(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32> {
  %filter = snug.constant dense<0.0> : tensor<4x4x1x1xf32>
  // CHECK: snug.conv2d
  // CHECK-SAME: snug.training = {keeps = "input", kept = 2048 : i64, latency_us = {{[0-9]+}} : i64}
  %0 = snug.conv2d %x filter %filter
    : (tensor<1x4x8x8xf32>, tensor<4x4x1x1xf32>) -> tensor<1x4x8x8xf32>
  return %0 : tensor<1x4x8x8xf32>
}
