// RUN: snug-opt %s --snug-verify-plan | FileCheck %s

// The sum lies on its first input, which dies in it; a kernel may do that.
// CHECK-LABEL: snug_plan.program @in_place
snug_plan.program @in_place target "portable" threads 1 arena 4096 {
  // CHECK: snug_plan.buffer input "x" shape [1, 4] offset 64
  %x = snug_plan.buffer input "x" shape [1, 4] offset 64 : !snug_plan.buffer<1x1x1x4, channels_last>
  // CHECK: snug_plan.buffer output "y" shape [1, 4] offset 64
  %y = snug_plan.buffer output "y" shape [1, 4] offset 64 : !snug_plan.buffer<1x1x1x4, channels_last>
  %0 = snug_plan.view %x[0, 0] : <1x1x1x4, channels_last> -> <1x1x1x4, channels_last>
  %1 = snug_plan.view %y[0, 0] : <1x1x1x4, channels_last> -> <1x1x1x4, channels_last>
  snug_plan.binary add left %0 : !snug_plan.view<1x1x1x4, channels_last> right %0 : !snug_plan.view<1x1x1x4, channels_last> to %1 : <1x1x1x4, channels_last>
}
