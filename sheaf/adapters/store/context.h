// What every part of the store knows: clocks, budgets, directories, who is alive.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "sheaf/adapters/store/local_store.h"
#include "sheaf/adapters/store/probe.h"
#include "sheaf/adapters/store/trailer.h"
#include "sheaf/drivers/files/files.h"

namespace sheaf::store {

class Body;

// Shared by the store, its writers and every handle: whichever of them dies last.
//
// Threads: any.
struct Context {
  explicit Context(const LocalStoreOptions& options);

  bool has_disk() const { return !data_directory.empty(); }
  std::string FilePath(FileName name) const { return data_directory + "/" + name.Text(); }

  Clock& clock;  // Borrowed from main.
  Log& log;
  Probe probe;
  Timers* const timers;      // Borrowed from main; may be null.
  Executor* const executor;  // Borrowed from main; may be null.
  const std::unique_ptr<files::FileSystem> own_files;
  files::FileSystem& files;
  const std::string directory;
  const std::string data_directory;  // Empty: no disk tier, nothing spills.
  const bool may_spill;
  const std::shared_ptr<Account> memory;
  const std::shared_ptr<Account> disk;
  std::atomic<int64_t> open_writers{0};
  std::atomic<int64_t> spilled{0};
  std::atomic<int64_t> mapped_files{0};

  // Every body that lives, by generation.
  void Register(uint64_t generation, std::weak_ptr<Body> body);
  void Unregister(uint64_t generation);
  std::shared_ptr<Body> Find(uint64_t generation);
  std::vector<std::shared_ptr<Body>> Living();

 private:
  Mutex mutex_;
  std::unordered_map<uint64_t, std::weak_ptr<Body>> bodies_ SHEAF_GUARDED_BY(mutex_);
};
using ContextPtr = std::shared_ptr<Context>;  // Shared: see above.

}  // namespace sheaf::store
