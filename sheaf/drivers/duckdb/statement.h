// The gate: SQL text becomes a Statement only if it is one SELECT, or EXPLAIN of one.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sheaf/base/core/core.h"

namespace sheaf::duckdb {

inline constexpr size_t kSqlBytesMax = 1 << 20;

// A value for a parameter. Numbers and strings behave as the same literal in the text would.
using Value = std::variant<std::monostate, bool, int64_t, uint64_t, double, std::string>;
// By name; the n-th `?` and `$n` are called "n".
using Values = std::map<std::string, Value>;

struct Parsed;  // DuckDB's tree.

// Text that may run. A value: copies share the tree.
//
// Threads: any. Blocking: Parse computes for microseconds to milliseconds.
// Errors of Parse: kInvalid (no statement, several, or one of another type; says what is allowed),
//   kFailed with a position (syntax), kForbidden with a position (a function that reaches for
//   files, settings or the catalog).
class Statement {
 public:
  enum class What : uint8_t {
    kSelect,
    kExplain,         // Plans, runs nothing.
    kExplainAnalyze,  // Runs the SELECT and tells how long each part took.
  };
  static Result<Statement> Parse(std::string sql);

  const std::string& sql() const { return sql_; }
  What what() const { return what_; }
  const std::vector<std::string>& parameters() const { return parameters_; }  // Sorted.
  // Whether the text may read the table of this name; never false for one that it does read.
  bool Names(std::string_view table) const;
  const Parsed& parsed() const { return *parsed_; }

 private:
  Statement() = default;
  std::string sql_;
  What what_ = What::kSelect;
  std::vector<std::string> parameters_;
  std::set<std::string> tables_;
  std::shared_ptr<const Parsed> parsed_;  // Shared by copies; never changes.
};

// Whether SQL may call this table function; the others reach for files, settings or the catalog.
bool TableFunctionAllowed(std::string_view name);
// Likewise for the few scalar functions that are refused.
bool ScalarFunctionAllowed(std::string_view name);

// `name` as a quoted identifier.
std::string Quoted(std::string_view name);

}  // namespace sheaf::duckdb
