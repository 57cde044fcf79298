// RUN: snug-opt %s --snug-verify-folded | FileCheck %s

// CHECK-LABEL: func.func @folded
func.func @folded(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32> {
  %0 = snug.unary relu %x : tensor<1x4x8x8xf32>
  return %0 : tensor<1x4x8x8xf32>
}
