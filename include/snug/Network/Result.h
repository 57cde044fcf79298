// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A value or a user-facing error; this part of the project uses no exceptions.
#ifndef SNUG_NETWORK_RESULT_H
#define SNUG_NETWORK_RESULT_H

#include <cassert>
#include <string>
#include <utility>
#include <variant>

namespace snug {

/// One sentence for the user: lower case, no full stop, with the remedy.
struct Error {
  std::string message;
};

/// A `T`, or the reason why there is none.
template <typename T> class [[nodiscard]] Result {
public:
  Result(T value) : content(std::move(value)) {}
  Result(Error error) : content(std::move(error)) {}

  explicit operator bool() const { return std::holds_alternative<T>(content); }
  T &operator*() { return std::get<T>(content); }
  const T &operator*() const { return std::get<T>(content); }
  T *operator->() { return &std::get<T>(content); }
  const T *operator->() const { return &std::get<T>(content); }
  const Error &error() const { return std::get<Error>(content); }

private:
  std::variant<T, Error> content;
};

} // namespace snug

#endif // SNUG_NETWORK_RESULT_H
