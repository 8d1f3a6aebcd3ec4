// Result<T>: a value or an Error. Status: nothing or an Error.
//
// Values; not thread-safe. Reading the value of a failed Result is a broken invariant and ends
// the process. Debian's g++ 12 has no std::expected in C++20, hence this small one.
#pragma once

#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "sheaf/base/core/check.h"
#include "sheaf/base/core/error.h"

namespace sheaf::core {

template <typename T>
class [[nodiscard]] Result {
 public:
  using ValueType = T;

  // NOLINTNEXTLINE(google-explicit-constructor): `return Fail(…);` must read as it should
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}
  template <typename U>
    requires(std::is_constructible_v<T, U &&> && !std::is_same_v<std::remove_cvref_t<U>, Error> &&
             !std::is_same_v<std::remove_cvref_t<U>, Result>)
  // NOLINTNEXTLINE(google-explicit-constructor): `return value;` must read as it should
  Result(U&& value)
      : state_(std::in_place_index<0>, std::forward<U>(value)) {}

  bool ok() const noexcept { return state_.index() == 0; }

  T& value() & {
    SHEAF_CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    SHEAF_CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    SHEAF_CHECK(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const& {
    SHEAF_CHECK(!ok());
    return *std::get_if<1>(&state_);
  }
  Error&& error() && {
    SHEAF_CHECK(!ok());
    return std::move(*std::get_if<1>(&state_));
  }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(Error error) : error_(std::move(error)) {}

  bool ok() const noexcept { return !error_.has_value(); }
  const Error& error() const& {
    SHEAF_CHECK(!ok());
    return *error_;
  }
  Error&& error() && {
    SHEAF_CHECK(!ok());
    return std::move(*error_);
  }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

// Done: the successful Status, for `return Done();`.
inline Status Done() { return {}; }

}  // namespace sheaf::core

namespace sheaf {
using core::Done;
using core::Result;
using core::Status;
}  // namespace sheaf

#define SHEAF_CONCAT_INNER(a, b) a##b
#define SHEAF_CONCAT(a, b) SHEAF_CONCAT_INNER(a, b)

// SHEAF_TRY(expression): returns the error of a failed Status or Result from this function.
#define SHEAF_TRY(expression)                                          \
  do {                                                                 \
    if (auto sheaf_try_ = (expression); !sheaf_try_.ok()) [[unlikely]] \
      return std::move(sheaf_try_).error();                            \
  } while (false)

// SHEAF_ASSIGN(auto x, expression): x is the value, or this function returns the error.
#define SHEAF_ASSIGN(target, expression) \
  SHEAF_ASSIGN_INNER(SHEAF_CONCAT(sheaf_result_, __LINE__), target, expression)
#define SHEAF_ASSIGN_INNER(name, target, expression) \
  auto name = (expression);                          \
  if (!name.ok()) [[unlikely]]                       \
    return std::move(name).error();                  \
  target = std::move(name).value()
