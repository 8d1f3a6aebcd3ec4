#include "sheaf/drivers/sqlite/database.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "sheaf/base/async/async.h"
#include "sheaf/base/core/check.h"

namespace sheaf::sqlite {
namespace {

Kind KindOf(int code) {
  if (code == SQLITE_IOERR_CORRUPTFS) return Kind::kCorrupt;
  switch (code & 0xFF) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT: return Kind::kCorrupt;
    case SQLITE_FULL:
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG: return Kind::kExhausted;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return Kind::kBackpressure;
    case SQLITE_CONSTRAINT: return Kind::kConflict;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH: return Kind::kForbidden;
    case SQLITE_INTERRUPT: return Kind::kCancelled;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_PROTOCOL: return Kind::kDependency;
    default: return Kind::kInternal;
  }
}

int FlagsOf(OpenOptions::Mode mode) {
  switch (mode) {
    case OpenOptions::Mode::kCreate: return SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    case OpenOptions::Mode::kReadWrite: return SQLITE_OPEN_READWRITE;
    case OpenOptions::Mode::kReadOnly: return SQLITE_OPEN_READONLY;
  }
  __builtin_unreachable();
}

// SQLite would let everybody read a new file. What cannot be made here it tells better.
void MakeUnreadableToOthers(const OpenOptions& options) {
  const bool is_file = options.vfs.empty() && options.path != ":memory:";
  if (options.mode != OpenOptions::Mode::kCreate || !is_file) return;
  const int made = ::open(options.path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
  if (made >= 0) ::close(made);
}

// Who holds the lock mostly does so for moments: many short waits first, longer ones after.
// SQLite's own steps grow at once to many times what a short write takes.
constexpr int kShortWaits = 50;
constexpr std::chrono::microseconds kShortWait{200}, kLongWait{2000};

// How long the first `waits` are together.
constexpr std::chrono::microseconds Waited(int waits) {
  return std::min(waits, kShortWaits) * kShortWait + std::max(waits - kShortWaits, 0) * kLongWait;
}

int WaitForLock(void* timeout_ms, int waits) {
  const std::chrono::milliseconds timeout(*static_cast<const int64_t*>(timeout_ms));
  if (Waited(waits) >= timeout) return 0;
  (void)Event().WaitFor(waits < kShortWaits ? kShortWait : kLongWait);
  return 1;
}

}  // namespace

Result<std::unique_ptr<Database>> Database::Open(OpenOptions options) {
  MakeUnreadableToOthers(options);
  sqlite3* handle = nullptr;
  const int code =
      ::sqlite3_open_v2(options.path.c_str(), &handle,
                        FlagsOf(options.mode) | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                        options.vfs.empty() ? nullptr : options.vfs.c_str());
  std::unique_ptr<Database> database(new Database(handle, std::move(options.path)));
  if (code != SQLITE_OK) return database->Failed(code);
  database->busy_timeout_ms_ = options.busy_timeout_ms;
  ::sqlite3_busy_handler(handle, WaitForLock, &database->busy_timeout_ms_);
  return database;
}

Database::~Database() {
  SHEAF_CHECK(running_.empty());
  for (const auto& [sql, statement] : statements_) ::sqlite3_finalize(statement);
  ::sqlite3_close(handle_);
}

Error Database::Failed(int code) const {
  const char* text = handle_ == nullptr ? ::sqlite3_errstr(code) : ::sqlite3_errmsg(handle_);
  return Fail(KindOf(code), path_ + ": " + text + " (SQLite " + std::to_string(code) + ")");
}

bool Database::RolledBackAsFull() const {
  return (::sqlite3_errcode(handle_) & 0xFF) == SQLITE_FULL && ::sqlite3_get_autocommit(handle_);
}

int64_t Database::changes() const { return ::sqlite3_changes64(handle_); }

Status Database::Bind(sqlite3_stmt* statement, int place, const Value& value) {
  const int code = std::visit(
      [&]<typename T>(const T& is) {
        if constexpr (std::is_same_v<T, Null>) {
          return ::sqlite3_bind_null(statement, place);
        } else if constexpr (std::is_same_v<T, int64_t>) {
          return ::sqlite3_bind_int64(statement, place, is);
        } else if constexpr (std::is_same_v<T, double>) {
          return ::sqlite3_bind_double(statement, place, is);
        } else if constexpr (std::is_same_v<T, std::string_view>) {
          return ::sqlite3_bind_text64(statement, place, is.data() == nullptr ? "" : is.data(),
                                       is.size(), SQLITE_STATIC, SQLITE_UTF8);
        } else {
          const std::string_view bytes = is.bytes;
          return ::sqlite3_bind_blob64(statement, place,
                                       bytes.data() == nullptr ? "" : bytes.data(), bytes.size(),
                                       SQLITE_STATIC);
        }
      },
      value);
  if (code != SQLITE_OK) return Failed(code);
  return Done();
}

Result<Rows> Database::Start(const char* sql, std::span<const Value> values) {
  sqlite3_stmt* statement = nullptr;
  if (const auto idle = statements_.find(sql); idle != statements_.end()) {
    statement = idle->second;
    statements_.erase(idle);
  } else {
    const int code =
        ::sqlite3_prepare_v3(handle_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) return Failed(code);
    SHEAF_CHECK(statement != nullptr);
  }
  running_[statement] = sql;
  Rows rows(*this, statement);
  SHEAF_CHECK(::sqlite3_bind_parameter_count(statement) == static_cast<int>(values.size()));
  int place = 0;
  for (const Value& value : values) SHEAF_TRY(Bind(statement, ++place, value));
  return rows;
}

Status Database::Finish(Result<Rows> rows) {
  if (!rows.ok()) return std::move(rows).error();
  while (true) {
    SHEAF_ASSIGN(const bool more, rows->Next());
    if (!more) return Done();
  }
}

Status Database::RunScript(const char* sql) {
  const int code = ::sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return Failed(code);
  return Done();
}

Rows::Rows(Rows&& other) noexcept
    : database_(other.database_), statement_(std::exchange(other.statement_, nullptr)) {}

Rows::~Rows() {
  if (statement_ == nullptr) return;
  ::sqlite3_reset(statement_);
  ::sqlite3_clear_bindings(statement_);
  const auto running = database_.running_.find(statement_);
  // A second one of the same literal ran beside the first: one is enough to keep.
  if (!database_.statements_.emplace(running->second, statement_).second) {
    ::sqlite3_finalize(statement_);
  }
  database_.running_.erase(running);
}

Result<bool> Rows::Next() {
  const int code = ::sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return database_.Failed(code);
}

bool Rows::IsNull(int column) const {
  return ::sqlite3_column_type(statement_, column) == SQLITE_NULL;
}
int64_t Rows::Integer(int column) const { return ::sqlite3_column_int64(statement_, column); }
double Rows::Real(int column) const { return ::sqlite3_column_double(statement_, column); }

std::string_view Rows::Text(int column) const {
  const auto* text = reinterpret_cast<const char*>(::sqlite3_column_text(statement_, column));
  if (text == nullptr) return {};
  return {text, static_cast<size_t>(::sqlite3_column_bytes(statement_, column))};
}

std::string_view Rows::Bytes(int column) const {
  const auto* bytes = static_cast<const char*>(::sqlite3_column_blob(statement_, column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<size_t>(::sqlite3_column_bytes(statement_, column))};
}

Result<Transaction> Transaction::Begin(Database& database) {
  SHEAF_TRY(database.Run("begin immediate"));
  return Transaction(&database);
}

Transaction::~Transaction() {
  // SQLite may have rolled back by itself already; then this fails, as it should.
  if (database_ != nullptr) (void)database_->Run("rollback");
}

Status Transaction::Commit() {
  SHEAF_CHECK(database_ != nullptr);
  if (Status committed = database_->Run("commit"); !committed.ok()) {
    Error error = std::move(committed).error();
    if (!database_->RolledBackAsFull()) error.effect = Effect::kUnknown;
    return error;
  }
  database_ = nullptr;
  return Done();
}

}  // namespace sheaf::sqlite
