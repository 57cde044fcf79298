// RUN: snug-opt %s --split-input-file --snug-plan-memory | FileCheck %s
// RUN: snug-opt %s --split-input-file --snug-plan-memory=weights=streamed | FileCheck %s --check-prefix=STREAMED

// STREAMED-LABEL: snug_plan.program @example
// STREAMED-SAME: stream_weights

// Lifetimes in steps: input [0,1), first [0,2), second [1,3), output [2,3).
// The output and the first buffer may share bytes, and so may the input and
// the second; the arena is rounded up to a page.
// CHECK-LABEL: snug_plan.program @example target "portable" threads 1 arena 4096
// CHECK-SAME: addresses = {lower_bound = 512 : i64, nodes = 0 : i64, peak = 512 : i64}
// CHECK-SAME: groups = [{arena = 512 : i64, ops = ["pool"], schedule = "whole"}]
// CHECK-SAME: activations = 4096 : i64, arena = 4096 : i64, executed_macs = 0 : i64, network_macs = 0 : i64, peak = {{[0-9]+}} : i64, runtime_overhead = {{[0-9]+}} : i64, weights = 0 : i64, workspace = 0 : i64
snug_plan.program @example target "portable" threads 1 attributes {
    groups = [{ops = ["pool"], schedule = "whole"}], predicted = {network_macs = 0 : i64}} {
  // CHECK: snug_plan.buffer input "x" shape [1, 4, 4, 4] offset [[INPUT:[0-9]+]] :
  %x = snug_plan.buffer input "x" shape [1, 4, 4, 4] : !snug_plan.buffer<1x4x4x4, planar>
  // CHECK: snug_plan.buffer activation offset {{[0-9]+}} :
  %a = snug_plan.buffer activation : !snug_plan.buffer<1x4x4x4, channels_last>
  // CHECK: snug_plan.buffer activation offset {{[0-9]+}} :
  %b = snug_plan.buffer activation : !snug_plan.buffer<1x2x2x4, channels_last>
  // CHECK: snug_plan.buffer output "y" shape [1, 4, 2, 2] offset {{[0-9]+}} :
  %y = snug_plan.buffer output "y" shape [1, 4, 2, 2] : !snug_plan.buffer<1x2x2x4, planar>
  %0 = snug_plan.view %x[0, 0] : <1x4x4x4, planar> -> <1x4x4x4, planar>
  %1 = snug_plan.view %a[0, 0] : <1x4x4x4, channels_last> -> <1x4x4x4, channels_last>
  snug_plan.move %0 to %1 {group = 0 : i64} : <1x4x4x4, planar> to <1x4x4x4, channels_last>
  %2 = snug_plan.view %b[0, 0] : <1x2x2x4, channels_last> -> <1x2x2x4, channels_last>
  snug_plan.pool max %1 to %2 kernel [2, 2] strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] {group = 0 : i64} : <1x4x4x4, channels_last> to <1x2x2x4, channels_last>
  %3 = snug_plan.view %y[0, 0] : <1x2x2x4, planar> -> <1x2x2x4, planar>
  snug_plan.move %2 to %3 : <1x2x2x4, channels_last> to <1x2x2x4, planar>
}

// -----

// The sum is the last reader of both its inputs and lies on one of them. The
// unary may not write over its input, which is read again.
// CHECK-LABEL: snug_plan.program @in_place
// CHECK-SAME: addresses = {lower_bound = 128 : i64, nodes = 0 : i64, peak = 128 : i64}
snug_plan.program @in_place target "portable" threads 1 attributes {
    groups = [{ops = ["relu", "sum"], schedule = "whole"}], predicted = {network_macs = 0 : i64}} {
  // CHECK: snug_plan.buffer input "x" shape [1, 1, 4, 4] offset [[X:[0-9]+]] :
  %x = snug_plan.buffer input "x" shape [1, 1, 4, 4] : !snug_plan.buffer<1x4x4x1, planar>
  // CHECK: snug_plan.buffer activation offset [[A:[0-9]+]] :
  %a = snug_plan.buffer activation : !snug_plan.buffer<1x4x4x1, planar>
  // CHECK: snug_plan.buffer output "y" shape [1, 1, 4, 4] offset {{[0-9]+}} :
  %y = snug_plan.buffer output "y" shape [1, 1, 4, 4] : !snug_plan.buffer<1x4x4x1, planar>
  %0 = snug_plan.view %x[0, 0] : <1x4x4x1, planar> -> <1x4x4x1, planar>
  %1 = snug_plan.view %a[0, 0] : <1x4x4x1, planar> -> <1x4x4x1, planar>
  %2 = snug_plan.view %y[0, 0] : <1x4x4x1, planar> -> <1x4x4x1, planar>
  snug_plan.unary %0 to %1 activation relu {group = 0 : i64} : <1x4x4x1, planar> to <1x4x4x1, planar>
  snug_plan.binary add left %1 : !snug_plan.view<1x4x4x1, planar> right %0 : !snug_plan.view<1x4x4x1, planar> to %2 {group = 0 : i64} : <1x4x4x1, planar>
}
