// Whatever text comes: no crash, nothing read from the file system, nothing written to it.
//
// Texts are taken as they are, or put together from words that SQL is made of and from hostile
// statements. What passes the gate is bound and run for a moment, beside a file that must stay
// secret.
#include <arrow/record_batch.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "sheaf/drivers/duckdb/duckdb.h"
#include "sheaf/drivers/duckdb/hostile_test.h"

namespace sheaf::duckdb {
namespace {

class Cage {
 public:
  Cage() {
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
    std::ofstream(directory_ + "/secret.csv") << "word\n" << secret_ << "\n";
    before_ = List();
    hostile_ = testing::HostileStatements(directory_);
    engine_ = Engine::Open({.threads = 1}).value();
  }
  ~Cage() { std::filesystem::remove_all(directory_); }

  // Aborts when the text does what it may not.
  void Try(const std::string& sql) {
    const auto statement = Statement::Parse(sql);
    if (!statement.ok()) {
      SHEAF_CHECK(!Tells(statement.error().message, sql));
      return;
    }
    Run(*statement);
    SHEAF_CHECK(List() == before_);
  }

  const std::vector<std::string>& hostile() const { return hostile_; }

 private:
  // A fuzzer that watches comparisons learns the secret, and may say it itself.
  bool Tells(const std::string& answer, const std::string& asked) const {
    return answer.find(secret_) != std::string::npos && asked.find(secret_) == std::string::npos;
  }

  void Run(const Statement& statement) {
    const QueryLimits limits{.memory_max = 64_MiB};
    Values values;
    for (const auto& name : statement.parameters()) values[name] = int64_t{1};
    auto query = Query::Open(*engine_, statement, values, {}, limits);
    if (!query.ok()) {
      SHEAF_CHECK(!Tells(query.error().message, statement.sql()));
      return;
    }
    const auto stop = timers_.After(std::chrono::milliseconds(50), [&] { (*query)->Interrupt(); });
    for (int i = 0; i < 4; ++i) {
      const auto next = (*query)->Next();
      if (!next.ok() || *next == nullptr) break;
      SHEAF_CHECK(!Tells((*next)->ToString(), statement.sql()));
    }
    (void)timers_.Cancel(stop);
  }

  std::set<std::string> List() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_)) {
      names.insert(entry.path().string() + ":" + std::to_string(entry.file_size()));
    }
    return names;
  }

  const std::string secret_ = core::RandomHex(16);
  const std::string directory_ =
      (std::filesystem::temp_directory_path() / "sheaf-gate-fuzz").string();
  std::set<std::string> before_;
  std::vector<std::string> hostile_;
  std::unique_ptr<Engine> engine_;
  time::SystemClock clock_;
  Timers timers_{clock_};
};

constexpr const char* kWords[] = {"select",
                                  "from",
                                  "where",
                                  "with",
                                  "recursive",
                                  "as",
                                  "(",
                                  ")",
                                  "(",
                                  ")",
                                  ",",
                                  ",",
                                  "*",
                                  "1",
                                  "'x'",
                                  "a",
                                  "b",
                                  "t",
                                  "union all",
                                  "except",
                                  "group by",
                                  "order by",
                                  "limit 3",
                                  "having",
                                  "values (1)",
                                  "range(3)",
                                  "unnest([1, 2])",
                                  "join",
                                  "left join",
                                  "on true",
                                  "lateral",
                                  "using (a)",
                                  "case when",
                                  "then",
                                  "else",
                                  "end",
                                  "cast(a as",
                                  "int",
                                  "varchar[]",
                                  "struct(a int)",
                                  "::",
                                  ".",
                                  "[",
                                  "]",
                                  "{",
                                  "}",
                                  "->",
                                  "||",
                                  "+",
                                  "-",
                                  "in",
                                  "exists",
                                  "not",
                                  "null",
                                  "is",
                                  "between",
                                  "and",
                                  "or",
                                  "like",
                                  "over (",
                                  "partition by",
                                  "rows between",
                                  "unbounded preceding",
                                  "current row",
                                  "explain",
                                  "explain analyze",
                                  "describe",
                                  "summarize",
                                  "pivot",
                                  "unpivot",
                                  "sample 10%",
                                  "tablesample",
                                  "qualify",
                                  "distinct",
                                  "filter (where",
                                  "count(*)",
                                  "sum(a)",
                                  "list(a)",
                                  "row_number()",
                                  "read_text",
                                  "read_csv",
                                  "glob",
                                  "query",
                                  "query_table",
                                  "json_each",
                                  "test_all_types()",
                                  "list_transform([1], lambda x:",
                                  "x + 1",
                                  "columns(*)",
                                  "exclude (a)",
                                  "replace (1 as a)",
                                  "asof join",
                                  "positional join",
                                  "materialized",
                                  "$1",
                                  "?",
                                  "$a",
                                  "e'\\x41'",
                                  "$$x$$",
                                  "--",
                                  "/*",
                                  "*/",
                                  ";",
                                  "\n",
                                  "interval 1 day",
                                  "date '2026-01-01'",
                                  "1e400",
                                  "0x1f",
                                  "99999999999999999999",
                                  "collate",
                                  "at time zone",
                                  "grouping sets",
                                  "cube",
                                  "rollup",
                                  "fetch",
                                  "offset",
                                  "escape",
                                  "similar to",
                                  "any",
                                  "all",
                                  "row(",
                                  "map {",
                                  "union by name",
                                  "copy",
                                  "set",
                                  "pragma",
                                  "call",
                                  "attach",
                                  "install",
                                  "into",
                                  "table",
                                  "force_checkpoint()",
                                  "default"};

std::string Assemble(const uint8_t* data, size_t size, const Cage& cage) {
  std::string sql;
  for (size_t i = 0; i < size; ++i) {
    const size_t words = std::size(kWords);
    if (data[i] == 0xFF && i + 1 < size) {
      sql += cage.hostile()[data[++i] % cage.hostile().size()];
    } else {
      sql += kWords[data[i] % words];
    }
    sql += ' ';
  }
  return sql;
}

}  // namespace
}  // namespace sheaf::duckdb

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static sheaf::duckdb::Cage cage;
  if (size == 0) return 0;
  if (data[0] >= 0x80) {
    cage.Try(sheaf::duckdb::Assemble(data + 1, size - 1, cage));
  } else {
    cage.Try(std::string(reinterpret_cast<const char*>(data), size));
  }
  return 0;
}
