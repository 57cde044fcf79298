// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Opening and decoding of ONNX files, with the errors of broken ones.
#include "ModelFile.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"

#include <climits>
#include <cstring>
#include <functional>
#include <sys/mman.h>

using llvm::StringRef;
using llvm::Twine;

namespace snug::onnx_import {
namespace {

/// Bytes that are copied before their pages are let go of, and how many are
/// worth the call.
constexpr size_t kChunkBytes = size_t(16) << 20, kWorthReleasing = 65536;

/// Pages of a mapped file count as memory of this process once they are read.
/// This gives back those that hold `bytes`; who reads them again gets them
/// again. (MemoryBuffer::dontNeedIfMmap() does nothing on Linux.)
void releasePages(StringRef bytes) {
#ifdef MADV_DONTNEED
  const uintptr_t page = llvm::sys::Process::getPageSizeEstimate();
  const uintptr_t begin =
      llvm::alignDown(reinterpret_cast<uintptr_t>(bytes.begin()), page);
  const uintptr_t end = reinterpret_cast<uintptr_t>(bytes.end());
  // It is only a hint: nothing to do where it fails.
  (void)::madvise(reinterpret_cast<void *>(begin), end - begin, MADV_DONTNEED);
#endif
}

std::string lowerFirst(std::string text) {
  if (!text.empty())
    text[0] = llvm::toLower(text[0]);
  return text;
}

Error cannotRead(StringRef name, const std::error_code &code) {
  return Error{"cannot read '" + name.str() +
               "': " + lowerFirst(code.message())};
}

} // namespace

ModelFile::ModelFile(StringRef path)
    : fromStandardInput(path == "-"), path(path),
      name(fromStandardInput ? "<stdin>" : path.str()) {}

std::string ModelFile::stem() const {
  return fromStandardInput ? "model" : llvm::sys::path::stem(path).str();
}

Result<std::unique_ptr<ModelFile>> ModelFile::open(StringRef path) {
  std::unique_ptr<ModelFile> file(new ModelFile(path));
  if (!file->fromStandardInput) {
    llvm::sys::fs::file_status status;
    if (std::error_code code = llvm::sys::fs::status(path, status))
      return cannotRead(file->name, code);
    // Reading a device could go on for ever.
    if (status.type() != llvm::sys::fs::file_type::regular_file &&
        status.type() != llvm::sys::fs::file_type::fifo_file)
      return Error{"cannot read '" + file->name + "': it is not a file"};
  }
  // Mapped where the system can: the weights stay where they are until
  // somebody copies them.
  auto buffer =
      file->fromStandardInput
          ? llvm::MemoryBuffer::getSTDIN()
          : llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                        /*RequiresNullTerminator=*/false);
  if (!buffer)
    return cannotRead(file->name, buffer.getError());
  file->buffer = std::move(*buffer);
  return decode(std::move(file));
}

Result<std::unique_ptr<ModelFile>>
ModelFile::fromMemory(std::unique_ptr<llvm::MemoryBuffer> buffer) {
  std::unique_ptr<ModelFile> file(new ModelFile("-"));
  file->buffer = std::move(buffer);
  return decode(std::move(file));
}

Result<std::unique_ptr<ModelFile>>
ModelFile::decode(std::unique_ptr<ModelFile> file) {
  const std::string quoted = "'" + file->name + "' ";
  StringRef bytes = file->buffer->getBuffer();
  if (bytes.empty())
    return Error{quoted + "is empty; expected an ONNX model"};
  if (bytes.size() > size_t(INT_MAX))
    return Error{quoted +
                 "is larger than 2 GiB, which ONNX does not allow; write the "
                 "weights as external data"};
  std::string problem =
      decodeModel(bytes, file->content, file->elements, file->nodes);
  if (!problem.empty())
    return Error{quoted + problem};
  if (!file->content.has_graph())
    return Error{quoted + "holds no graph: it is no ONNX model or is cut "
                          "short; copy or write it again"};
  return file;
}

StoredElements
ModelFile::storedElements(const onnx::TensorProto &tensor) const {
  auto found = elements.find(&tensor);
  return found == elements.end() ? StoredElements() : found->second;
}

