// RUN: snug-opt %s --split-input-file --verify-diagnostics --snug-fold-batch-norm

// Statistics that are computed; every such node is named, in one run.
func.func @not_constant(%x: tensor<1x1x2x2xf32>, %s: tensor<1xf32>) -> tensor<1x1x2x2xf32> {
  %one = snug.constant dense<1.0> : tensor<1xf32>
  // expected-error@unknown {{batch_norm 'layer1/bn' cannot be folded: its mean is not a constant; export the network for inference, with its statistics as initializers}}
  %0 = snug.batch_norm %x scale %one shift %one mean %s variance %one
      : (tensor<1x1x2x2xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x1x2x2xf32> loc("layer1/bn")
  // expected-error@+1 {{batch_norm cannot be folded: its scale is not a constant}}
  %1 = snug.batch_norm %0 scale %s shift %one mean %one variance %one
      : (tensor<1x1x2x2xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x1x2x2xf32>
  return %1 : tensor<1x1x2x2xf32>
}

// -----

// Statistics that are no statistics.
func.func @not_positive(%x: tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32> {
  %one = snug.constant dense<1.0> : tensor<2xf32>
  %variance = snug.constant dense<[1.0, -0.5]> : tensor<2xf32>
  // expected-error@+1 {{batch_norm cannot be folded: channel 1 has variance + epsilon = -5.000000e-01, expected a positive number}}
  %0 = snug.batch_norm %x scale %one shift %one mean %one variance %variance epsilon 0.0
      : (tensor<1x2x2x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x2x2xf32>
  return %0 : tensor<1x2x2x2xf32>
}

// -----

func.func @not_a_number(%x: tensor<1x1x2x2xf32>) -> tensor<1x1x2x2xf32> {
  %one = snug.constant dense<1.0> : tensor<1xf32>
  %variance = snug.constant dense<0x7FC00000> : tensor<1xf32>
  // expected-error@+1 {{batch_norm cannot be folded: channel 0 has variance + epsilon = nan, expected a positive number}}
  %0 = snug.batch_norm %x scale %one shift %one mean %one variance %variance
      : (tensor<1x1x2x2xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x1x2x2xf32>
  return %0 : tensor<1x1x2x2xf32>
}

// -----

// Weights that were left out when the module was printed.
func.func @elided(%x: tensor<1x1x2x2xf32>) -> tensor<1x1x2x2xf32> {
  %one = snug.constant dense<1.0> : tensor<1xf32>
  %filter = snug.constant dense_resource<conv0.weight> : tensor<1x1x1x1xf32>
  %mean = snug.constant dense_resource<bn0.mean> : tensor<1xf32>
  // expected-error@+1 {{conv2d cannot be folded: its filter has no values; use a module that was printed with its weights}}
  %0 = snug.conv2d %x filter %filter : (tensor<1x1x2x2xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x2x2xf32>
  %1 = snug.batch_norm %0 scale %one shift %one mean %one variance %one
      : (tensor<1x1x2x2xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x1x2x2xf32>
  // expected-error@+1 {{batch_norm cannot be folded: its mean has no values; use a module that was printed with its weights}}
  %2 = snug.batch_norm %1 scale %one shift %one mean %mean variance %one
      : (tensor<1x1x2x2xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x1x2x2xf32>
  return %2 : tensor<1x1x2x2xf32>
}
