// RUN: snug-opt %s --emit-bytecode | snug-opt | FileCheck %s
// RUN: snug-opt %s --emit-bytecode | snug-opt --mlir-elide-resource-strings-if-larger=4 | FileCheck %s --check-prefix=ELIDED
// RUN: snug-opt %s --mlir-elide-resource-strings-if-larger=4 | snug-opt | FileCheck %s --check-prefix=ELIDED

// Weights go through pipes as bytes, and may be left out of what is printed.

// CHECK: snug.constant dense_resource<conv0.weight> : tensor<2x2x1x1xf32>
// CHECK: snug.conv2d {{.*}} activation leaky_relu(0.1) :
// CHECK: snug.fused_group(%{{.*}}) schedule(#snug.grid<tiles = [2, 1]>)
// CHECK: conv0.weight: "0x040000000000803F000000C00000003F00004040"
// ELIDED: snug.constant dense_resource<conv0.weight> : tensor<2x2x1x1xf32>
// ELIDED-NOT: conv0.weight: "
func.func @main(%x: tensor<1x2x4x4xf32>) -> tensor<1x2x2x2xf32> {
  %filter = snug.constant dense_resource<conv0.weight> : tensor<2x2x1x1xf32>
  %0 = snug.conv2d %x filter %filter activation leaky_relu(0.1)
      : (tensor<1x2x4x4xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x4x4xf32> loc("conv0")
  %1 = snug.fused_group(%in = %0) schedule(#snug.grid<tiles = [2, 1]>) : (tensor<1x2x4x4xf32>) -> tensor<1x2x2x2xf32> {
    %2 = snug.max_pool2d %in kernel [2, 2] strides [2, 2] : (tensor<1x2x4x4xf32>) -> tensor<1x2x2x2xf32>
    snug.yield %2 : tensor<1x2x2x2xf32>
  }
  return %1 : tensor<1x2x2x2xf32>
}

{-#
  dialect_resources: {
    builtin: {
      conv0.weight: "0x040000000000803F000000C00000003F00004040"
    }
  }
#-}
