// RUN: snug-opt %s --snug-verify-folded --split-input-file --verify-diagnostics

func.func @identity(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32> {
  // expected-error @below {{has no kernel; run snug-fold-identity before}}
  %0 = snug.identity %x : tensor<1x4x8x8xf32>
  return %0 : tensor<1x4x8x8xf32>
}

// -----

func.func @foreign(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32> {
  // expected-error @below {{operator GridSample has no kernel, so no plan can be made; 'snug estimate' analyses the model as it is, replace the node to run it}}
  %0 = snug.opaque "GridSample"(%x) : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  // expected-error @below {{operator com.example.Op has no kernel}}
  %1 = snug.opaque "Op"(%0) domain "com.example" : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  return %1 : tensor<1x4x8x8xf32>
}

// -----

func.func @broadcast(%x: tensor<2x3x4x5x6xf32>, %y: tensor<2x1x4x1x6xf32>) -> tensor<2x3x4x5x6xf32> {
  // expected-error @below {{repeats its operands along more axes in turn than a kernel has; expand one of them before}}
  %0 = snug.binary mul %x, %y : (tensor<2x3x4x5x6xf32>, tensor<2x1x4x1x6xf32>) -> tensor<2x3x4x5x6xf32>
  return %0 : tensor<2x3x4x5x6xf32>
}

// -----

func.func @reduce(%x: tensor<2x3x4x5xf32>) -> tensor<2x4xf32> {
  // expected-error @below {{reduces axes that are no neighbours; reduce them one after the other}}
  %0 = snug.reduce sum %x axes [1, 3] : (tensor<2x3x4x5xf32>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// -----

func.func @matmul(%x: tensor<2x3x4x5xf32>, %y: tensor<3x5x6xf32>) -> tensor<2x3x4x6xf32> {
  // expected-error @below {{repeats matrices of one side for some of the other's batches; expand the batch before}}
  %0 = snug.matmul %x, %y : (tensor<2x3x4x5xf32>, tensor<3x5x6xf32>) -> tensor<2x3x4x6xf32>
  return %0 : tensor<2x3x4x6xf32>
}

// -----

func.func @pad(%x: tensor<2x3x4x5xf32>) -> tensor<3x4x5x6xf32> {
  // expected-error @below {{pads more than three axes; pad them one after the other}}
  %0 = snug.pad %x low [1, 1, 1, 1] high [0, 0, 0, 0] : (tensor<2x3x4x5xf32>) -> tensor<3x4x5x6xf32>
  return %0 : tensor<3x4x5x6xf32>
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
