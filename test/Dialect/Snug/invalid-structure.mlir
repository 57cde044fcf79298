// RUN: snug-opt %s --split-input-file --verify-diagnostics

// Constraints of constants, of fused groups, and of the function form.

// Elements of another type.
func.func @f() {
  // expected-error@+1 {{'snug.constant' op result #0 must be tensor of f32 of rank 0 to 6 with static extents of at least one, whose bytes fit 64 bits, but got 'tensor<2xi32>'}}
  %0 = snug.constant dense<1> : tensor<2xi32>
  return
}

// -----

// Sparse elements.
func.func @f() {
  // expected-error@+1 {{'snug.constant' op expected dense or dense_resource elements, got sparse<0, 1.000000e+00> : tensor<2xf32>}}
  %0 = snug.constant sparse<0, 1.0> : tensor<2xf32>
  return
}

// -----

// A schedule that is none.
func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error@+1 {{expected a schedule such as #snug.whole or #snug.grid<tiles = [2, 2]>, got #snug<activation relu>}}
  %0 = snug.fused_group(%in = %x) schedule(#snug<activation relu>) : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32> {
    snug.yield %in : tensor<1x4x8x8xf32>
  }
  return
}

// -----

// A grid of no tiles.
func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error@+1 {{expected a grid of at least 1x1 tiles, got 0x2}}
  %0 = snug.fused_group(%in = %x) schedule(#snug.grid<tiles = [0, 2]>) : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32> {
    snug.yield %in : tensor<1x4x8x8xf32>
  }
  return
}

// -----

// A negative grid.
func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error@+1 {{expected a grid of at least 1x1 tiles, got 2x-2}}
  %0 = snug.fused_group(%in = %x) schedule(#snug.grid<tiles = [2, -2]>) : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32> {
    snug.yield %in : tensor<1x4x8x8xf32>
  }
  return
}

// -----

// A grid of one number.
func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error@+1 {{expected ','}}
  %0 = snug.fused_group(%in = %x) schedule(#snug.grid<tiles = [2]>) : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32> {
    snug.yield %in : tensor<1x4x8x8xf32>
  }
  return
}

// -----

// A grid with more tiles than rows.
func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error@+1 {{'snug.fused_group' op a grid of 9x2 tiles exceeds the result's extent 8x8}}
  %0 = snug.fused_group(%in = %x) schedule(#snug.grid<tiles = [9, 2]>) : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32> {
    snug.yield %in : tensor<1x4x8x8xf32>
  }
  return
}

// -----

// A grid with more tiles than columns.
func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error@+1 {{'snug.fused_group' op a grid of 2x9 tiles exceeds the result's extent 8x8}}
  %0 = snug.fused_group(%in = %x) schedule(#snug.grid<tiles = [2, 9]>) : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32> {
    snug.yield %in : tensor<1x4x8x8xf32>
  }
  return
}

// -----

// A grid on what is no image.
func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error@+1 {{'snug.fused_group' op a grid of 2x2 tiles needs images as results, got 'tensor<1x256xf32>'}}
  %0 = snug.fused_group(%in = %x) schedule(#snug.grid<tiles = [2, 2]>) : (tensor<1x4x8x8xf32>) -> tensor<1x256xf32> {
    %1 = snug.reshape %in : tensor<1x4x8x8xf32> -> tensor<1x256xf32>
    snug.yield %1 : tensor<1x256xf32>
  }
  return
}

// -----

// Too few types.
func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error@+1 {{expected 1 operand types, got 2}}
  %0 = snug.fused_group(%in = %x) schedule(#snug.whole) : (tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32> {
    snug.yield %in : tensor<1x4x8x8xf32>
  }
  return
}

// -----

// No result.
func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error@+1 {{'snug.fused_group' op expected at least one result}}
  snug.fused_group(%in = %x) schedule(#snug.whole) : (tensor<1x4x8x8xf32>) -> () {
    snug.yield
  }
  return
}

// -----

