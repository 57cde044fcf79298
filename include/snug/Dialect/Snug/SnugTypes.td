// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Type constraints of the snug dialect; its values are builtin tensors.
#ifndef SNUG_DIALECT_SNUG_SNUGTYPES
#define SNUG_DIALECT_SNUG_SNUGTYPES

include "mlir/IR/OpBase.td"

// Bytes are checked here once, so that no later product of extents overflows.
def Snug_IsTensor : CPred<"::snug::cnn::detail::isStaticTensor($_self)">;

class Snug_RankedTensor<int rank, string what>
    : Type<And<[Snug_IsTensor,
                CPred<"::llvm::cast<::mlir::ShapedType>($_self).getRank() == " # rank>]>,
           rank # "-d tensor of f32 with static extents of at least one (" # what # ")",
           "::mlir::RankedTensorType">;

def Snug_Tensor : Type<Snug_IsTensor,
    "tensor of f32 of rank 0 to 6 with static extents of at least one, whose bytes fit 64 bits",
    "::mlir::RankedTensorType">;
def Snug_Image : Snug_RankedTensor<4, "NCHW">;
def Snug_Filter : Snug_RankedTensor<4, "OIHW">;
def Snug_Matrix : Snug_RankedTensor<2, "rows, columns">;
def Snug_Vector : Snug_RankedTensor<1, "one number a channel">;

#endif // SNUG_DIALECT_SNUG_SNUGTYPES
