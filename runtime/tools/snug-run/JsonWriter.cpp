// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A streaming JSON writer over stdio.

#include "JsonWriter.h"

#include <cinttypes>
#include <cmath>

namespace snug {
namespace runner {

JsonWriter::JsonWriter(const std::string &path)
    : file(std::fopen(path.c_str(), "w")) {}

JsonWriter::~JsonWriter() {
  if (file)
    std::fclose(file);
}

bool JsonWriter::close() {
  if (!file)
    return false;
  std::fputc('\n', file);
  const bool good = !std::ferror(file);
  const bool closed = std::fclose(file) == 0;
  file = nullptr;
  return good && closed;
}

void JsonWriter::begin(const char *key) {
  if (!first)
    std::fputc(',', file);
  // Two levels are laid out over lines, what lies deeper stands in one line.
  if (depth > 0 && depth <= 2)
    std::fprintf(file, "\n%*s", depth * 2, "");
  else if (!first)
    std::fputc(' ', file);
  first = false;
  if (key) {
    quote(key);
    std::fputs(": ", file);
  }
}

void JsonWriter::open(const char *key, char bracket) {
  begin(key);
  std::fputc(bracket, file);
  first = true;
  ++depth;
}

void JsonWriter::shut(char bracket) {
  --depth;
  if (!first && depth < 2)
    std::fprintf(file, "\n%*s", depth * 2, "");
  std::fputc(bracket, file);
  first = false;
}

void JsonWriter::quote(const char *text) {
  std::fputc('"', file);
  for (; *text; ++text) {
    const unsigned char c = static_cast<unsigned char>(*text);
    if (c == '"' || c == '\\')
      std::fprintf(file, "\\%c", c);
    else if (c < 0x20)
      std::fprintf(file, "\\u%04x", c);
    else
      std::fputc(c, file);
  }
  std::fputc('"', file);
}

void JsonWriter::string(const char *key, const char *value) {
  begin(key);
  quote(value);
}

void JsonWriter::integer(const char *key, uint64_t value) {
  begin(key);
  std::fprintf(file, "%" PRIu64, value);
}

void JsonWriter::signedInteger(const char *key, int64_t value) {
  begin(key);
  std::fprintf(file, "%" PRId64, value);
}

void JsonWriter::number(const char *key, double value, int decimals) {
  if (!std::isfinite(value))
    return null(key);
  begin(key);
  std::fprintf(file, "%.*f", decimals, value);
}

void JsonWriter::boolean(const char *key, bool value) {
  begin(key);
  std::fputs(value ? "true" : "false", file);
}

void JsonWriter::null(const char *key) {
  begin(key);
  std::fputs("null", file);
}

} // namespace runner
} // namespace snug
