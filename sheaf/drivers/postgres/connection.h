// A connection to PostgreSQL: prepared statements, bound values, batches, reconnecting.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sheaf/base/async/mutex.h"
#include "sheaf/base/core/result.h"
#include "sheaf/base/core/sql.h"
#include "sheaf/base/time/time.h"
#include "sheaf/drivers/postgres/sqlstate.h"
#include "sheaf/drivers/postgres/value.h"

struct pg_cancel;
struct pg_conn;
struct pg_result;

namespace sheaf::postgres {

// The rows of an answer, all in memory. A value that moves; values of it borrow from it.
class Rows final {
 public:
  explicit Rows(pg_result* result) : result_(result) {}
  size_t size() const;
  size_t columns() const;
  // Null{} when absent; an error when the column has a type that is not used here.
  Result<Value> At(size_t row, size_t column) const;
  // How many rows the statement changed.
  int64_t changed() const;
  // "COMMIT", "INSERT 0 1": what the server says it did.
  std::string_view tag() const;

 private:
  friend class Connection;
  struct Clear {
    void operator()(pg_result* result) const;
  };
  std::unique_ptr<pg_result, Clear> result_;
};

struct Statement {
  Sql sql;
  std::vector<Value> values;  // Borrowed until it was run.
};

struct ConnectOptions {
  std::string url;  // "postgresql://user:password@host:port/database?…"; libpq's.
  // In place of the URL's; empty: the URL's.
  std::string user, password, database;
  // A password file as libpq knows them ("host:port:database:user:password" lines), asked when
  // neither the URL nor the environment has a password. Empty: libpq's own, ~/.pgpass.
  std::string passfile;
  std::string role;  // Taken on after connecting (SET ROLE); empty: none.
  Duration connect_wait = std::chrono::seconds(10);  // One attempt.
  Duration statement_timeout = std::chrono::seconds(30);
  // A transaction whose client says nothing for this long is undone, and what it holds is free.
  Duration idle_timeout = std::chrono::seconds(10);
  Duration retry_first = std::chrono::milliseconds(20);  // The longest first wait; doubles.
  Duration retry_longest = std::chrono::seconds(2);
  Duration retry_deadline = std::chrono::seconds(15);  // Then the last error is the answer.
  // The same for a connection that was lost; absent: as long.
  std::optional<Duration> revive_deadline;
};

// What comes in from outside. `wait` ends early with an error when the process stops; `chance`
// gives a number of [0, 1).
struct Surroundings {
  Clock& clock;  // Borrowed from main.
  std::function<Status(Duration)> wait;
  std::function<double()> chance;
};

// Owner: who opened it. Threads: one at a time; Cancel from any. Blocking: every call waits for the
//   server, at most the statement's timeout and a grace. Commits are durable: a server or role that
//   was told not to wait for its log is told to wait.
// Errors: see sqlstate.h; all name the server, never the password. Effect::kUnknown when the
//   connection was lost while committing.
class Connection final {
 public:
  // Tries until `retry_deadline`.
  static Result<std::unique_ptr<Connection>> Open(ConnectOptions options,
                                                  Surroundings surroundings);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // A statement outside a transaction commits itself.
  Result<Rows> Query(const Sql& sql, std::span<const Value> values = {});
  // How many rows it changed.
  Result<int64_t> Run(const Sql& sql, std::span<const Value> values = {});
  // All of them with one wait; the first error ends the batch, and outside a transaction undoes it.
  Result<std::vector<int64_t>> RunAll(std::span<const Statement> statements);

  // What a server keeps of a password (SCRAM-SHA-256), made here: the password does not travel.
  Result<std::string> Verifier(const std::string& user, const std::string& password);

  // Asks the server to end what runs, which then fails with kCancelled. Nothing if nothing runs.
  Status Cancel();

  bool lost() const { return handle_ == nullptr; }
  // Connects again if the connection is lost; tries until `revive_deadline`.
  Status Revive();
  // Of the last failure; empty when there was no answer.
  const std::string& sqlstate() const { return sqlstate_; }
  // "postgresql://user@host:port/database".
  const std::string& where() const { return where_; }

 private:
  friend class Transaction;
  using Send = std::function<int()>;  // Puts one request on the way; libpq's answer.
  struct Prepared {
    std::string name;
    std::vector<TypeId> types;
  };
  struct Bound;

  Connection(ConnectOptions options, Surroundings surroundings, std::string where)
      : options_(std::move(options)),
        surroundings_(std::move(surroundings)),
        where_(std::move(where)) {}

  Status ConnectUntil(Duration wait);
  Status ConnectOnce();
  Status AwaitConnected(Deadline deadline);
  Status SetUp();
  Error Refused();

  Result<std::vector<Rows>> RunIn(Phase phase, std::span<const Statement> statements);
  Status Prepare(std::span<const Statement> statements, Phase phase);
  // Sends all, then reads an answer to each.
  Result<std::vector<Rows>> Exchange(std::span<const Send> sends, Phase phase);
  Status Flush(Deadline deadline, Phase phase);
  Result<pg_result*> Next(Deadline deadline, Phase phase);
  // Waits for the socket; false when the deadline passed.
  bool Poll(int events, Deadline deadline, int* happened) const;

  Phase PhaseNow() const;
  Error Failed(const pg_result* result, Phase phase);
  // Gives the connection up.
  Error Lost(Phase phase, std::string_view why);
  void Drop();

  const ConnectOptions options_;
  const Surroundings surroundings_;
  const std::string where_;
  pg_conn* handle_ = nullptr;  // Null: lost.
  std::string sqlstate_;
  std::map<std::string, Prepared, std::less<>> prepared_;  // By the statement's text.
  uint64_t names_ = 0;
  std::atomic<bool> cancelled_{false};
  Mutex mutex_;
  pg_cancel* cancel_ SHEAF_GUARDED_BY(mutex_) = nullptr;
};

// Checks a URL and says the server without its password, as `user` if one is given; kInvalid.
Result<std::string> WhereOf(const std::string& url, const std::string& user = {});
// The same database as a URL for `user`: without a password, everything else kept; kInvalid.
Result<std::string> UrlFor(const std::string& url, const std::string& user);
// Of a URL: the user and database it names, empty when it does not; whether it holds a password.
struct Named {
  std::string user, database;
  bool password = false;
};
Result<Named> NamedIn(const std::string& url);
// Text as a part of a URL: everything but letters, digits and -._~ escaped.
std::string UrlEscaped(std::string_view text);

}  // namespace sheaf::postgres
