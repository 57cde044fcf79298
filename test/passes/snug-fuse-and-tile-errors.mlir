// RUN: not snug-opt %s --snug-fuse-and-tile="memory-budget=4KiB budget-scope=arena target=portable" 2>&1 | FileCheck %s --check-prefix=ARENA
// RUN: not snug-opt %s --snug-fuse-and-tile="weights=flowing target=portable" 2>&1 | FileCheck %s --check-prefix=WEIGHTS
// RUN: not snug-opt %s --snug-fuse-and-tile="memory-budget=1MiB target=portable" 2>&1 | FileCheck %s --check-prefix=PROCESS
// RUN: not snug-opt %s --snug-fuse-and-tile="memory-budget=lots target=portable" 2>&1 | FileCheck %s --check-prefix=SIZE
// RUN: not snug-opt %s --snug-fuse-and-tile="budget-scope=heap target=portable" 2>&1 | FileCheck %s --check-prefix=SCOPE
// RUN: not snug-opt %s --snug-fuse-and-tile="max-groups=-2 target=portable" 2>&1 | FileCheck %s --check-prefix=NEGATIVE
// RUN: not snug-opt %s --snug-fuse-and-tile="groups=1:2y2 target=portable" 2>&1 | FileCheck %s --check-prefix=SYNTAX
// RUN: not snug-opt %s --snug-fuse-and-tile="groups=1:stripes4 target=portable" 2>&1 | FileCheck %s --check-prefix=STRIPES
// RUN: not snug-opt %s --snug-fuse-and-tile="groups=7:2x2 target=portable" 2>&1 | FileCheck %s --check-prefix=LAYERS
// RUN: not snug-opt %s --snug-fuse-and-tile="groups=1:2x2 memory-budget=4KiB budget-scope=arena target=portable" 2>&1 | FileCheck %s --check-prefix=EXPLICIT
// RUN: not snug-opt %s --snug-fuse-and-tile="groups=1:2x2 target=portable" --snug-fuse-and-tile="groups=1:2x2 target=portable" 2>&1 | FileCheck %s --check-prefix=TWICE

func.func @net(%x: tensor<1x4x16x16xf32>) -> tensor<1x16x16x16xf32> {
  %filter = snug.constant dense<0.1> : tensor<16x4x3x3xf32>
  %0 = snug.conv2d %x filter %filter pads [1, 1, 1, 1]
    : (tensor<1x4x16x16xf32>, tensor<16x4x3x3xf32>) -> tensor<1x16x16x16xf32>
  return %0 : tensor<1x16x16x16xf32>
}

// The whole input (4 KiB) and output (16 KiB) are live together.
// ARENA: error: memory budget cannot be met: limit 4.00 KiB for the arena, needed at least [[NEED:.*]]; the smallest budget that would do is [[BYTES:[0-9]+]]B (--memory-budget=[[BYTES]]B)
// ARENA: note: live at the peak: {{.*}}, 16.00 KiB

// PROCESS: error: memory budget cannot be met: limit 1.00 MiB for the process
// PROCESS: note: of these, weights take {{.*}}, the arena {{.*}} and the runtime itself

// SIZE: error: cannot read the size 'lots'; write a number with B, KB, MB, GB, KiB, MiB or GiB, as in 64MiB
// SCOPE: error: unknown budget-scope 'heap'; known are process, arena
// NEGATIVE: error: max-groups=-2: give -1 for any number of groups, 0 for none, or a limit
// SYNTAX: error: {{.*}}2y2
// STRIPES: error: {{.*}}stripes
// LAYERS: error: {{.*}}7
// EXPLICIT: error: groups=1:2x2 need {{.*}}, the limit is 4.00 KiB; the smallest budget that would do is {{[0-9]+}}B, or leave out groups to search others
// TWICE: error: the network has fused groups already; snug-fuse-and-tile runs once
// WEIGHTS: error: unknown weights 'flowing'; known are resident, streamed
