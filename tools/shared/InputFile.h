// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reading modules as our tools do: from files and through pipes.
#ifndef SNUG_TOOLS_SHARED_INPUTFILE_H
#define SNUG_TOOLS_SHARED_INPUTFILE_H

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MemoryBuffer.h"

#include "mlir/Support/FileUtilities.h"

#include <memory>
#include <string>

namespace snug::tool {

/// The content of a file, or of standard input for "-", at a multiple of 64
/// bytes; null and a message where it cannot be read. Bytecode places blobs at
/// such multiples and is refused elsewhere, and what comes through a pipe lies
/// anywhere.
inline std::unique_ptr<llvm::MemoryBuffer>
openAlignedInput(llvm::StringRef path, std::string &problem) {
  const llvm::Align blobAlignment(64);
  std::unique_ptr<llvm::MemoryBuffer> input =
      mlir::openInputFile(path, &problem);
  if (!input || llvm::isAddrAligned(blobAlignment, input->getBufferStart()))
    return input;
  auto aligned = llvm::WritableMemoryBuffer::getNewUninitMemBuffer(
      input->getBufferSize(), input->getBufferIdentifier(), blobAlignment);
  llvm::copy(input->getBuffer(), aligned->getBufferStart());
  return aligned;
}

} // namespace snug::tool

#endif // SNUG_TOOLS_SHARED_INPUTFILE_H
