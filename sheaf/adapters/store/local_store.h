// The flight store of one node: memory and local disk, one SQLite index.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "sheaf/base/async/async.h"
#include "sheaf/base/core/core.h"
#include "sheaf/base/observe/observe.h"
#include "sheaf/base/time/time.h"
#include "sheaf/ports/store/store.h"

namespace sheaf::files {
class FileSystem;
}

namespace sheaf::store {

struct LocalStoreOptions {
  Clock& clock;  // Borrowed from main, as all below; they outlive the store and its flights.
  Log& log;
  Metrics& metrics;

  std::string directory;  // Empty: memory only. No index, nothing survives, every tier is memory.
  Bytes memory_budget{};  // Of batches kept in memory; 0 = no limit.
  Bytes disk_budget{};    // Of flight files, committed, replaced and spilled; 0 = no limit.
  enum class Spill : uint8_t { kAllowed, kForbidden } spill = Spill::kAllowed;
  std::chrono::milliseconds replaced_ms{60'000};  // How long tickets of a replaced flight work.

  std::shared_ptr<Account> account;    // Memory is charged to a child of it; none = a root.
  Timers* timers = nullptr;            // For the 20 ms of gathering; none = Write and Flush only.
  Executor* executor = nullptr;        // Where timers hand gathered batches over; none = there.
  files::FileSystem* files = nullptr;  // None = the machine's.
  std::string sqlite_vfs;              // Empty = SQLite's own.
};

// Opens the store, or creates it. Reads the index and not one flight file: 100,000 flights take
// less than 2 s. Files that the index lacks are removed, rows whose file is missing too (loudly).
// Errors: kConflict naming the process that holds the directory; kCorrupt naming a damaged index;
//   kDependency when the disk refuses.
Result<std::unique_ptr<Store>> OpenLocal(LocalStoreOptions options);

}  // namespace sheaf::store
