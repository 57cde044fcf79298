// RUN: snug-opt %s --snug-convert-to-plan="target=portable" | FileCheck %s

// Two convolutions of unlike groups share one constant; each packs it its own
// way. (They once shared the segment of the first.)
// CHECK: snug_plan.segment @[[DEPTHWISE:.*]] packing convolution bytes {{[0-9]+}} groups 4 =
// CHECK: snug_plan.segment @[[DENSE:.*]] packing convolution bytes {{[0-9]+}} =
// CHECK: snug_plan.convolution {{.*}} weights @[[DEPTHWISE]] {{.*}} groups 4
// CHECK: snug_plan.convolution {{.*}} weights @[[DENSE]] kernel
func.func @main(%x: tensor<1x4x8x8xf32>, %y: tensor<1x1x8x8xf32>) -> (tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>) {
  %filter = snug.constant dense<0.5> : tensor<4x1x3x3xf32>
  %0 = snug.conv2d %x filter %filter pads [1, 1, 1, 1] groups 4
    : (tensor<1x4x8x8xf32>, tensor<4x1x3x3xf32>) -> tensor<1x4x8x8xf32>
  %1 = snug.conv2d %y filter %filter pads [1, 1, 1, 1]
    : (tensor<1x1x8x8xf32>, tensor<4x1x3x3xf32>) -> tensor<1x4x8x8xf32>
  return %0, %1 : tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>
}
