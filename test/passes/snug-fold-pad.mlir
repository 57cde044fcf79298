// RUN: snug-opt %s --split-input-file --snug-fold-pad | FileCheck %s

// The example of the description.
// CHECK-LABEL: func.func @example
// CHECK-SAME: (%[[X:.*]]: tensor<1x1x4x4xf32>, %[[FILTER:.*]]: tensor<1x1x3x3xf32>)
// CHECK-NEXT: %[[CONV:.*]] = snug.conv2d %[[X]] filter %[[FILTER]] pads [1, 1, 1, 1] :
// CHECK-NEXT: return %[[CONV]]
func.func @example(%x: tensor<1x1x4x4xf32>, %filter: tensor<1x1x3x3xf32>) -> tensor<1x1x4x4xf32> {
  %0 = snug.pad %x low [0, 0, 1, 1] high [0, 0, 1, 1] : (tensor<1x1x4x4xf32>) -> tensor<1x1x6x6xf32>
  %1 = snug.conv2d %0 filter %filter : (tensor<1x1x6x6xf32>, tensor<1x1x3x3xf32>) -> tensor<1x1x4x4xf32>
  return %1 : tensor<1x1x4x4xf32>
}

// -----

// Unlike on each side, added to pads that are there, for two readers.
// CHECK-LABEL: func.func @convolutions
// CHECK-NOT: snug.pad
// CHECK: snug.conv2d %{{.*}} filter %{{.*}} strides [2, 1] pads [1, 2, 3, 4] :
// CHECK: snug.conv2d %{{.*}} filter %{{.*}} pads [2, 2, 4, 4] :
func.func @convolutions(%x: tensor<1x1x4x4xf32>, %filter: tensor<1x1x3x3xf32>) -> (tensor<1x1x3x8xf32>, tensor<1x1x8x8xf32>) {
  %0 = snug.pad %x low [0, 0, 1, 2] high [0, 0, 3, 4] : (tensor<1x1x4x4xf32>) -> tensor<1x1x8x10xf32>
  %1 = snug.conv2d %0 filter %filter strides [2, 1] : (tensor<1x1x8x10xf32>, tensor<1x1x3x3xf32>) -> tensor<1x1x3x8xf32>
  %2 = snug.conv2d %0 filter %filter pads [1, 0, 1, 0] : (tensor<1x1x8x10xf32>, tensor<1x1x3x3xf32>) -> tensor<1x1x8x8xf32>
  return %1, %2 : tensor<1x1x3x8xf32>, tensor<1x1x8x8xf32>
}

// -----

// What was padded outside counts.
// CHECK-LABEL: func.func @averages
// CHECK-NOT: snug.pad
// CHECK: snug.avg_pool2d %{{.*}} kernel [3, 3] strides [2, 2] pads [1, 1, 1, 1] ceil_pads [1, 1] count_include_pad :
// CHECK: snug.avg_pool2d %{{.*}} kernel [3, 3] pads [2, 1, 2, 1] count_include_pad :
// CHECK: snug.max_pool2d %{{.*}} kernel [3, 3] pads [1, 1, 1, 1] :
func.func @averages(%x: tensor<1x1x4x4xf32>) -> (tensor<1x1x3x3xf32>, tensor<1x1x6x4xf32>, tensor<1x1x4x4xf32>) {
  %0 = snug.pad %x low [0, 0, 1, 1] high [0, 0, 1, 1] : (tensor<1x1x4x4xf32>) -> tensor<1x1x6x6xf32>
  %1 = snug.avg_pool2d %0 kernel [3, 3] strides [2, 2] ceil_pads [1, 1] : (tensor<1x1x6x6xf32>) -> tensor<1x1x3x3xf32>
  %2 = snug.avg_pool2d %0 kernel [3, 3] pads [1, 0, 1, 0] count_include_pad : (tensor<1x1x6x6xf32>) -> tensor<1x1x6x4xf32>
  %3 = snug.pad %x low [0, 0, 1, 1] high [0, 0, 1, 1] value -inf : (tensor<1x1x4x4xf32>) -> tensor<1x1x6x6xf32>
  %4 = snug.max_pool2d %3 kernel [3, 3] : (tensor<1x1x6x6xf32>) -> tensor<1x1x4x4xf32>
  return %1, %2, %4 : tensor<1x1x3x3xf32>, tensor<1x1x6x4xf32>, tensor<1x1x4x4xf32>
}

