// RUN: snug-opt %s --split-input-file --snug-fold-batch-norm | FileCheck %s

// The example of the description: factor = 3 / sqrt(4) = 1.5, the filter
// 1.5 * 1, the bias 1.5 * (2 - -1) + -0.5 = 4. Nothing else is left.
// CHECK-LABEL: func.func @example
func.func @example(%x: tensor<1x1x2x2xf32>) -> tensor<1x1x2x2xf32> {
  // CHECK-NEXT: %[[FILTER:.*]] = snug.constant dense<1.500000e+00> : tensor<1x1x1x1xf32>
  // CHECK-NEXT: %[[BIAS:.*]] = snug.constant dense<4.000000e+00> : tensor<1xf32>
  // CHECK-NEXT: %[[CONV:.*]] = snug.conv2d %{{.*}} filter %[[FILTER]] bias %[[BIAS]] :
  // CHECK-NEXT: return %[[CONV]]
  %filter = snug.constant dense<1.0> : tensor<1x1x1x1xf32>
  %bias = snug.constant dense<2.0> : tensor<1xf32>
  %scale = snug.constant dense<3.0> : tensor<1xf32>
  %shift = snug.constant dense<-0.5> : tensor<1xf32>
  %mean = snug.constant dense<-1.0> : tensor<1xf32>
  %variance = snug.constant dense<4.0> : tensor<1xf32>
  %0 = snug.conv2d %x filter %filter bias %bias
      : (tensor<1x1x2x2xf32>, tensor<1x1x1x1xf32>, tensor<1xf32>) -> tensor<1x1x2x2xf32>
  %1 = snug.batch_norm %0 scale %scale shift %shift mean %mean variance %variance epsilon 0.0
      : (tensor<1x1x2x2xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x1x2x2xf32>
  return %1 : tensor<1x1x2x2xf32>
}

// -----

// In a group, without a bias, channel by channel (of two groups); a second
// batch norm folds into what the first one left.
// factors 2 and 4: filter 2 * [1, 2], 4 * [3, 4]; bias 2 * (0 - 1) + 0, 4 * (0 - 1) + 1.
// then 1 / sqrt(4) = 0.5 of all, and 0.5 * (bias - 2) + 0.
// CHECK-LABEL: func.func @group
func.func @group(%x: tensor<1x4x2x2xf32>) -> tensor<1x2x2x2xf32> {
  %0 = snug.fused_group(%in = %x) schedule(#snug.grid<tiles = [1, 2]>) : (tensor<1x4x2x2xf32>) -> tensor<1x2x2x2xf32> {
    // CHECK: %[[FILTER:.*]] = snug.constant dense<{{\[}}{{\[}}{{\[}}[1.000000e+00]], {{\[}}[2.000000e+00]]], {{\[}}{{\[}}[6.000000e+00]], {{\[}}[8.000000e+00]]]]>
    // CHECK-NEXT: %[[BIAS:.*]] = snug.constant dense<[-2.000000e+00, -2.500000e+00]>
    // CHECK-NEXT: %[[CONV:.*]] = snug.conv2d %{{.*}} filter %[[FILTER]] bias %[[BIAS]] groups 2 :
    // CHECK-NEXT: snug.yield %[[CONV]]
    %filter = snug.constant dense<[[[[1.0]], [[2.0]]], [[[3.0]], [[4.0]]]]> : tensor<2x2x1x1xf32>
    %scale = snug.constant dense<[2.0, 4.0]> : tensor<2xf32>
    %shift = snug.constant dense<[0.0, 1.0]> : tensor<2xf32>
    %one = snug.constant dense<1.0> : tensor<2xf32>
    %zero = snug.constant dense<0.0> : tensor<2xf32>
    %two = snug.constant dense<2.0> : tensor<2xf32>
    %four = snug.constant dense<4.0> : tensor<2xf32>
    %1 = snug.conv2d %in filter %filter groups 2 : (tensor<1x4x2x2xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x2x2xf32>
    %2 = snug.batch_norm %1 scale %scale shift %shift mean %one variance %one epsilon 0.0
        : (tensor<1x2x2x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x2x2xf32>
    %3 = snug.batch_norm %2 scale %one shift %zero mean %two variance %four epsilon 0.0
        : (tensor<1x2x2x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x2x2xf32>
    snug.yield %3 : tensor<1x2x2x2xf32>
  }
  return %0 : tensor<1x2x2x2xf32>
}

// -----

// A filter that another convolution uses, too, stays as it was for that one.
// CHECK-LABEL: func.func @shared_filter
func.func @shared_filter(%x: tensor<1x1x2x2xf32>) -> tensor<1x1x2x2xf32> {
  // CHECK-DAG: %[[OLD:.*]] = snug.constant dense<1.000000e+00> : tensor<1x1x1x1xf32>
  // CHECK-DAG: %[[NEW:.*]] = snug.constant dense<2.000000e+00> : tensor<1x1x1x1xf32>
  // CHECK: snug.conv2d %{{.*}} filter %[[NEW]] bias
  // CHECK: snug.conv2d %{{.*}} filter %[[OLD]] :
  %filter = snug.constant dense<1.0> : tensor<1x1x1x1xf32>
  %one = snug.constant dense<1.0> : tensor<1xf32>
  %two = snug.constant dense<2.0> : tensor<1xf32>
  %0 = snug.conv2d %x filter %filter : (tensor<1x1x2x2xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x2x2xf32>
  %1 = snug.batch_norm %0 scale %two shift %one mean %one variance %one epsilon 0.0
      : (tensor<1x1x2x2xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x1x2x2xf32>
  %2 = snug.conv2d %1 filter %filter : (tensor<1x1x2x2xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x2x2xf32>
  return %2 : tensor<1x1x2x2xf32>
}

// -----

// Where the convolution has an activation, a residual, another user, or a filter
// that is not constant, and where there is none, the batch norm stays.
// CHECK-LABEL: func.func @stays
func.func @stays(%x: tensor<1x1x2x2xf32>, %f: tensor<1x1x1x1xf32>) -> (tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32>) {
  // CHECK-COUNT-5: snug.batch_norm
  %filter = snug.constant dense<1.0> : tensor<1x1x1x1xf32>
  %one = snug.constant dense<1.0> : tensor<1xf32>
  %0 = snug.batch_norm %x scale %one shift %one mean %one variance %one
      : (tensor<1x1x2x2xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x1x2x2xf32>
  %1 = snug.conv2d %0 filter %filter activation relu : (tensor<1x1x2x2xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x2x2xf32>
  %2 = snug.batch_norm %1 scale %one shift %one mean %one variance %one
      : (tensor<1x1x2x2xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x1x2x2xf32>
  %3 = snug.conv2d %2 filter %filter residual %x
      : (tensor<1x1x2x2xf32>, tensor<1x1x1x1xf32>, tensor<1x1x2x2xf32>) -> tensor<1x1x2x2xf32>
  %4 = snug.batch_norm %3 scale %one shift %one mean %one variance %one
      : (tensor<1x1x2x2xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x1x2x2xf32>
  %5 = snug.conv2d %4 filter %filter : (tensor<1x1x2x2xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x2x2xf32>
  %6 = snug.batch_norm %5 scale %one shift %one mean %one variance %one
      : (tensor<1x1x2x2xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x1x2x2xf32>
  %7 = snug.conv2d %6 filter %f : (tensor<1x1x2x2xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x2x2xf32>
  %8 = snug.batch_norm %7 scale %one shift %one mean %one variance %one
      : (tensor<1x1x2x2xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x1x2x2xf32>
  return %5, %8 : tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32>
}

// -----

// Weights in resources stay in resources, rounded once from double precision
// (the bytes below were computed apart, with the formula of the description).
// CHECK-LABEL: func.func @resources
func.func @resources(%x: tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32> {
  // CHECK: %[[FILTER:.*]] = snug.constant dense_resource<conv0.weight.folded> : tensor<2x2x1x1xf32>
  // CHECK: %[[BIAS:.*]] = snug.constant dense_resource<conv0.weight.folded_bias> : tensor<2xf32>
  // CHECK: snug.conv2d %{{.*}} filter %[[FILTER]] bias %[[BIAS]] :
  %filter = snug.constant dense_resource<conv0.weight> : tensor<2x2x1x1xf32>
  %bias = snug.constant dense_resource<conv0.bias> : tensor<2xf32>
  %scale = snug.constant dense_resource<bn0.scale> : tensor<2xf32>
  %shift = snug.constant dense_resource<bn0.shift> : tensor<2xf32>
  %mean = snug.constant dense_resource<bn0.mean> : tensor<2xf32>
  %variance = snug.constant dense_resource<bn0.variance> : tensor<2xf32>
  %0 = snug.conv2d %x filter %filter bias %bias
      : (tensor<1x2x2x2xf32>, tensor<2x2x1x1xf32>, tensor<2xf32>) -> tensor<1x2x2x2xf32>
  %1 = snug.batch_norm %0 scale %scale shift %shift mean %mean variance %variance
      : (tensor<1x2x2x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x2x2xf32>
  return %1 : tensor<1x2x2x2xf32>
}

// Only what is used is printed.
// CHECK-NOT: bn0
// CHECK: conv0.weight.folded: "0x4000000084DDDD3EE26B81BF0861423FE536CB3F"
// CHECK-NEXT: conv0.weight.folded_bias: "0x400000009F6BC1BD3EC473BF"
// CHECK-NOT: bn0
{-#
  dialect_resources: {
    builtin: {
      conv0.weight: "0x040000009A99993E333333BFCDCC8C3F33331340",
      conv0.bias: "0x04000000CDCCCC3DCDCC4CBE",
      bn0.scale: "0x040000006666A63F6666663F",
      bn0.shift: "0x04000000CDCC4C3DCDCCCCBE",
      bn0.mean: "0x04000000CDCC4C3E9A99193F",
      bn0.variance: "0x04000000295C4F3F9A99D93F"
    }
  }
#-}

// -----

// One constant is the bias, the shift and the mean; another one, a resource,
// is a filter and a scale. Both go with the last of their uses.
// factor 2 / sqrt(1), filter 2 * 2, bias 2 * (3 - 3) + 3.
// CHECK-LABEL: func.func @one_constant_for_all
func.func @one_constant_for_all(%x: tensor<1x1x2x2xf32>) -> tensor<1x1x2x2xf32> {
  // CHECK-NEXT: %[[FILTER:.*]] = snug.constant dense_resource<two.folded> : tensor<1x1x1x1xf32>
  // CHECK-NEXT: %[[BIAS:.*]] = snug.constant dense_resource<two.folded_bias> : tensor<1xf32>
  // CHECK-NEXT: %[[CONV:.*]] = snug.conv2d %{{.*}} filter %[[FILTER]] bias %[[BIAS]] :
  // CHECK-NEXT: return %[[CONV]]
  %filter = snug.constant dense_resource<two> : tensor<1x1x1x1xf32>
  %scale = snug.constant dense_resource<two> : tensor<1xf32>
  %bias = snug.constant dense<3.0> : tensor<1xf32>
  %one = snug.constant dense<1.0> : tensor<1xf32>
  %0 = snug.conv2d %x filter %filter bias %bias
      : (tensor<1x1x2x2xf32>, tensor<1x1x1x1xf32>, tensor<1xf32>) -> tensor<1x1x2x2xf32>
  %1 = snug.batch_norm %0 scale %scale shift %bias mean %bias variance %one epsilon 0.0
      : (tensor<1x1x2x2xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x1x2x2xf32>
  return %1 : tensor<1x1x2x2xf32>
}

// CHECK: two.folded: "0x4000000000008040"
// CHECK: two.folded_bias: "0x4000000000004040"

{-#
  dialect_resources: {
    builtin: { two: "0x4000000000000040" }
  }
#-}

// -----

// Into a transposed convolution and a fully connected layer: factor 2, shift 1.
// CHECK-LABEL: func.func @layers
// CHECK-NOT: snug.batch_norm
// CHECK-DAG: snug.constant dense<2.000000e+00> : tensor<1x1x1x1xf32>
// CHECK-DAG: snug.constant dense<6.000000e+00> : tensor<1x1xf32>
// CHECK: snug.gemm %{{.*}} weight %{{.*}} bias %{{.*}} :
func.func @layers(%x: tensor<1x1x1x1xf32>) -> tensor<1x1xf32> {
  %filter = snug.constant dense<[[[[1.0]]]]> : tensor<1x1x1x1xf32>
  %weight = snug.constant dense<[[3.0]]> : tensor<1x1xf32>
  %two = snug.constant dense<2.0> : tensor<1xf32>
  %one = snug.constant dense<1.0> : tensor<1xf32>
  %zero = snug.constant dense<0.0> : tensor<1xf32>
  %0 = snug.conv_transpose2d %x filter %filter : (tensor<1x1x1x1xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x1x1xf32>
  %1 = snug.batch_norm %0 scale %two shift %one mean %zero variance %one epsilon 0.0
      : (tensor<1x1x1x1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x1x1x1xf32>
  %2 = snug.reshape %1 : tensor<1x1x1x1xf32> -> tensor<1x1xf32>
  %3 = snug.gemm %2 weight %weight : (tensor<1x1xf32>, tensor<1x1xf32>) -> tensor<1x1xf32>
  %4 = snug.batch_norm %3 scale %two shift %one mean %zero variance %one epsilon 0.0
      : (tensor<1x1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x1xf32>
  return %4 : tensor<1x1xf32>
}
