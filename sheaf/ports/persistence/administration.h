// Administration: what only the command line does to a database.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sheaf/base/core/result.h"
#include "sheaf/ports/persistence/service_registry.h"
#include "sheaf/ports/persistence/work.h"
#include "sheaf/wire/records/row.h"

namespace sheaf::persistence {

// How far long work has come. An error that it returns (kCancelled) ends the work between two of
// its transactions: what is done stays done, and the work may be begun again.
struct Doing {
  std::string_view what;  // "purging jobs"
  int64_t done = 0;
  int64_t total = 0;  // 0: not known.
};
using Report = std::function<Status(const Doing&)>;

inline constexpr size_t kDifferencesMax = 10'000;

// ---- The schema ----

struct MigrationStep {
  int64_t from = 0, to = 0;  // Versions of the schema; 0 is an empty database.
  std::string about;         // One sentence.
  std::string checksum;      // Of its statements, 16 hexadecimal digits.
  std::vector<std::string> statements;
};
struct MigrationPlan {
  int64_t present = 0;               // 0: nothing is there yet.
  int64_t wanted = 0;                // This program's.
  std::vector<MigrationStep> steps;  // Empty: nothing to do.
  // What the database has and its version says otherwise: tables, columns, indexes, checksums.
  std::vector<std::string> drift;
  std::vector<std::string> backups;  // Of a migration that was done: files, one before each step.
};

// Who may hold a scope while a schema or everything changes. A holder that crashed holds its scope
// still; fenced, one that lives on gets OwnershipLost at its next write.
enum class Holders : uint8_t { kMustBeNone, kAreFenced };

// ---- Backups ----

struct BackupFacts {
  int64_t schema = 0;  // Its version.
  int64_t tables = 0, rows = 0;
  int64_t bytes = 0;       // Of the file.
  int64_t written_ms = 0;  // Since 1970, by the clock of who wrote it.
};

// ---- Retention ----

// What work may go, by its table: job_history (or jobs), res_history (or reservations),
// svc_history. Work goes when any of the three says so, the oldest first, and with it everything
// that is kept of it: document, summaries, specification.
struct Retention {
  std::string table;
  std::optional<int64_t> before;     // Work that ended before this, ms since 1970.
  std::optional<int64_t> rows_max;   // Documents that stay at most…
  std::optional<int64_t> bytes_max;  // …and their bytes.
};
struct Purged {
  std::string table;  // Each from which something went.
  int64_t rows = 0;
  int64_t bytes = 0;  // Of values.
  // Documents that should go and cannot be read: they stay, Verify names them.
  int64_t damaged = 0;
};
// Takes rows that are about to go; durable when it returns. Called again with the same rows when
// an earlier purge ended between the two.
using Archive = std::function<Status(const records::Table&, std::span<const records::Row>)>;

// ---- Loading ----

// One thing from outside. `hash` names its content: what was loaded once is a duplicate after.
struct Loadable {
  std::string name;  // Where it came from, for people.
  std::string hash;
  std::variant<Work, Registration> what;
  Listing listing = Listing::kLive;  // Of a registration.
};
enum class Loaded : uint8_t { kNew, kDuplicate };

// Owner: who opened the back end; lives no longer than its other parts. Threads: one at a time.
// Blocking: all, some for minutes; `report` is called at least once a second.
// Errors: as WorkHistory, kUnsupported when the back end does not offer it (a named deviation),
//   kConflict with the holder's name when a scope is held that must be free.
class Administration {
 public:
  virtual ~Administration() = default;

  // Differences between documents of history and their summaries: kDifferencesMax of them and a
  // word that there are more. Reads all; needs memory for a page.
  virtual Result<std::vector<std::string>> Verify(const Report& report) = 0;

  // From the schema that is there to this program's; changes nothing.
  virtual Result<MigrationPlan> Plan() = 0;
  // Does what Plan says and returns what it did: a backup before each step, then the step in one
  // transaction.
  virtual Result<MigrationPlan> Migrate(Holders holders, const Report& report) = 0;

  // Everything of one instant into a file, whole or not at all; kConflict: it is there, no backup.
  virtual Result<BackupFacts> Backup(const std::string& file, const Report& report) = 0;
  // Replaces everything by what Backup wrote, here or in another database, in one transaction. A
  // newer schema and a damaged file are refused before anything is changed. Epochs go on growing.
  virtual Result<BackupFacts> Restore(const std::string& file, Holders holders,
                                      const Report& report) = 0;

  // In small transactions beside writers. Without an archive the rows are gone. A cancelled one
  // first removes what it has archived.
  virtual Result<std::vector<Purged>> Purge(std::span<const Retention> retentions,
                                            const Archive& archive, const Report& report) = 0;
  // The same numbers; nothing goes.
  virtual Result<std::vector<Purged>> WouldPurge(std::span<const Retention> retentions) = 0;

  // All of them with their place in the ledger, in one transaction, or none; needs no epoch.
  // kConflict names one whose id stands for other content. `now`: ms since 1970, for the ledger.
  virtual Result<std::vector<Loaded>> Load(std::span<const Loadable> items, int64_t now) = 0;
  // The same answer, and the same refusals; nothing is changed.
  virtual Result<std::vector<Loaded>> WouldLoad(std::span<const Loadable> items) = 0;
};

}  // namespace sheaf::persistence
