// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The snug dialect: convolutional networks on static tensors.
#ifndef SNUG_DIALECT_SNUG_SNUGDIALECT
#define SNUG_DIALECT_SNUG_SNUGDIALECT

include "mlir/IR/OpBase.td"

def Snug_Dialect : Dialect {
  let name = "snug";
  let cppNamespace = "::snug::cnn";
  let summary = "convolutional networks on static tensors";
  let description = [{
    Operations of convolutional networks, named like ONNX's where ONNX has one,
    on ranked float32 tensors whose extents are all known. Images are NCHW,
    filters OIHW. The dialect says what a network computes and, in
    `snug.fused_group`, which layers are tiled together; it knows no memory
    layout and no device.

    A network is a function in a module with the attribute `snug.model` (the
    name of the file it came from). Arguments and results of the function carry
    their names in `snug.name`. The name of the ONNX node that an op came from
    is the op's location.

    ```mlir
    module attributes {snug.model = "net"} {
      func.func @main(%image: tensor<1x3x608x608xf32> {snug.name = "image"})
          -> (tensor<1x32x304x304xf32> {snug.name = "pooled"}) {
        %filter = snug.constant dense_resource<conv0.weight> : tensor<32x3x3x3xf32>
        %bias = snug.constant dense_resource<conv0.bias> : tensor<32xf32>
        %0 = snug.conv2d %image filter %filter bias %bias pads [1, 1, 1, 1] activation leaky_relu(0.1)
            : (tensor<1x3x608x608xf32>, tensor<32x3x3x3xf32>, tensor<32xf32>) -> tensor<1x32x608x608xf32> loc("conv0")
        %1 = snug.max_pool2d %0 kernel [2, 2] strides [2, 2]
            : (tensor<1x32x608x608xf32>) -> tensor<1x32x304x304xf32> loc("pool0")
        return %1 : tensor<1x32x304x304xf32>
      }
    }
    ```
  }];
  let useDefaultAttributePrinterParser = 1;
  let hasConstantMaterializer = 1;
  let hasOperationAttrVerify = 1;
  let hasRegionArgAttrVerify = 1;
  let hasRegionResultAttrVerify = 1;
}

#endif // SNUG_DIALECT_SNUG_SNUGDIALECT
