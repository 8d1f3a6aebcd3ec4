// The index on disk: one SQLite file that decides what is committed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sheaf/adapters/store/catalog.h"

namespace sheaf::store {

// Owner: the store. Threads: one at a time, the index's leader. Blocking: waits for syncs.
// Errors: kCorrupt naming the file, kExhausted, kDependency; a failed Write with Effect::kUnknown
//   may be found after a restart.
class DiskIndex {
 public:
  virtual ~DiskIndex() = default;
  // Rows of the committed flights; what they name is not opened.
  virtual Result<std::vector<Entry>> Load() = 0;
  // One transaction.
  virtual Status Write(const std::vector<Edit>& edits) = 0;
  // The first of `count` generations that nobody was or will be given.
  virtual Result<uint64_t> ReserveGenerations(uint64_t count) = 0;
};

// Opens or creates `index.sqlite` in the context's directory.
Result<std::unique_ptr<DiskIndex>> OpenDiskIndex(const ContextPtr& context,
                                                 const std::string& sqlite_vfs);

}  // namespace sheaf::store
