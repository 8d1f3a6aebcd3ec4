// An SQLite database in one file: statements that are literals, bound values, transactions.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "sheaf/base/core/result.h"
#include "sheaf/base/core/sql.h"

struct sqlite3;
struct sqlite3_stmt;

namespace sheaf::sqlite {

struct Null {};
struct Blob {
  std::string_view bytes;
};
// A value to bind; text and blobs are borrowed until the statement is done.
using Value = std::variant<Null, int64_t, double, std::string_view, Blob>;

class Database;

// The rows of a running statement. Ends the statement when it dies; dies before its database.
class Rows final {
 public:
  Rows(Rows&& other) noexcept;
  Rows& operator=(Rows&&) = delete;
  ~Rows();

  // Moves to the next row; false after the last.
  Result<bool> Next();
  // Of the present row; texts and blobs live until Next.
  bool IsNull(int column) const;
  int64_t Integer(int column) const;
  double Real(int column) const;
  std::string_view Text(int column) const;
  std::string_view Bytes(int column) const;

 private:
  friend class Database;
  Rows(Database& database, sqlite3_stmt* statement) : database_(database), statement_(statement) {}
  Database& database_;  // Borrowed from who asked.
  sqlite3_stmt* statement_;
};

struct OpenOptions {
  std::string path;
  std::string vfs;  // Empty = the default one.
  // What kCreate makes by the default VFS is its owner's and its group's.
  enum class Mode : uint8_t { kCreate, kReadWrite, kReadOnly } mode = Mode::kCreate;
  int64_t busy_timeout_ms = 5000;
};

// SQL that is a literal, or is made of literals and names (Sql), is trusted; any other text has no
// way in here.
//
// Owner: who opened it. Threads: one at a time. Blocking: every call may wait for the disk.
// Errors: kCorrupt (damaged, or no database), kExhausted (disk full), kConflict (a constraint),
//   kBackpressure (locked by another), kForbidden (read-only), kDependency (the disk), kInternal
//   (wrong SQL); all name the file.
class Database final {
 public:
  static Result<std::unique_ptr<Database>> Open(OpenOptions options);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // One statement that gives rows. Statements are prepared once and kept.
  template <size_t N>
  Result<Rows> Query(const char (&sql)[N], std::initializer_list<Value> values = {}) {
    return Start(sql, std::span(values.begin(), values.size()));
  }
  // One statement whose rows, if any, do not matter.
  template <size_t N>
  Status Run(const char (&sql)[N], std::initializer_list<Value> values = {}) {
    return Finish(Start(sql, std::span(values.begin(), values.size())));
  }
  // The same for SQL put together of literals and names, see base/core/sql.h; kept by its text.
  Result<Rows> Query(const Sql& sql, std::span<const Value> values = {}) {
    return Start(Kept(sql), values);
  }
  Status Run(const Sql& sql, std::span<const Value> values = {}) {
    return Finish(Start(Kept(sql), values));
  }
  // Several statements without values.
  template <size_t N>
  Status Script(const char (&sql)[N]) {
    return RunScript(sql);
  }

  int64_t changes() const;  // Rows changed by the last statement.
  const std::string& path() const { return path_; }

 private:
  friend class Rows;
  friend class Transaction;
  Database(sqlite3* handle, std::string path) : handle_(handle), path_(std::move(path)) {}
  // The text at an address that stays.
  const char* Kept(const Sql& sql) { return texts_.insert(sql.text()).first->c_str(); }
  Result<Rows> Start(const char* sql, std::span<const Value> values);
  Status Finish(Result<Rows> rows);
  Status RunScript(const char* sql);
  Status Bind(sqlite3_stmt* statement, int place, const Value& value);
  Error Failed(int code) const;
  bool RolledBackAsFull() const;

  sqlite3* const handle_;
  const std::string path_;
  int64_t busy_timeout_ms_ = 0;  // Read by the handler of a held lock.
  std::set<std::string>
      texts_;  // Of SQL that is no literal; as many as the program has statements.
  // By the literal's address: idle statements.
  std::map<const char*, sqlite3_stmt*> statements_;
  std::map<sqlite3_stmt*, const char*> running_;
};

// Rolls back when it dies without a Commit.
class Transaction final {
 public:
  static Result<Transaction> Begin(Database& database);
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  // An error has Effect::kUnknown, the transaction may be found after a restart: but kNone when the
  // disk was full, for then its last page was never written, and SQLite has rolled back.
  Status Commit();

 private:
  explicit Transaction(Database* database) : database_(database) {}
  Database* database_;  // Borrowed; null when it is over.
};

}  // namespace sheaf::sqlite
