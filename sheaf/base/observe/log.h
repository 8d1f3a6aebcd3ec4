// Structured log lines: an event in words and its fields.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

namespace sheaf::observe {

enum class Level : uint8_t { kDebug, kInfo, kWarn, kError };

// Views texts: made where a line is written, and gone after it.
struct Field {
  std::string_view key;
  std::variant<int64_t, double, std::string_view> value;

  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const std::string& v) : key(k), value(std::string_view(v)) {}
  Field(std::string_view k, const char* v) : key(k), value(std::string_view(v)) {}
  Field(std::string_view k, int64_t v) : key(k), value(v) {}
  Field(std::string_view k, int v) : key(k), value(static_cast<int64_t>(v)) {}
  Field(std::string_view k, size_t v) : key(k), value(static_cast<int64_t>(v)) {}
  Field(std::string_view k, double v) : key(k), value(v) {}
};

// A Log takes lines. Never a secret, never a value out of a user's data.
//
// Owner: main. Threads: any. Blocking: may write to standard error. Errors: none; a line that
// cannot be written is dropped and counted by the implementation.
class Log {
 public:
  virtual ~Log() = default;
  virtual void Write(Level level, std::string_view event, std::initializer_list<Field> fields) = 0;

  void Debug(std::string_view event, std::initializer_list<Field> fields = {}) {
    Write(Level::kDebug, event, fields);
  }
  void Info(std::string_view event, std::initializer_list<Field> fields = {}) {
    Write(Level::kInfo, event, fields);
  }
  void Warn(std::string_view event, std::initializer_list<Field> fields = {}) {
    Write(Level::kWarn, event, fields);
  }
  void Error(std::string_view event, std::initializer_list<Field> fields = {}) {
    Write(Level::kError, event, fields);
  }
};

// Keeps nothing. For tests and for commands that print nothing but their answer.
class NullLog final : public Log {
 public:
  void Write(Level, std::string_view, std::initializer_list<Field>) override {}
};

}  // namespace sheaf::observe

namespace sheaf {
using observe::Log;
}  // namespace sheaf
