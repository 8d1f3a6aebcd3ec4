// SQL text made of nothing that came from outside: literals of the program, names, numbers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace sheaf::core {

// A letter or '_', then letters, digits and '_', ASCII, at most 48: a name in every database here.
constexpr bool IsSqlName(std::string_view name) {
  constexpr size_t kNameBytesMax = 48;
  if (name.empty() || name.size() > kNameBytesMax) return false;
  for (size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (!letter && (i == 0 || c < '0' || c > '9')) return false;
  }
  return true;
}

// One statement or a part of one. Drivers take it beside literals: there is no way from a text of
// the world into it, values are bound. A value; not thread-safe.
class Sql {
 public:
  // Text known to the compiler.
  struct Literal {
    template <size_t N>
    // NOLINTNEXTLINE(google-explicit-constructor): a literal reads as itself
    consteval Literal(const char (&literal)[N]) : text(literal, N - 1) {}
    std::string_view text;
  };

  Sql() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): a literal reads as itself
  Sql(Literal literal) : text_(literal.text) {}
  // The name in quotes; it must be an IsSqlName, as every name of a table's descriptor is.
  static Sql Name(std::string_view name);
  // "<table>_<column>_idx"; both are names.
  static Sql IndexName(std::string_view table, std::string_view column);
  static Sql Number(int64_t number);

  Sql& operator+=(const Sql& more) {
    text_ += more.text_;
    return *this;
  }
  Sql& operator+=(Literal more) {
    text_ += more.text;
    return *this;
  }
  friend Sql operator+(Sql left, const Sql& right) { return std::move(left += right); }
  friend Sql operator+(Sql left, Literal right) { return std::move(left += right); }
  bool operator==(const Sql&) const = default;

  const std::string& text() const { return text_; }
  bool empty() const { return text_.empty(); }

 private:
  std::string text_;
};

}  // namespace sheaf::core

namespace sheaf {
using core::Sql;
}  // namespace sheaf