void ModelFile::copy(StringRef from, char *to) {
  const bool isMapped = this->isMapped(from);
  while (!from.empty()) {
    const StringRef chunk = from.take_front(kChunkBytes);
    std::memcpy(to, chunk.data(), chunk.size());
    if (isMapped && chunk.size() >= kWorthReleasing)
      releasePages(chunk);
    from = from.drop_front(chunk.size());
    to += chunk.size();
  }
}

void ModelFile::release(StringRef bytes) {
  if (bytes.size() >= kWorthReleasing && isMapped(bytes))
    releasePages(bytes);
}

int64_t ModelFile::totalBytes() const {
  auto total = static_cast<int64_t>(buffer->getBufferSize());
  for (const auto &external : externalFiles)
    if (external.second)
      total += static_cast<int64_t>(external.second->getBufferSize());
  return total;
}

StringRef ModelFile::storedNode(const onnx::NodeProto &node) const {
  auto found = nodes.find(&node);
  return found == nodes.end() ? StringRef() : found->second;
}

bool ModelFile::isMapped(StringRef bytes) const {
  auto maps = [&](const llvm::MemoryBuffer &candidate) {
    return candidate.getBufferKind() == llvm::MemoryBuffer::MemoryBuffer_MMap &&
           !std::less<>()(bytes.begin(), candidate.getBufferStart()) &&
           !std::less<>()(candidate.getBufferEnd(), bytes.end());
  };
  return maps(*buffer) ||
         llvm::any_of(externalFiles, [&](const auto &external) {
           return external.second && maps(*external.second);
         });
}

Result<StringRef> ModelFile::externalBytes(StringRef location, int64_t offset,
                                           int64_t length) {
  if (fromStandardInput)
    return Error{"its data lies in the file '" + location.str() +
                 "' beside the model, which is not known for a model from "
                 "standard input; give the model's path"};
  StringRef folder = llvm::sys::path::parent_path(path);
  if (folder.empty())
    folder = ".";
  llvm::SmallString<128> full(folder);
  llvm::sys::path::append(full, location);
  // Links are followed first: what counts is where the bytes really lie.
  llvm::SmallString<128> realFolder, realFile;
  if (std::error_code code = llvm::sys::fs::real_path(folder, realFolder))
    return cannotRead(folder, code);
  const Error outside{"its data file '" + location.str() +
                      "' lies outside the model's folder; move it there and "
                      "name it by a relative path"};
  if (location.empty() || llvm::sys::path::is_absolute(location))
    return outside;
  if (std::error_code code = llvm::sys::fs::real_path(full, realFile))
    return Error{"its data file '" + location.str() +
                 "' cannot be read: " + lowerFirst(code.message())};
  llvm::SmallString<128> prefix(realFolder);
  if (!StringRef(prefix).ends_with("/"))
    prefix += "/";
  if (!StringRef(realFile).starts_with(prefix))
    return outside;

  std::unique_ptr<llvm::MemoryBuffer> &buffer =
      externalFiles[std::string(realFile)];
  if (!buffer) {
    if (!llvm::sys::fs::is_regular_file(realFile))
      return Error{"its data file '" + location.str() + "' is not a file"};
    auto opened = llvm::MemoryBuffer::getFile(realFile, /*IsText=*/false,
                                              /*RequiresNullTerminator=*/false);
    if (!opened)
      return Error{"its data file '" + location.str() + "' cannot be read: " +
                   lowerFirst(opened.getError().message())};
    buffer = std::move(*opened);
  }
  const auto size = static_cast<int64_t>(buffer->getBufferSize());
  if (offset < 0 || offset > size || length > size - offset)
    return Error{"its data file '" + location.str() + "' has " +
                 std::to_string(size) + " bytes, but " +
                 std::to_string(length < 0 ? 0 : length) + " from byte " +
                 std::to_string(offset) + " on are asked for"};
  return buffer->getBuffer().substr(offset,
                                    length < 0 ? size - offset : length);
}

} // namespace snug::onnx_import
