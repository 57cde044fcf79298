// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reads and writes .npy files through plain file descriptors: a stream's
// buffers and a copy of the tensor would count in the measured memory.

#include "NpyFile.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>
#include <vector>

namespace snug {
namespace runner {

namespace {

constexpr size_t kMaxHeaderBytes = 1 << 16;
constexpr size_t kPieceBytes = 1 << 20;
const char kMagic[6] = {'\x93', 'N', 'U', 'M', 'P', 'Y'};

/// Closes a descriptor when it goes out of scope.
class File {
public:
  explicit File(int descriptor) : descriptor(descriptor) {}
  ~File() {
    if (descriptor >= 0)
      ::close(descriptor);
  }
  File(const File &) = delete;
  File &operator=(const File &) = delete;

  bool valid() const { return descriptor >= 0; }

  /// Reads up to `bytes`; fewer at the end of the file. False on an error.
  bool read(void *data, size_t bytes, size_t *out_done) {
    *out_done = 0;
    while (*out_done < bytes) {
      const size_t left = bytes - *out_done;
      const ssize_t got =
          ::read(descriptor, static_cast<char *>(data) + *out_done,
                 left < kPieceBytes ? left : kPieceBytes);
      if (got < 0 && errno == EINTR)
        continue;
      if (got < 0)
        return false;
      if (got == 0)
        return true;
      *out_done += static_cast<size_t>(got);
    }
    return true;
  }

  bool write(const void *data, size_t bytes) {
    size_t done = 0;
    while (done < bytes) {
      const size_t left = bytes - done;
      const ssize_t put =
          ::write(descriptor, static_cast<const char *>(data) + done,
                  left < kPieceBytes ? left : kPieceBytes);
      if (put < 0 && errno == EINTR)
        continue;
      if (put < 0)
        return false;
      done += static_cast<size_t>(put);
    }
    return true;
  }

  bool close() {
    const int closed = descriptor;
    descriptor = -1;
    return ::close(closed) == 0;
  }

private:
  int descriptor;
};

std::string systemError(const char *what) {
  return std::string(what) + ": " + std::strerror(errno);
}

/// The header's dictionary: exactly 'descr', 'fortran_order' and 'shape'.
class HeaderParser {
public:
  explicit HeaderParser(const std::string &text) : text(text) {}

  std::string descr;
  bool fortranOrder = false;
  std::vector<int64_t> shape;

  bool parse() {
    bool haveDescr = false, haveOrder = false, haveShape = false;
    if (!take('{'))
      return false;
    while (!take('}')) {
      std::string key;
      if (!takeString(&key) || !take(':'))
        return false;
      if (key == "descr" && !haveDescr)
        haveDescr = takeDescr();
      else if (key == "fortran_order" && !haveOrder)
        haveOrder = takeBool();
      else if (key == "shape" && !haveShape)
        haveShape = takeShape();
      else
        return false;
      if (!(key == "descr"   ? haveDescr
            : key == "shape" ? haveShape
                             : haveOrder))
        return false;
      if (!take(',') && peek() != '}')
        return false;
    }
    return haveDescr && haveOrder && haveShape;
  }

private:
  const std::string &text;
  size_t at = 0;

  char peek() {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\n'))
      ++at;
    return at < text.size() ? text[at] : '\0';
  }

  bool take(char c) {
    if (peek() != c)
      return false;
    ++at;
    return true;
  }

  bool takeString(std::string *value) {
    const char quote = peek();
    if (quote != '\'' && quote != '"')
      return false;
    const size_t end = text.find(quote, at + 1);
    if (end == std::string::npos)
      return false;
    value->assign(text, at + 1, end - at - 1);
    at = end + 1;
    return true;
  }

  /// A type's name; of a structured type (a list) only that it is one.
  bool takeDescr() {
    if (peek() != '[')
      return takeString(&descr);
    descr = "a structured type";
    const size_t end = text.find(']', at);
    if (end == std::string::npos)
      return false;
    at = end + 1;
    return true;
  }

  bool takeBool() {
    peek();
    fortranOrder = text.compare(at, 4, "True") == 0;
    if (!fortranOrder && text.compare(at, 5, "False") != 0)
      return false;
    at += fortranOrder ? 4 : 5;
    return true;
  }