// -----

// Another value, another mode, channels, an average that leaves its own padding
// out, a pooling that would see padding only, and zeros for a maximum stay. So
// does padding with a second reader, for that one.
// CHECK-LABEL: func.func @others
func.func @others(%x: tensor<1x1x4x4xf32>, %f: tensor<1x1x3x3xf32>, %g: tensor<1x2x3x3xf32>) -> tensor<1x1x6x6xf32> {
  // CHECK: %[[ONE:.*]] = snug.pad {{.*}} value 1.0
  // CHECK: snug.conv2d %[[ONE]]
  %0 = snug.pad %x low [0, 0, 1, 1] high [0, 0, 1, 1] value 1.0 : (tensor<1x1x4x4xf32>) -> tensor<1x1x6x6xf32>
  %1 = snug.conv2d %0 filter %f : (tensor<1x1x6x6xf32>, tensor<1x1x3x3xf32>) -> tensor<1x1x4x4xf32>
  // CHECK: %[[EDGE:.*]] = snug.pad {{.*}} mode edge
  // CHECK: snug.conv2d %[[EDGE]]
  %2 = snug.pad %x low [0, 0, 1, 1] high [0, 0, 1, 1] mode edge : (tensor<1x1x4x4xf32>) -> tensor<1x1x6x6xf32>
  %3 = snug.conv2d %2 filter %f : (tensor<1x1x6x6xf32>, tensor<1x1x3x3xf32>) -> tensor<1x1x4x4xf32>
  // CHECK: %[[CHANNELS:.*]] = snug.pad {{.*}} low [0, 1, 0, 0]
  // CHECK: snug.conv2d %[[CHANNELS]]
  %4 = snug.pad %x low [0, 1, 0, 0] high [0, 0, 0, 0] : (tensor<1x1x4x4xf32>) -> tensor<1x2x4x4xf32>
  %5 = snug.conv2d %4 filter %g : (tensor<1x2x4x4xf32>, tensor<1x2x3x3xf32>) -> tensor<1x1x2x2xf32>
  // CHECK: %[[ZERO:.*]] = snug.pad
  // CHECK-NEXT: snug.avg_pool2d %[[ZERO]]
  // CHECK-NEXT: snug.avg_pool2d %[[ZERO]]
  // CHECK-NEXT: snug.max_pool2d %[[ZERO]]
  // CHECK-NEXT: snug.conv2d %arg0
  // CHECK-NEXT: return %[[ZERO]]
  %6 = snug.pad %x low [0, 0, 1, 1] high [0, 0, 1, 1] : (tensor<1x1x4x4xf32>) -> tensor<1x1x6x6xf32>
  %7 = snug.avg_pool2d %6 kernel [3, 3] pads [1, 1, 1, 1] : (tensor<1x1x6x6xf32>) -> tensor<1x1x6x6xf32>
  %8 = snug.avg_pool2d %6 kernel [1, 3] : (tensor<1x1x6x6xf32>) -> tensor<1x1x6x4xf32>
  %9 = snug.max_pool2d %6 kernel [3, 3] : (tensor<1x1x6x6xf32>) -> tensor<1x1x4x4xf32>
  %10 = snug.conv2d %6 filter %f : (tensor<1x1x6x6xf32>, tensor<1x1x3x3xf32>) -> tensor<1x1x4x4xf32>
  return %6 : tensor<1x1x6x6xf32>
}
