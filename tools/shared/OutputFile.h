// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Writing files as our tools do: whole, or not at all.
#ifndef SNUG_TOOLS_SHARED_OUTPUTFILE_H
#define SNUG_TOOLS_SHARED_OUTPUTFILE_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

#include <string>

namespace snug::tool {

/// Has `write` fill the file `path` ("-": standard output), beside its place,
/// and moves it there when it is complete: nobody ever sees half of it, and
/// what was there stays where `write` fails. What is no file, as a pipe, is
/// written to directly. False where anything fails; `problem` then tells what,
/// or is empty where `write` failed and told itself.
inline bool writeWholeFile(llvm::StringRef path,
                           llvm::function_ref<bool(llvm::raw_ostream &)> write,
                           std::string &problem) {
  auto fail = [&](std::string reason) {
    if (!reason.empty())
      reason[0] = llvm::toLower(reason[0]);
    problem = "cannot write '" + path.str() + "': " + reason;
    return false;
  };
  auto fill = [&](llvm::raw_fd_ostream &stream) {
    const bool written = write(stream);
    stream.flush();
    if (stream.has_error()) {
      const std::string reason = stream.error().message();
      stream.clear_error();
      return fail(reason);
    }
    return written;
  };
  llvm::sys::fs::file_status status;
  const bool exists = !llvm::sys::fs::status(path, status);
  if (path == "-" || (exists && !llvm::sys::fs::is_regular_file(status))) {
    std::error_code code;
    llvm::raw_fd_ostream stream(path, code, llvm::sys::fs::OF_None);
    return code ? fail(code.message()) : fill(stream);
  }
  // The file that a link leads to is replaced, not the link.
  llvm::SmallString<128> place(path);
  if (exists)
    llvm::sys::fs::real_path(path, place);
  llvm::Expected<llvm::sys::fs::TempFile> file =
      llvm::sys::fs::TempFile::create(place + ".%%%%%%",
                                      llvm::sys::fs::all_read |
                                          llvm::sys::fs::all_write);
  if (!file)
    return fail(llvm::toString(file.takeError()));
  llvm::raw_fd_ostream stream(file->FD, /*shouldClose=*/false);
  if (!fill(stream)) {
    llvm::consumeError(file->discard());
    return false;
  }
  if (llvm::Error error = file->keep(place))
    return fail(llvm::toString(std::move(error)));
  return true;
}

} // namespace snug::tool

#endif // SNUG_TOOLS_SHARED_OUTPUTFILE_H
