// What an SQL back end must offer: transactions and snapshots in which statements run. Everything
// else of persistence is the same SQL for all of them (sql_*.cc); what differs is in the dialect.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sheaf/base/async/executor.h"
#include "sheaf/base/core/result.h"
#include "sheaf/base/core/sql.h"
#include "sheaf/base/time/time.h"
#include "sheaf/drivers/files/file_system.h"
#include "sheaf/ports/persistence/persistence.h"
#include "sheaf/wire/records/ddl.h"
#include "sheaf/wire/records/row.h"

namespace sheaf::persistence {

using records::ColumnType;
using records::Row;
using records::Table;
using records::Value;
using Values = std::vector<Value>;
using Types = std::vector<records::ColumnType>;

struct SqlStatement {
  Sql sql;
  Values values;
};

// Statements inside one transaction or snapshot. Threads: one.
class SqlSession {
 public:
  virtual ~SqlSession() = default;
  virtual records::Dialect dialect() const = 0;
  // How many rows it changed.
  virtual Result<int64_t> Run(const Sql& sql, std::span<const Value> values) = 0;
  // All of them in their order; the first error ends it. A database far away waits once.
  virtual Status RunAll(std::span<const SqlStatement> statements) {
    for (const auto& [sql, values] : statements) SHEAF_TRY(Run(sql, values));
    return Done();
  }
  // Gives each row, its columns read as these types; an error of `take` ends it.
  virtual Status Query(const Sql& sql, std::span<const Value> values, const Types& types,
                       const std::function<Status(Values)>& take) = 0;
};

// Owner: the parts of one Persistence, together. Threads: any. Blocking: all.
class SqlStore {
 public:
  using Act = std::function<Status(SqlSession&)>;
  virtual ~SqlStore() = default;
  // One transaction, durable when it returns; an error of `act` undoes all it did. A failed commit
  // has Effect::kUnknown. A database that lets transactions meet may undo one and call `act` again,
  // which then begins anew.
  virtual Status Write(const Act& act) = 0;
  // One snapshot.
  virtual Status Read(const Act& act) = 0;
};

// ---- Rows by the table's descriptor ----

// Rows of a statement that selects the table's columns.
Result<std::vector<Row>> ReadRows(SqlSession& session, const Table& table, const Sql& sql,
                                  std::span<const Value> values);
// The row of this key, if there is one.
Result<std::optional<Row>> FindRow(SqlSession& session, const Table& table,
                                   std::span<const Value> key);
// The same, and nobody else changes the row before this transaction is over.
Result<std::optional<Row>> HoldRow(SqlSession& session, const Table& table,
                                   std::span<const Value> key);
Status InsertRow(SqlSession& session, const Row& row);
Status UpsertRow(SqlSession& session, const Row& row);
// The statements of the two, for RunAll.
SqlStatement ToInsert(SqlSession& session, Row row);
SqlStatement ToUpsert(SqlSession& session, Row row);
SqlStatement ToDelete(SqlSession& session, const Table& table, Values key);
// The number of a statement that gives one; 0 when it gives none.
Result<int64_t> ReadNumber(SqlSession& session, const Sql& sql, std::span<const Value> values);

// A value of a row that a database gave; the empty one when it is absent.
template <typename T>
T Get(const Row& row, std::string_view pname) {
  const auto* value = std::get_if<T>(&row.At(pname));
  return value == nullptr ? T{} : *value;
}

// ---- Fencing inside a transaction ----

enum class Start : int32_t { kNone = 0, kWarm = 1, kCold = 2 };
enum class Needs : uint8_t { kEpoch, kRestored };
// The scope's row if the epoch is present, else OwnershipLost, or kNotReady when it was to be
// restored. Holds the row for the transaction.
Result<Row> Own(SqlSession& session, const Epoch& epoch, Needs needs);

// ---- Checkpoints inside a transaction ----

struct CheckpointLimits {
  size_t generations_kept = 3;
  size_t chain_bytes_max = size_t{16} << 20;  // Of changes; then a compaction is asked for.
};
// A new generation with this base, in which all changes up to `change` are.
Status PutBase(SqlSession& session, Row& scope, const LiveWork& live, int64_t change,
               const CheckpointLimits& limits);
// Adds to the newest generation, which is begun if there is none or the start was cold.
Status PutChange(SqlSession& session, Row& scope, const ChangeSet& change,
                 const CheckpointLimits& limits);
struct Chain {
  Restored restored;
  int64_t last_change = 0;
};
// Number of the newest generation's last change; 0 when there is none.
Result<int64_t> LastChange(SqlSession& session, const Row& scope);
// The longest valid prefix of the newest generation whose base is whole; kCorrupt when there are
// generations and no base is.
Result<Chain> ReadChain(SqlSession& session, const Row& scope);
// A new generation that holds what the newest does, at two points in time: `chain` was read in an
// earlier snapshot, later changes are copied. Nothing when the generation is another meanwhile.
Status Compact(SqlSession& session, const std::string& scope, const Chain& chain,
               const CheckpointLimits& limits);

// ---- History inside a transaction ----

Result<Saved> SaveWork(SqlSession& session, const Work& work);
// Adds what writes one that is not there: the document, its summaries, its specification.
void AddWork(SqlSession& session, const Work& work, std::vector<SqlStatement>& statements);
// What verification finds: the document's summaries are not the rows, or the other way round.
Result<std::vector<std::string>> VerifyHistory(SqlSession& session, const Report& report);

// ---- The registry inside a transaction ----

// kConflict when another registration has the id, or the same one lies in the other directory.
Result<Saved> SaveRegistration(SqlSession& session, const Registration& registration,
                               Listing listing);
// Adds what writes both halves.
void AddRegistration(SqlSession& session, const Registration& registration, Listing listing,
                     std::vector<SqlStatement>& statements);

// ---- The whole ----

// An open database, for main: the parts for the server, the rest for the command line.
struct SqlPersistence {
  Persistence parts;
  std::shared_ptr<SqlStore> store;  // Shared with the parts.
};

enum class Opening : uint8_t {
  kPrepare,  // What is missing is made: the file, the schema.
  kLook,     // Nothing is made or changed, and writes are refused where the database can.
};

// What becomes at such an opening of a database whose schema is older than this program's.
enum class OlderSchema : uint8_t {
  kMigrated,  // After a backup, when nobody holds a scope.
  kRefused,   // Naming the command that migrates it.
  kLeft,      // As it is, a newer one and none too: only administration may follow.
};

// What opening and administration need beside the database.
struct Upkeep {
  Opening opening = Opening::kPrepare;
  OlderSchema older = OlderSchema::kMigrated;
  std::shared_ptr<files::FileSystem> files;  // Shared with the parts.
  std::shared_ptr<Clock> clock;              // Likewise.
  std::string backups;  // What the paths of backups before migrations begin with.
  std::function<void(Duration)> rest;  // Lets other writers pass.
};

// Prepares the schema, or looks whether it is there, and makes the parts. Checkpoints are compacted
// on `background`; null: on the thread whose change made it due.
Result<SqlPersistence> OpenOver(std::shared_ptr<SqlStore> store, CheckpointLimits limits,
                                Executor* background, Upkeep upkeep);

// Differences between documents of history and their summaries; reads all of them.
Result<std::vector<std::string>> Verify(SqlStore& store, const Report& report = {});

}  // namespace sheaf::persistence