// A foreign op.
func.func @f(%x: tensor<1x4x8x8xf32>) {
  %0 = snug.fused_group(%in = %x) schedule(#snug.whole) : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32> {
    // expected-error@+1 {{'builtin.unrealized_conversion_cast' op stands in a fused group, which holds only ops of snug}}
    %1 = builtin.unrealized_conversion_cast %in : tensor<1x4x8x8xf32> to tensor<1x4x8x8xf32>
    snug.yield %in : tensor<1x4x8x8xf32>
  }
  return
}

// -----

// A group in a group.
func.func @f(%x: tensor<1x4x8x8xf32>) {
  %0 = snug.fused_group(%in = %x) schedule(#snug.whole) : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32> {
    // expected-error@+1 {{'snug.fused_group' op stands in another fused group}}
    %1 = snug.fused_group(%a = %in) schedule(#snug.whole) : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32> {
      snug.yield %a : tensor<1x4x8x8xf32>
    }
    snug.yield %in : tensor<1x4x8x8xf32>
  }
  return
}

// -----

// Results of other types.
func.func @f(%x: tensor<1x4x8x8xf32>) {
  %0 = snug.fused_group(%in = %x) schedule(#snug.whole) : (tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32> {
    %1 = snug.global_avg_pool %in : (tensor<1x4x8x8xf32>) -> tensor<1x4x1x1xf32>
    // expected-error@+1 {{'snug.yield' op expected operands of the group's result types 'tensor<1x4x8x8xf32>', got 'tensor<1x4x1x1xf32>'}}
    snug.yield %1 : tensor<1x4x1x1xf32>
  }
  return
}

// -----

// Values from outside.
func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-note@+1 {{required by region isolation constraints}}
  %0 = snug.fused_group() schedule(#snug.whole) : () -> tensor<1x4x8x8xf32> {
    // expected-error@+1 {{'snug.unary' op using value defined outside the region}}
    %1 = snug.unary relu %x : tensor<1x4x8x8xf32>
    snug.yield %1 : tensor<1x4x8x8xf32>
  }
  return
}

// -----

// Arguments of other types.
func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error@+1 {{'snug.fused_group' op expected block arguments of types 'tensor<1x4x8x8xf32>', got 'tensor<1x4xf32>'}}
  %0 = "snug.fused_group"(%x) <{schedule = #snug.whole}> ({
  ^bb0(%in: tensor<1x4xf32>):
    snug.yield %in : tensor<1x4xf32>
  }) : (tensor<1x4x8x8xf32>) -> tensor<1x4xf32>
  return
}

// -----

// A yield outside of groups.
func.func @f(%x: tensor<1x4x8x8xf32>) {
  // expected-error@+1 {{'snug.yield' op expects parent op 'snug.fused_group'}}
  snug.yield %x : tensor<1x4x8x8xf32>
  return
}

// -----

// A resource of the wrong length.
func.func @f() {
  // expected-error@+1 {{'snug.constant' op resource 'w' holds 4 bytes, but 'tensor<2xf32>' has 8}}
  %0 = snug.constant dense_resource<w> : tensor<2xf32>
  return
}

{-# dialect_resources: { builtin: { w: "0x040000000000803F" } } #-}

// -----

// A resource that cannot be read as float32.
func.func @f() {
  // expected-error@+1 {{'snug.constant' op resource 'w' is aligned to 1 bytes, but float32 needs 4}}
  %0 = snug.constant dense_resource<w> : tensor<1xf32>
  return
}

{-# dialect_resources: { builtin: { w: "0x010000000000803F" } } #-}

// -----

// The model's name is a string on a module.
// expected-error@+1 {{expected 'snug.model' to be a string on a module}}
module attributes {snug.model = 1} {}

// -----

// expected-error@+1 {{expected 'snug.model' to be a string on a module}}
func.func private @f() attributes {snug.model = "net"}

// -----

// Names of inputs and outputs.
// expected-error@+1 {{expected 'snug.name' to be the name of a network input or output}}
func.func private @f(tensor<1xf32> {snug.name = ""})

// -----

// expected-error@+1 {{expected 'snug.name' to be the name of a network input or output}}
func.func private @f() -> (tensor<1xf32> {snug.name = 3})

// -----

// expected-error@+1 {{expected 'snug.name' on an argument or a result of a function}}
func.func private @f() attributes {snug.name = "f"}
