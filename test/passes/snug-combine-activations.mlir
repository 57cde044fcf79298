// RUN: snug-opt %s --split-input-file --snug-combine-activations | FileCheck %s

// The example of the description.
// CHECK-LABEL: func.func @example
// CHECK-NEXT: %[[SILU:.*]] = snug.unary silu %{{.*}} : tensor<1x2x4x4xf32>
// CHECK-NEXT: return %[[SILU]]
func.func @example(%x: tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32> {
  %0 = snug.unary sigmoid %x : tensor<1x2x4x4xf32>
  %1 = snug.binary mul %x, %0 : (tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  return %1 : tensor<1x2x4x4xf32>
}

// -----

// The gate on the left, and tanh(softplus(x)).
// CHECK-LABEL: func.func @mish
// CHECK-NEXT: snug.unary mish
// CHECK-NEXT: return
func.func @mish(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = snug.unary softplus %x : tensor<2x3xf32>
  %1 = snug.unary tanh %0 : tensor<2x3xf32>
  %2 = snug.binary mul %1, %x : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return %2 : tensor<2x3xf32>
}

// -----

// As it is written out: x * (relu6(x + 3) / 6), x * relu6(x + 3) / 6, and with
// clip and a product instead.
// CHECK-LABEL: func.func @hard
// CHECK-NEXT: snug.unary hard_swish
// CHECK-NEXT: snug.unary hard_swish
// CHECK-NEXT: snug.unary hard_sigmoid(0.16666667, 0.5)
// CHECK-NEXT: snug.unary hard_swish
// CHECK-NEXT: return
func.func @hard(%x: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>) {
  %three = snug.constant dense<3.0> : tensor<f32>
  %six = snug.constant dense<6.0> : tensor<1xf32>
  %sixth = snug.constant dense<0.16666667> : tensor<f32>
  %0 = snug.binary add %x, %three : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %1 = snug.unary relu6 %0 : tensor<2x3xf32>
  %2 = snug.binary div %1, %six : (tensor<2x3xf32>, tensor<1xf32>) -> tensor<2x3xf32>
  %3 = snug.binary mul %x, %2 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %4 = snug.binary add %three, %x : (tensor<f32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %5 = snug.unary clip(0.0, 6.0) %4 : tensor<2x3xf32>
  %6 = snug.binary mul %x, %5 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %7 = snug.binary div %6, %six : (tensor<2x3xf32>, tensor<1xf32>) -> tensor<2x3xf32>
  %8 = snug.binary add %x, %three : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %9 = snug.unary relu6 %8 : tensor<2x3xf32>
  %10 = snug.binary mul %sixth, %9 : (tensor<f32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %11 = snug.unary hard_sigmoid(0.16666667, 0.5) %x : tensor<2x3xf32>
  %12 = snug.binary mul %11, %x : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return %3, %7, %10, %12 : tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>
}

// -----

// x * (1 + erf(x / 1.414)) * 0.5, and (0.5 * x) * (erf(x * 0.707) + 1).
// CHECK-LABEL: func.func @gelu
// CHECK-NEXT: snug.unary gelu
// CHECK-NEXT: snug.unary gelu
// CHECK-NEXT: return
func.func @gelu(%x: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>) {
  %root = snug.constant dense<1.41421354> : tensor<f32>
  %inverse = snug.constant dense<0.707106769> : tensor<f32>
  %one = snug.constant dense<1.0> : tensor<f32>
  %half = snug.constant dense<0.5> : tensor<f32>
  %0 = snug.binary div %x, %root : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %1 = snug.unary erf %0 : tensor<2x3xf32>
  %2 = snug.binary add %1, %one : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %3 = snug.binary mul %x, %2 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %4 = snug.binary mul %3, %half : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %5 = snug.binary mul %half, %x : (tensor<f32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %6 = snug.binary mul %x, %inverse : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %7 = snug.unary erf %6 : tensor<2x3xf32>
  %8 = snug.binary add %one, %7 : (tensor<f32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %9 = snug.binary mul %5, %8 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return %4, %9 : tensor<2x3xf32>, tensor<2x3xf32>
}

// -----

// Bounds behind one another; [0, 6] and [0, infinity] have names of their own.
// CHECK-LABEL: func.func @clips
// CHECK-SAME: (%[[X:.*]]: tensor<3xf32>)
// CHECK-NEXT: %[[A:.*]] = snug.unary relu6 %[[X]]
// CHECK-NEXT: %[[B:.*]] = snug.unary relu %[[X]]
// CHECK-NEXT: %[[C:.*]] = snug.unary clip(-1.0, 2.0) %[[X]]
// CHECK-NEXT: %[[D:.*]] = snug.unary clip(5.0, 5.0) %[[X]]
// CHECK-NEXT: return %[[A]], %[[B]], %[[C]], %[[D]], %[[X]]
func.func @clips(%x: tensor<3xf32>) -> (tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) {
  %zero = snug.constant dense<0.0> : tensor<f32>
  %six = snug.constant dense<6.0> : tensor<f32>
  %0 = snug.binary max %x, %zero : (tensor<3xf32>, tensor<f32>) -> tensor<3xf32>
  %1 = snug.binary min %six, %0 : (tensor<f32>, tensor<3xf32>) -> tensor<3xf32>
  %2 = snug.unary clip(0.0, inf) %x : tensor<3xf32>
  %3 = snug.unary clip(-1.0, 3.0) %x : tensor<3xf32>
  %4 = snug.unary clip(-2.0, 2.0) %3 : tensor<3xf32>
  %5 = snug.unary clip(-inf, 1.0) %x : tensor<3xf32>
  %6 = snug.unary clip(5.0, 9.0) %5 : tensor<3xf32>
  %7 = snug.unary clip(-inf, inf) %x : tensor<3xf32>
  return %1, %2, %4, %6, %7 : tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>
}

// -----

// Another tensor's gate, one that is read again, an output in between, another
// number, and a gate that is broadcast stay.
// CHECK-LABEL: func.func @others
// CHECK-NOT: silu
// CHECK-NOT: hard_swish
// CHECK-NOT: gelu
// CHECK: return
func.func @others(%x: tensor<2x3xf32>, %y: tensor<2x3xf32>, %g: tensor<1x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>) {
  %three = snug.constant dense<3.0> : tensor<f32>
  %five = snug.constant dense<5.0> : tensor<f32>
  %0 = snug.unary sigmoid %y : tensor<2x3xf32>
  %1 = snug.binary mul %x, %0 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %2 = snug.unary sigmoid %x : tensor<2x3xf32>
  %3 = snug.binary mul %x, %2 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %4 = snug.binary add %x, %three : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %5 = snug.unary relu6 %4 : tensor<2x3xf32>
  %6 = snug.binary mul %x, %5 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %7 = snug.binary div %6, %five : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %8 = snug.unary sigmoid %g : tensor<1x3xf32>
  %9 = snug.binary mul %x, %8 : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<2x3xf32>
  %10 = snug.unary hard_sigmoid(0.2, 0.5) %x : tensor<2x3xf32>
  %11 = snug.binary mul %x, %10 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return %1, %2, %3, %7, %9, %11 : tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>
}