  bool takeShape() {
    if (!take('('))
      return false;
    while (!take(')')) {
      if (peek() < '0' || peek() > '9')
        return false;
      errno = 0;
      char *end = nullptr;
      const long long extent = std::strtoll(text.c_str() + at, &end, 10);
      if (errno != 0)
        return false;
      at = static_cast<size_t>(end - text.c_str());
      take('L'); // Python 2 wrote long integers so
      shape.push_back(extent);
      if (!take(',') && peek() != ')')
        return false;
    }
    return true;
  }
};

/// Reads magic, version and dictionary. An error, or empty.
std::string readHeader(File &file, std::string *out_text) {
  unsigned char fixed[8];
  size_t done = 0;
  if (!file.read(fixed, sizeof(fixed), &done))
    return systemError("cannot be read");
  if (done < sizeof(fixed) || std::memcmp(fixed, kMagic, sizeof(kMagic)) != 0)
    return "is not a .npy file";
  const int version = fixed[6];
  if (version != 1 && version != 2)
    return "has .npy version " + std::to_string(version) +
           "; versions 1 and 2 are read";
  unsigned char length[4] = {0, 0, 0, 0};
  const size_t lengthBytes = version == 1 ? 2 : 4;
  if (!file.read(length, lengthBytes, &done))
    return systemError("cannot be read");
  if (done < lengthBytes)
    return "is truncated in its header";
  const size_t bytes = length[0] | size_t{length[1]} << 8 |
                       size_t{length[2]} << 16 | size_t{length[3]} << 24;
  if (bytes > kMaxHeaderBytes)
    return "has a header of " + std::to_string(bytes) + " bytes, at most " +
           std::to_string(kMaxHeaderBytes) + " are read";
  out_text->resize(bytes);
  if (!file.read(&(*out_text)[0], bytes, &done))
    return systemError("cannot be read");
  if (done < bytes)
    return "is truncated in its header";
  return "";
}

} // namespace

std::string shapeText(const int64_t *shape, size_t rank) {
  std::string text;
  for (size_t i = 0; i < rank; ++i)
    text += (i ? "x" : "") + std::to_string(shape[i]);
  return rank ? text : "scalar";
}

std::string readNpy(const char *path, const int64_t *shape, size_t rank,
                    float *data) {
  File file(::open(path, O_RDONLY | O_CLOEXEC));
  if (!file.valid())
    return systemError("cannot be opened");
  std::string text;
  const std::string error = readHeader(file, &text);
  if (!error.empty())
    return error;
  HeaderParser header(text);
  if (!header.parse())
    return "has a malformed .npy header";
  if (header.descr != "<f4")
    return "holds '" + header.descr +
           "' values, but little-endian float32 ('<f4') is needed; convert it "
           "with numpy's astype";
  if (header.fortranOrder && header.shape.size() > 1)
    return "is in Fortran order; write it with numpy's ascontiguousarray";
  const bool same = header.shape.size() == rank &&
                    std::equal(header.shape.begin(), header.shape.end(), shape);
  if (!same)
    return "has shape " + shapeText(header.shape.data(), header.shape.size()) +
           ", but the network needs " + shapeText(shape, rank);
  size_t bytes = sizeof(float);
  for (size_t i = 0; i < rank; ++i)
    bytes *= static_cast<size_t>(shape[i]);
  size_t done = 0;
  if (!file.read(data, bytes, &done))
    return systemError("cannot be read");
  if (done < bytes)
    return "is truncated: it has " + std::to_string(done) + " of " +
           std::to_string(bytes) + " bytes of values";
  char extra;
  if (!file.read(&extra, 1, &done))
    return systemError("cannot be read");
  if (done)
    return "has bytes after its values; one array a file is read";
  return "";
}

std::string writeNpy(const char *path, const int64_t *shape, size_t rank,
                     const float *data) {
  std::string text = "{'descr': '<f4', 'fortran_order': False, 'shape': (";
  size_t bytes = sizeof(float);
  for (size_t i = 0; i < rank; ++i) {
    text += std::to_string(shape[i]) + (rank == 1      ? ","
                                        : i + 1 < rank ? ", "
                                                       : "");
    bytes *= static_cast<size_t>(shape[i]);
  }
  text += "), }";
  // Values begin at a multiple of 64 bytes; a line feed ends the header.
  const size_t fixed = sizeof(kMagic) + 4;
  while ((fixed + text.size() + 1) % 64 != 0)
    text += ' ';
  text += '\n';
  std::string start(kMagic, sizeof(kMagic));
  start += '\x01';
  start += '\x00';
  start += static_cast<char>(text.size() & 0xff);
  start += static_cast<char>(text.size() >> 8);
  start += text;

  File file(::open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!file.valid())
    return systemError("cannot be created");
  if (!file.write(start.data(), start.size()) || !file.write(data, bytes))
    return systemError("cannot be written");
  if (!file.close())
    return systemError("cannot be written");
  return "";
}

} // namespace runner
} // namespace snug
