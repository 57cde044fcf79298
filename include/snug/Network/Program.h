// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Expansion of a network and a partition into steps on buffers: the one
// description of execution that planner, lowering and estimates share.
#ifndef SNUG_NETWORK_PROGRAM_H
#define SNUG_NETWORK_PROGRAM_H

#include "snug/Network/Network.h"
#include "snug/Network/Schedule.h"
#include "snug/Network/Storage.h"

#include <cstdint>
#include <vector>

namespace snug::network {

/// Bytes in the arena, with a lifetime in steps.
struct Buffer {
  enum class Role {
    Input,
    Output,
    Activation,
    Workspace
  } role = Role::Activation;
  int tensor = -1; ///< whose elements it holds; -1 for workspace
  /// Always channels-last where both orders agree.
  Layout layout = Layout::ChannelsLast;
  Interval rows, columns; ///< the part of the tensor that it holds
  int64_t channels = 0;   ///< that it holds, at least the tensor's
  int64_t bytes = 0;
  /// Half-open interval of step indices in which it must keep its bytes.
  /// Inputs live from 0 (for one step if nobody reads them), outputs until the
  /// last step has ended.
  int64_t liveBegin = 0, liveEnd = 0;
};

/// A part of a tensor inside a buffer, all of its batch.
struct View {
  int buffer = -1;
  /// The tensor that is viewed: the buffer's own, one that lies in other
  /// channels of the same buffer, or one of other extents and as many elements
  /// (a reshape; isReshaped()), for which the buffer's bytes are the tensor's
  /// in planar order.
  int tensor = -1;
  Interval rows, columns; ///< of the tensor, not of the buffer
  Interval channels;      ///< of the buffer; of a reshape, of the tensor
};

/// One execution of an op on (part of) its tensors, a move of (part of) a
/// tensor between layouts, or, for an op that copies, a copy of one operand:
/// input and output of moves and copies are views of equal extents in any
/// layouts.
struct Step {
  int op = -1;      ///< index into Network::ops; -1: a move
  int operand = -1; ///< that is copied; -1: no op that copies
  std::vector<View>
      inputs; ///< one per operand of the op; one for a move or copy
  View output;
  /// Padding taps around inputs[0].
  int64_t padTop = 0, padLeft = 0, padBottom = 0, padRight = 0;
  int workspace = -1; ///< buffer, or -1
  /// Of the partition, -1 outside groups; tiles are counted row by row, -1 in
  /// whole groups and for moves of whole outputs.
  int group = -1, tile = -1;
  int64_t macs = 0;
  int kernels = 1; ///< that it takes in a plan, at most (see Op::kernels)
};

/// Extents and pads of the views of a step that is no move.
StepShape shapeOf(const Network &network, const Step &step);

/// A step whose output may lie exactly on one of its inputs: the step is the
/// last to touch the one buffer, which is no output of the network, and the
/// first to touch the other, uses all of both, and its kernel runs in place.
struct Reuse {
  int64_t step = 0;
  int input = -1, output = -1; ///< buffers of equal bytes
};

struct Program {
  std::vector<Buffer> buffers;
  std::vector<Step> steps;
  /// In the order of steps; a step with two such inputs has two.
  std::vector<Reuse> reuses;

  /// Lists a reuse if lifetimes and bytes of the two buffers allow it, once.
  /// The caller knows that the step uses all of both, elements in the same
  /// order, and that its kernel runs in place. Called in the order of steps.
  void addReuse(int64_t step, int input, int output);

  int64_t macs() const;
  int64_t kernels() const; ///< of all steps
  /// Buffers that are live at a step, in their order.
  std::vector<int> liveBuffers(int64_t step) const;
  /// Live bytes at every step, each buffer rounded up to `alignment`. What a
  /// step may reuse counts once.
  std::vector<int64_t> liveBytes(int64_t alignment) const;
  /// Largest sum of live bytes over all steps, each buffer rounded up to
  /// `alignment`: a lower bound of any arena that is a multiple of it.
  int64_t peakLiveBytes(int64_t alignment) const;
  /// The step where that peak is (the first one).
  int64_t peakStep(int64_t alignment) const;
};

/// True where the tensor has other extents than the one that the buffer says
/// it holds; not where it has other channels alone.
bool isReshaped(const Network &network, const Program &program,
                const View &view);

/// The steps of `network` under `partition`, in order.
///
/// Outside groups and in whole groups every op runs once, on buffers of full
/// tensors. In a grid group, tiles run row by row; each tile runs through all
/// ops of the group and makes its share of every result, the split() of that
/// result's own extents, and what its ops need besides. What is local to the
/// tile lies in buffers of the tile's own, which hold the hull of what the
/// tile's ops need; operands from outside the group are read in place, and what
/// is used outside is made straight into its full buffer, where tiles may make
/// some elements again, with equal values. The views of a step are exactly what
/// it needs and what it makes, so the pads that it states are those around its
/// view, whole or tiled.
///
/// Ops that copy make steps only for the operands that are not in place already
/// (Storage.h says which are): one each, that may change the layout as well.
///
/// Network inputs lie in planar order, and so do results of kernels that write
/// it and of reshapes. The first op that runs whole and reads such a tensor
/// channels-last has it moved into a full channels-last copy, which everything
/// behind it reads; before that, every tile of a grid group moves the part it
/// needs into a buffer of its own. What lies channels-last and is read in
/// planar order is moved once, as a whole. No move where both orders agree.
///
/// A network output that is made by a grid group, and that nobody reads, is
/// moved into its planar buffer tile by tile. Otherwise it is kept
/// channels-last and moved as a whole behind the last op or group that reads
/// it.
///
/// A step that may run in place keeps buffers of its own for input and result,
/// and is listed among the program's reuses: whether they share bytes is the
/// address assignment's choice.
///
/// Error where check() or checkGroup() has something to say, or groups overlap.
Result<Program> expand(const Network &network, const Partition &partition);

/// The same for whoever expands one network again and again: it must be well
/// formed, and `sharing` its own.
Result<Program> expand(const Network &network, const Sharing &sharing,
                       const Partition &partition);

} // namespace snug::network

#endif // SNUG_NETWORK_PROGRAM_H
