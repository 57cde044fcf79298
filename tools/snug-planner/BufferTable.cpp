// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rows, columns and numbers of a buffer table, each error with its line.
#include "BufferTable.h"

#include "snug/Network/Network.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <map>
#include <optional>
#include <set>

namespace snug::tool {

namespace {

std::string trimmed(const std::string &text) {
  const char *blanks = " \t\r";
  const size_t first = text.find_first_not_of(blanks);
  if (first == std::string::npos)
    return "";
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::vector<std::string> split(const std::string &text, char separator) {
  std::vector<std::string> parts;
  size_t begin = 0;
  for (size_t end; (end = text.find(separator, begin)) != std::string::npos;
       begin = end + 1)
    parts.push_back(text.substr(begin, end - begin));
  parts.push_back(text.substr(begin));
  return parts;
}

std::vector<std::string> fieldsOf(const std::string &line) {
  std::vector<std::string> fields = split(line, ',');
  for (std::string &field : fields)
    field = trimmed(field);
  return fields;
}

class Parser {
public:
  Parser(const std::string &text, int64_t alignment)
      : rows(split(text, '\n')), alignment(alignment) {}
  Result<BufferTable> run();

private:
  bool readHeader(const std::vector<std::string> &fields);
  bool readRow(const std::vector<std::string> &fields);
  bool readBuffer(const std::vector<std::string> &fields,
                  planner::AllocationBuffer &buffer);
  bool isPresent(const char *column) const { return columns.count(column) > 0; }
  bool readNumber(const std::vector<std::string> &fields, const char *column,
                  int64_t &value);
  bool fail(const std::string &what) {
    problem = "line " + std::to_string(line) + ": " + what;
    return false;
  }

  const std::vector<std::string> rows;
  const int64_t alignment;
  int line = 0;
  std::string problem;
  std::map<std::string, size_t> columns;
  bool endCountsIn = false; ///< the column is `end`, not `upper`
  std::map<std::string, int> lineOfId;
  int64_t sum = 0;
  BufferTable table;
};

bool Parser::readHeader(const std::vector<std::string> &fields) {
  static const std::map<std::string, std::string> known = {
      {"id", "id"},         {"buffer", "id"},
      {"buffer_id", "id"},  {"lower", "lower"},
      {"begin", "lower"},   {"start", "lower"},
      {"upper", "upper"},   {"end", "upper"},
      {"size", "size"},     {"alignment", "alignment"},
      {"offset", "offset"}, {"hint", "hint"},
      {"gaps", "gaps"}};
  for (size_t i = 0; i < fields.size(); ++i) {
    const auto entry = known.find(fields[i]);
    if (entry == known.end())
      return fail("unknown column '" + fields[i] +
                  "'; there are id, lower, upper, size, alignment, offset, "
                  "hint and gaps");
    if (!columns.insert({entry->second, i}).second)
      return fail("column '" + entry->second + "' is there twice");
    endCountsIn |= fields[i] == "end";
  }
  for (const char *needed : {"id", "lower", "upper", "size"})
    if (!isPresent(needed))
      return fail("column '" + std::string(needed) +
                  "' is missing; the first line names the columns");
  return true;
}

bool Parser::readNumber(const std::vector<std::string> &fields,
                        const char *column, int64_t &value) {
  const std::string &text = fields[columns.at(column)];
  const char *end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, value);
  if (code == std::errc::result_out_of_range)
    return fail(std::string(column) + " '" + text +
                "' exceeds what 64 bits can count");
  if (code != std::errc() || stop != end)
    return fail(std::string(column) + " '" + text + "' is no whole number");
  return true;
}

bool Parser::readBuffer(const std::vector<std::string> &fields,
                        planner::AllocationBuffer &buffer) {
  const std::string name = "buffer '" + buffer.name + "'";
  if (!readNumber(fields, "lower", buffer.begin) ||
      !readNumber(fields, "upper", buffer.end) ||
      !readNumber(fields, "size", buffer.bytes))
    return false;
  if (endCountsIn) {
    if (buffer.end == std::numeric_limits<int64_t>::max())
      return fail(name + " ends beyond what 64 bits can count");
    ++buffer.end;
  }
  buffer.alignment = 1;
  if (isPresent("alignment") &&
      !readNumber(fields, "alignment", buffer.alignment))
    return false;
  if (isPresent("gaps") && !fields[columns["gaps"]].empty())
    return fail(name + " has gaps '" + fields[columns["gaps"]] +
                "', which are not supported; give each part a row");
  if (isPresent("offset") && !fields[columns["offset"]].empty()) {
    int64_t offset = 0;
    if (!readNumber(fields, "offset", offset))
      return false;
    if (offset != -1)
      buffer.fixedOffset = offset;
  }
  return true;
}

bool Parser::readRow(const std::vector<std::string> &fields) {
  if (fields.size() != columns.size())
    return fail("there are " + std::to_string(fields.size()) + " fields, but " +
                std::to_string(columns.size()) + " columns");
  planner::AllocationBuffer buffer;
  buffer.name = fields[columns["id"]];
  if (buffer.name.empty())
    return fail("the id is empty");
  const auto [first, isNew] = lineOfId.insert({buffer.name, line});
  if (!isNew)
    return fail("id '" + buffer.name + "' is already that of line " +
                std::to_string(first->second));
  if (!readBuffer(fields, buffer))
    return false;
  // A buffer alone: what is wrong with it, if anything, is in this line.
  if (std::string why = planner::check({{buffer}}); !why.empty())
    return fail(why);
  buffer.alignment = std::max(buffer.alignment, alignment);
  std::optional<int64_t> total = network::checkedAdd(sum, buffer.bytes);
  if (total)
    total = network::checkedAdd(*total, buffer.alignment);
  if (total)
    total = network::checkedAdd(*total, buffer.fixedOffset.value_or(0));
  if (!total)
    return fail("buffer '" + buffer.name +
                "': the sizes together exceed what 64 bits can count");
  sum = *total;
  table.problem.buffers.push_back(std::move(buffer));
  table.lines.push_back(line);
  return true;
}

Result<BufferTable> Parser::run() {
  for (const std::string &row : rows) {
    ++line;
    std::string text = row;
    if (line == 1 && text.compare(0, 3, "\xef\xbb\xbf") == 0)
      text.erase(0, 3); // byte order mark
    if (trimmed(text).empty())
      continue;
    const bool good =
        columns.empty() ? readHeader(fieldsOf(text)) : readRow(fieldsOf(text));
    if (!good)
      return Error{problem};
  }
  if (columns.empty())
    return Error{"line 1: the file is empty; the first line names the columns "
                 "id, lower, upper and size"};
  if (std::string why = planner::check(table.problem); !why.empty())
    return Error{why};
  return std::move(table);
}

} // namespace

Result<BufferTable> parseBufferTable(const std::string &text,
                                     int64_t alignment) {
  return Parser(text, alignment).run();
}

} // namespace snug::tool
