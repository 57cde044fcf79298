// RUN: snug-opt %s --snug-fold-affine --verify-diagnostics

func.func @f(%x: tensor<1x1x2x2xf32>) -> tensor<1x1x2x2xf32> {
  %filter = snug.constant dense_resource<absent> : tensor<1x1x1x1xf32>
  %two = snug.constant dense<2.0> : tensor<f32>
  // expected-error@+1 {{conv2d cannot be folded: its filter has no values; use a module that was printed with its weights}}
  %0 = snug.conv2d %x filter %filter : (tensor<1x1x2x2xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x2x2xf32>
  %1 = snug.binary mul %0, %two : (tensor<1x1x2x2xf32>, tensor<f32>) -> tensor<1x1x2x2xf32>
  return %1 : tensor<1x1x2x2xf32>
}
