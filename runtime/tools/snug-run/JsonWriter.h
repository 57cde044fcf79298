// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Writes JSON straight to a file: a document tree would count in the memory
// that the tool measures.
#ifndef SNUG_RUNTIME_TOOLS_SNUG_RUN_JSONWRITER_H
#define SNUG_RUNTIME_TOOLS_SNUG_RUN_JSONWRITER_H

#include <cstdint>
#include <cstdio>
#include <string>

namespace snug {
namespace runner {

/// Values in the order of the calls; commas, quotes and escapes are set here.
class JsonWriter {
public:
  /// Opens the file; ok() tells whether that worked.
  explicit JsonWriter(const std::string &path);
  ~JsonWriter();
  JsonWriter(const JsonWriter &) = delete;
  JsonWriter &operator=(const JsonWriter &) = delete;

  bool ok() const { return file != nullptr; }
  /// Closes the file; false where anything could not be written.
  bool close();

  void beginObject(const char *key = nullptr) { open(key, '{'); }
  void endObject() { shut('}'); }
  void beginArray(const char *key = nullptr) { open(key, '['); }
  void endArray() { shut(']'); }

  void string(const char *key, const char *value);
  void integer(const char *key, uint64_t value);
  void signedInteger(const char *key, int64_t value);
  /// With three decimals; not-a-number and infinities become null.
  void number(const char *key, double value, int decimals = 3);
  void boolean(const char *key, bool value);
  void null(const char *key);

private:
  void open(const char *key, char bracket);
  void shut(char bracket);
  void begin(const char *key);
  void quote(const char *text);

  std::FILE *file;
  bool first = true;
  int depth = 0;
};

} // namespace runner
} // namespace snug

#endif // SNUG_RUNTIME_TOOLS_SNUG_RUN_JSONWRITER_H
