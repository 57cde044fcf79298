// RUN: snug-opt %s --snug-verify-plan --split-input-file --verify-diagnostics

snug_plan.program @unplanned target "portable" threads 1 arena 4096 {
  // expected-error @below {{memory is not planned; run snug-plan-memory before the plan is written}}
  %x = snug_plan.buffer input "x" shape [1, 4] : !snug_plan.buffer<1x1x1x4, channels_last>
}

// -----

// expected-error @below {{'x' at [64, 80) and 'y' at [64, 80) overlap and both live at 0}}
snug_plan.program @overlap target "portable" threads 1 arena 4096 {
  %x = snug_plan.buffer input "x" shape [1, 4] offset 64 : !snug_plan.buffer<1x1x1x4, channels_last>
  %y = snug_plan.buffer output "y" shape [1, 4] offset 64 : !snug_plan.buffer<1x1x1x4, channels_last>
  %0 = snug_plan.view %x[0, 0] : <1x1x1x4, channels_last> -> <1x1x1x4, channels_last>
  %1 = snug_plan.view %y[0, 0] : <1x1x1x4, channels_last> -> <1x1x1x4, channels_last>
  snug_plan.move %0 to %1 : <1x1x1x4, channels_last> to <1x1x1x4, channels_last>
}

// -----

// expected-error @below {{buffer 'x' of 16 bytes at offset 4096 ends beyond the peak of 4096}}
snug_plan.program @outside target "portable" threads 1 arena 4096 {
  %x = snug_plan.buffer input "x" shape [1, 4] offset 4096 : !snug_plan.buffer<1x1x1x4, channels_last>
}

// -----

// expected-error @below {{buffer 'x' at offset 32 is not aligned to 64 bytes}}
snug_plan.program @misaligned target "portable" threads 1 arena 4096 {
  %x = snug_plan.buffer input "x" shape [1, 4] offset 32 : !snug_plan.buffer<1x1x1x4, channels_last>
}

// -----

// expected-error @below {{the module has no program whose addresses could be checked; run snug-convert-to-plan before}}
module {
}
