// RUN: snug-opt %s --snug-separate-outputs | FileCheck %s
// RUN: snug-opt %s --snug-separate-outputs --snug-separate-outputs | FileCheck %s

// CHECK-LABEL: func.func @twice
func.func @twice(%x: tensor<1x2x4x4xf32>) -> (tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>) {
  // CHECK: %[[Y:.*]] = snug.unary relu %arg0
  // CHECK: %[[Z:.*]] = snug.unary leaky_relu(1.0{{.*}}) %[[Y]]
  // CHECK: return %[[Y]], %[[Z]]
  %0 = snug.unary relu %x : tensor<1x2x4x4xf32>
  return %0, %0 : tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>
}

// An input, an output, the same output twice more.
// CHECK-LABEL: func.func @views
func.func @views(%x: tensor<1x2x4x4xf32>) -> (tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32> {snug.name = "z"}, tensor<1x2x4x4xf32>) {
  // CHECK: %[[Y:.*]] = snug.unary relu %arg0
  // CHECK: %[[A:.*]] = snug.unary leaky_relu(1.0{{.*}}) %arg0
  // CHECK: %[[Z:.*]] = snug.unary leaky_relu(1.0{{.*}}) %[[Y]]
  // CHECK: %[[B:.*]] = snug.unary leaky_relu(1.0{{.*}}) %[[Y]]
  // CHECK: return %[[A]], %[[Y]], %[[Z]], %[[B]]
  %y = snug.unary relu %x : tensor<1x2x4x4xf32>
  return %x, %y, %y, %y : tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>
}

// Nothing to do; a constant is nothing that is computed.
// CHECK-LABEL: func.func @apart
func.func @apart(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  // CHECK-NOT: leaky_relu
  %c = snug.constant dense<1.0> : tensor<4xf32>
  %y = snug.unary relu %x : tensor<4xf32>
  %z = snug.unary exp %y : tensor<4xf32>
  return %y, %z, %c : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}
