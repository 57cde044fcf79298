// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which tensors may share bytes, and where they lie under a partition: the
// rules that expand() follows, for whoever counts bytes without expanding.
#ifndef SNUG_NETWORK_STORAGE_H
#define SNUG_NETWORK_STORAGE_H

#include "snug/Network/Network.h"
#include "snug/Network/Schedule.h"

#include <cstdint>
#include <vector>

namespace snug::network {

/// What is known of a network before anything is known of its partition.
///
/// *Families.* Ops that copy channels in place (a concat, a slice or an
/// identity: maps are identities, everything channels-last) tie tensors
/// together: the copied channels of the operand may be those of the result. A
/// family is a set of tensors of equal batch, height and width with a first
/// channel each in one common numbering, such that no channel would hold two
/// different contents, and no op would copy channels over each other. An
/// operand that is tied to its result's place by these numbers is not copied
/// where both lie in one buffer. Network inputs, tensors written in planar
/// order and results of reshapes are in no family.
///
/// A family holds bytes for channels that are not made yet, and for channels
/// that nobody reads any more. Where copying would lower the untiled network's
/// peak, or its live bytes during the family's life by a sixteenth, the
/// operands are left out and copied; and if sharing still made the peak larger
/// than copying everything would, nothing is shared.
///
/// *Planar roots.* A reshape's operand and result are the same bytes in planar
/// order, unless that made an input an output, or one output another.
struct Sharing {
  /// By tensor: its family (-1: none), and its first channel there.
  std::vector<int> family;
  std::vector<int64_t> channel;
  /// By tensor: the one that stands for all that share its planar bytes.
  std::vector<int> planarRoot;
  /// By planar root: the network input and output among them, or -1.
  std::vector<int> rootInput, rootOutput;

  /// By tensor: the op that makes it (-1: a network input), the last op that
  /// reads it, or else makes it (-1: an input that nobody reads).
  std::vector<int64_t> maker, lastUse;
};

/// The network must be well formed. Takes some expansions' time; whoever
/// expands one network again and again calls it once.
Sharing findSharing(const Network &network);

/// Makers and last uses alone.
Sharing findUses(const Network &network);

/// True for a planar reshape: its operand's elements in the same order.
bool isReshape(const Op &op);

/// Channels of operand `index` that an op copies.
Interval copiedChannels(const Network &network, const Op &op, size_t index);

/// True where the operand lies in its result, or the result in the operand, if
/// both lie in one buffer of their family.
bool isTied(const Sharing &sharing, const Network &network, const Op &op,
            size_t index);

/// Where the tensors of a partition lie. A tensor made in a grid group is
/// local to its tiles, except
///   - results: those used behind the group, and network outputs in whose order
///     kernels write, or that an op of the group reads,
///   - operands that are tied, as a whole, to a result of the same group that
///     is not local,
///   - results of ops that copy whose operands are all tied to them and not
///     local.
/// All others have buffers of full extents. An output that nobody reads and
/// that kernels do not write in the output's order is local, and moved out tile
/// by tile.
///
/// Tied tensors that are both local to one group, or both not local, lie in one
/// buffer: of a tile, or of full extents. It has as many channels as the
/// tensors' numbers span and, in a tile, the hull of their rows and columns.
struct Placement {
  /// By tensor: the grid group whose tiles it is local to, -1 for none.
  std::vector<int> home;
  /// By tensor: the one that stands for all that lie in its buffer.
  std::vector<int> root;
};

Placement placeTensors(const Network &network, const Sharing &sharing,
                       const Partition &partition);

} // namespace snug::network

#endif // SNUG_NETWORK_STORAGE_H
