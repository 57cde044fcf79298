// RUN: snug-opt %s --split-input-file --snug-fold-affine | FileCheck %s

// The example of the description: 2 * 1.5 and 2 * 0 + 0.5.
// CHECK-LABEL: func.func @example
func.func @example(%x: tensor<1x1x2x2xf32>) -> tensor<1x1x2x2xf32> {
  // CHECK-NEXT: %[[FILTER:.*]] = snug.constant dense<3.000000e+00> : tensor<1x1x1x1xf32>
  // CHECK-NEXT: %[[BIAS:.*]] = snug.constant dense<5.000000e-01> : tensor<1xf32>
  // CHECK-NEXT: %[[CONV:.*]] = snug.conv2d %{{.*}} filter %[[FILTER]] bias %[[BIAS]] :
  // CHECK-NEXT: return %[[CONV]]
  %filter = snug.constant dense<1.5> : tensor<1x1x1x1xf32>
  %factor = snug.constant dense<2.0> : tensor<f32>
  %summand = snug.constant dense<0.5> : tensor<1x1x1xf32>
  %0 = snug.conv2d %x filter %filter : (tensor<1x1x2x2xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x2x2xf32>
  %1 = snug.binary mul %0, %factor : (tensor<1x1x2x2xf32>, tensor<f32>) -> tensor<1x1x2x2xf32>
  %2 = snug.binary add %summand, %1 : (tensor<1x1x1xf32>, tensor<1x1x2x2xf32>) -> tensor<1x1x2x2xf32>
  return %2 : tensor<1x1x2x2xf32>
}

// -----

// Channel by channel, in a transposed convolution of two groups: its filter is
// [4, 1 a group, 1, 2], channels 0 to 1 of the input make channel 0.
// CHECK-LABEL: func.func @transposed
func.func @transposed(%x: tensor<1x4x1x1xf32>) -> tensor<1x2x1x2xf32> {
  // CHECK: snug.constant dense<{{\[\[\[}}[2.000000e+00, 4.000000e+00]]], {{\[\[}}[6.000000e+00, 8.000000e+00]]], {{\[\[}}[1.500000e+01, 1.800000e+01]]], {{\[\[}}[2.100000e+01, 2.400000e+01]]]]>
  // CHECK-NEXT: snug.constant dense<[2.000000e+01, 6.000000e+01]>
  // CHECK-NOT: snug.binary
  %filter = snug.constant dense<[[[[1.0, 2.0]]], [[[3.0, 4.0]]], [[[5.0, 6.0]]], [[[7.0, 8.0]]]]> : tensor<4x1x1x2xf32>
  %bias = snug.constant dense<[10.0, 20.0]> : tensor<2xf32>
  %factor = snug.constant dense<[[[2.0]], [[3.0]]]> : tensor<2x1x1xf32>
  %0 = snug.conv_transpose2d %x filter %filter bias %bias groups 2 : (tensor<1x4x1x1xf32>, tensor<4x1x1x2xf32>, tensor<2xf32>) -> tensor<1x2x1x2xf32>
  %1 = snug.binary mul %0, %factor : (tensor<1x2x1x2xf32>, tensor<2x1x1xf32>) -> tensor<1x2x1x2xf32>
  return %1 : tensor<1x2x1x2xf32>
}

// -----

// 1 - (x W) / [2, 4]: both layouts of a weight.
// CHECK-LABEL: func.func @gemm
func.func @gemm(%x: tensor<3x2xf32>) -> (tensor<3x2xf32>, tensor<3x2xf32>) {
  // CHECK-DAG: snug.constant dense<{{\[}}[-5.000000e-01, -5.000000e-01], [-1.500000e+00, -1.000000e+00]]> : tensor<2x2xf32>
  // CHECK-DAG: snug.constant dense<{{\[}}[-5.000000e-01, -1.000000e+00], [-7.500000e-01, -1.000000e+00]]> : tensor<2x2xf32>
  // CHECK-NOT: snug.binary
  %weight = snug.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %divisor = snug.constant dense<[2.0, 4.0]> : tensor<2xf32>
  %one = snug.constant dense<1.0> : tensor<1x1xf32>
  %0 = snug.gemm %x weight %weight : (tensor<3x2xf32>, tensor<2x2xf32>) -> tensor<3x2xf32>
  %1 = snug.binary div %0, %divisor : (tensor<3x2xf32>, tensor<2xf32>) -> tensor<3x2xf32>
  %2 = snug.binary sub %one, %1 : (tensor<1x1xf32>, tensor<3x2xf32>) -> tensor<3x2xf32>
  %3 = snug.gemm %x weight %weight transpose_weight : (tensor<3x2xf32>, tensor<2x2xf32>) -> tensor<3x2xf32>
  %4 = snug.binary div %3, %divisor : (tensor<3x2xf32>, tensor<2xf32>) -> tensor<3x2xf32>
  %5 = snug.binary sub %one, %4 : (tensor<1x1xf32>, tensor<3x2xf32>) -> tensor<3x2xf32>
  return %2, %5 : tensor<3x2xf32>, tensor<3x2xf32>
}

// -----

// A constant with a number an element or a column, a division of or by zero, a
// maximum, a constant that widens the result, an activation in between, a second
// reader and a network output stay.
// CHECK-LABEL: func.func @others
func.func @others(%x: tensor<1x2x2x2xf32>) -> (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) {
  // CHECK-COUNT-8: snug.binary
  %filter = snug.constant dense<1.0> : tensor<2x2x1x1xf32>
  %elements = snug.constant dense<1.0> : tensor<1x2x2x2xf32>
  %columns = snug.constant dense<1.0> : tensor<2xf32>
  %zero = snug.constant dense<0.0> : tensor<f32>
  %batch = snug.constant dense<1.0> : tensor<3x1x1x1xf32>
  %0 = snug.conv2d %x filter %filter : (tensor<1x2x2x2xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x2x2xf32>
  %1 = snug.binary add %0, %elements : (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  %2 = snug.conv2d %1 filter %filter : (tensor<1x2x2x2xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x2x2xf32>
  %3 = snug.binary mul %2, %columns : (tensor<1x2x2x2xf32>, tensor<2xf32>) -> tensor<1x2x2x2xf32>
  %4 = snug.conv2d %3 filter %filter : (tensor<1x2x2x2xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x2x2xf32>
  %5 = snug.binary div %4, %zero : (tensor<1x2x2x2xf32>, tensor<f32>) -> tensor<1x2x2x2xf32>
  %6 = snug.conv2d %5 filter %filter : (tensor<1x2x2x2xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x2x2xf32>
  %7 = snug.binary div %zero, %6 : (tensor<f32>, tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  %8 = snug.conv2d %7 filter %filter activation relu : (tensor<1x2x2x2xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x2x2xf32>
  %9 = snug.binary add %8, %zero : (tensor<1x2x2x2xf32>, tensor<f32>) -> tensor<1x2x2x2xf32>
  %10 = snug.conv2d %9 filter %filter : (tensor<1x2x2x2xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x2x2xf32>
  %11 = snug.binary add %10, %zero : (tensor<1x2x2x2xf32>, tensor<f32>) -> tensor<1x2x2x2xf32>
  %12 = snug.binary max %11, %zero : (tensor<1x2x2x2xf32>, tensor<f32>) -> tensor<1x2x2x2xf32>
  %13 = snug.conv2d %12 filter %filter : (tensor<1x2x2x2xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x2x2xf32>
  %14 = snug.binary add %13, %batch : (tensor<1x2x2x2xf32>, tensor<3x1x1x1xf32>) -> tensor<3x2x2x2xf32>
  return %10, %12 : tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>
}
