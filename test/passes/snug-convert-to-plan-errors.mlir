// RUN: snug-opt %s --snug-convert-to-plan="target=portable" --split-input-file --verify-diagnostics
// RUN: not snug-opt %s --split-input-file --snug-convert-to-plan="target=portable threads=257" 2>&1 | FileCheck %s

// CHECK: threads must be between 1 and 256, got 257

func.func @main(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32> {
  %0 = snug.unary relu %x : tensor<1x4x8x8xf32>
  return %0 : tensor<1x4x8x8xf32>
}

// expected-error @below {{a model has one function, this is a second one}}
func.func @other(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32> {
  %0 = snug.unary relu %x : tensor<1x4x8x8xf32>
  return %0 : tensor<1x4x8x8xf32>
}

// -----

// expected-error @below {{the module has no function with a network}}
module {
}

// -----

func.func @foreign(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32> {
  // expected-error @below {{'builtin.unrealized_conversion_cast' has no place in a network: only operations of the snug dialect with a result do}}
  %0 = builtin.unrealized_conversion_cast %x : tensor<1x4x8x8xf32> to tensor<1x4x8x8xf32>
  return %0 : tensor<1x4x8x8xf32>
}

// -----

func.func @norm(%x: tensor<1x1x2x2xf32>, %mean: tensor<1xf32>) -> tensor<1x1x2x2xf32> {
  %one = snug.constant dense<1.0> : tensor<1xf32>
  // expected-error @below {{operand 3 must be a constant: weights that are computed at run time cannot be packed}}
  %0 = snug.batch_norm %x scale %one shift %one mean %mean variance %one epsilon 0.0
      : (tensor<1x1x2x2xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x1x2x2xf32>
  return %0 : tensor<1x1x2x2xf32>
}

// -----

func.func @identity(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32> {
  // expected-error @below {{has no kernel; run snug-fold-identity before}}
  %0 = snug.identity %x : tensor<1x4x8x8xf32>
  return %0 : tensor<1x4x8x8xf32>
}

// -----

// expected-error @below {{the network is a program already; snug-convert-to-plan runs once}}
snug_plan.program @converted target "portable" threads 1 {
}
