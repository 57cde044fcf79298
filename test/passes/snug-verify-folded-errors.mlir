// RUN: snug-opt %s --snug-verify-folded --split-input-file --verify-diagnostics

func.func @identity(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32> {
  // expected-error @below {{has no kernel; run snug-fold-identity before}}
  %0 = snug.identity %x : tensor<1x4x8x8xf32>
  return %0 : tensor<1x4x8x8xf32>
}

// -----

func.func @softmax(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32> {
  // expected-error @below {{softmax over axis 2 has no kernel; only axis 1 (channels) has}}
  %0 = snug.softmax %x axis 2 : tensor<1x4x8x8xf32>
  return %0 : tensor<1x4x8x8xf32>
}

// -----

func.func @weights_at_run_time(%x: tensor<1x1x4x4xf32>, %filter: tensor<2x1x1x1xf32>) -> tensor<1x2x4x4xf32> {
  // expected-error @below {{operand 1 must be a constant: weights that are computed at run time cannot be packed}}
  %0 = snug.conv2d %x filter %filter : (tensor<1x1x4x4xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x4x4xf32>
  return %0 : tensor<1x2x4x4xf32>
}

// -----

func.func @elided(%x: tensor<1x1x4x4xf32>) -> tensor<1x2x4x4xf32> {
  %filter = snug.constant dense_resource<__elided__> : tensor<2x1x1x1xf32>
  // expected-error @below {{operand 1 has no values: the module was printed without its weights}}
  %0 = snug.conv2d %x filter %filter : (tensor<1x1x4x4xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x4x4xf32>
  return %0 : tensor<1x2x4x4xf32>
}
