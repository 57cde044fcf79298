// RUN: snug-opt %s --snug-annotate-memory="target=portable" --split-input-file --verify-diagnostics
// RUN: not snug-opt %s --split-input-file --snug-annotate-memory="target=sse9" 2>&1 | FileCheck %s --check-prefix=TARGET
// RUN: not snug-opt %s --split-input-file --snug-annotate-memory="device=nothing" 2>&1 | FileCheck %s --check-prefix=DEVICE

// TARGET: unknown target 'sse9'; known are host, portable, avx2, avx512
// DEVICE: unknown device 'nothing'; known are generic-cpu, jetson-tx2, or give the path of a profile that ends in .json

// expected-error @below {{output 'output1' is a constant: nothing to compute}}
func.func @returns_a_constant(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %c = snug.constant dense<1.0> : tensor<4xf32>
  %0 = snug.unary relu %x : tensor<4xf32>
  return %0, %c : tensor<4xf32>, tensor<4xf32>
}

// -----

// expected-error @below {{output 'y' is an input; run snug-separate-outputs before}}
func.func @returns_its_input(%x: tensor<1x4x8x8xf32>) -> (tensor<1x4x8x8xf32> {snug.name = "y"}) {
  return %x : tensor<1x4x8x8xf32>
}

// -----

// expected-error @below {{output 'output1' is the same tensor as an output before it; run snug-separate-outputs before}}
func.func @returns_twice(%x: tensor<1x4x8x8xf32>) -> (tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>) {
  %0 = snug.unary relu %x : tensor<1x4x8x8xf32>
  return %0, %0 : tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>
}

// -----

// expected-error @below {{tensor 'input1' must be a static float32 tensor, got 'tensor<?x4xf32>'}}
func.func @dynamic(%x: tensor<1x4x8x8xf32>, %y: tensor<?x4xf32>) -> tensor<1x4x8x8xf32> {
  %0 = snug.unary relu %x : tensor<1x4x8x8xf32>
  return %0 : tensor<1x4x8x8xf32>
}

// -----

func.func @constant_input() -> tensor<1x4x8x8xf32> {
  %0 = snug.constant dense<1.0> : tensor<1x4x8x8xf32>
  // expected-error @below {{a constant stands where an activation is expected; fold constants before planning}}
  %1 = snug.unary relu %0 : tensor<1x4x8x8xf32>
  return %1 : tensor<1x4x8x8xf32>
}

// -----

// expected-error @below {{a network is a function with a body of one block}}
func.func private @external(tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>

// -----

func.func @constant_into_group() -> tensor<1x4x8x8xf32> {
  %0 = snug.constant dense<1.0> : tensor<1x4x8x8xf32>
  // expected-error @below {{a constant stands where an activation is expected; fold constants before planning}}
  %1 = snug.fused_group(%in = %0) schedule(#snug.grid<tiles = [2, 2]>) : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32> {
    %2 = snug.unary relu %in : tensor<1x4x8x8xf32>
    snug.yield %2 : tensor<1x4x8x8xf32>
  }
  return %1 : tensor<1x4x8x8xf32>
}
