// The index's lock: one thread at a time decides, writes and makes visible, for all that wait.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "sheaf/adapters/store/catalog.h"
#include "sheaf/base/async/async.h"

namespace sheaf::store {

class DiskIndex;

// What the index would be if all decisions so far were committed. Owner: the committer.
class Draft final {
 public:
  explicit Draft(const Catalog& catalog) : catalog_(catalog) {}

  std::optional<Entry> Find(const Path& path) const;
  void Put(const Path& path, Entry entry);
  void Remove(const Path& path, Former former);

  const std::vector<Edit>& edits() const { return edits_; }
  size_t Mark() const { return edits_.size(); }
  void BackTo(size_t mark);  // Undoes what was done since the mark.

 private:
  void Add(Edit edit);
  const Catalog& catalog_;  // Borrowed from the store.
  std::vector<Edit> edits_;
  std::map<Path, size_t> last_;  // A path's last edit.
};

// Group commit. Threads that change the index queue; the first of them leads: it decides for each
// in turn, syncs the directory of flight files, runs one transaction for all, makes it visible,
// tells the listener, and lets the others go.
//
// Owner: the store. Threads: any. Blocking: Run waits for a sync when the disk's index changes.
// Errors: what `decide` returned; kDependency, kExhausted when the transaction failed, then with
//   Effect::kUnknown if it may be found after a restart.
class Committer final {
 public:
  // `index` is null when nothing is on disk.
  Committer(Context& context, Catalog& catalog, DiskIndex* index)
      : context_(context), catalog_(catalog), index_(index) {}

  // `decide` runs under the index's lock and must not call the store; it may run twice, when the
  // transaction of its group failed and its own is tried alone. `committed` runs once after the
  // transaction, before the change can be seen.
  Status Run(std::function<Status(Draft&)> decide, std::function<void()> committed = nullptr);
  // Runs `work` under the index's lock.
  Status Exclusively(std::function<Status()> work);
  void Listen(std::function<void(const Change&)> listener);

 private:
  struct Job {
    std::function<Status(Draft&)> decide;
    std::function<void()> committed;
    std::function<Status()> alone;  // Instead of both.
    Status result;
    bool done = false;
  };
  void Wait(Job& job);
  void RunGroup(const std::vector<Job*>& group);
  Status Write(const std::vector<Edit>& edits);

  Context& context_;   // Borrowed from the store, as all below.
  Catalog& catalog_;
  DiskIndex* const index_;
  std::function<void(const Change&)> listener_;  // Only its leader touches it.

  Mutex mutex_;
  CondVar wake_;
  std::vector<Job*> queue_ SHEAF_GUARDED_BY(mutex_);
  bool led_ SHEAF_GUARDED_BY(mutex_) = false;
};

}  // namespace sheaf::store
