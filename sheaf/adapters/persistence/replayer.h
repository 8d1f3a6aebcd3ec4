// What a spool replays to a back end, and when: the part of spooled_persistence behind its verbs.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sheaf/adapters/persistence/probe.h"
#include "sheaf/adapters/persistence/spooled_persistence.h"
#include "sheaf/base/async/executor.h"

namespace sheaf::persistence {

// Whether a write that failed so is to wait: the database is away, or whoever waits for it stops.
bool IsAway(const Error& error);

// Owner: the parts of one Persistence, together. Threads: any but ReplayAll, which is called before
// Start. Blocking: Keep for the spool's disk, the destructor for an attempt.
class Replayer final {
 public:
  Replayer(Persistence inner, std::unique_ptr<Spool> spool, const SpooledOptions& options,
           SpooledSurroundings surroundings);
  ~Replayer();

  // All of it, in the caller's thread; the first error that may pass ends it.
  Status ReplayAll();
  void Start();

  // Nothing waits: a caller may ask the back end.
  bool clear() const { return spool_->empty(); }
  Persistence& inner() { return inner_; }
  // Why nothing can be read now.
  Error Away() const;
  // A write that could not be made, for `why`, or must not pass those that wait.
  Status Keep(const Json& record, Spool::Weight weight, const std::optional<Error>& why);
  Status StillOwns(const Epoch& epoch) const;
  Standing Look() const;

 private:
  Status ReplaySome();
  Result<size_t> ReplayTogether(const std::vector<Spool::Front>& fronts);
  Status Made(const std::set<uint64_t>& numbers);
  Status Refused(const Spool::Front& front, const Epoch& epoch, const Error& error);
  Status SetAside(const Spool::Which& which, const Error& why);
  Status Renumber(const Spool::Front& front, Json record);
  void Run();
  Duration Pause();
  void Waits(const std::optional<Error>& why);
  void Failed(const Error& error);
  void Cleared();
  void Show();

  Persistence inner_;
  const std::unique_ptr<Spool> spool_;
  const SpooledOptions options_;
  const SpooledSurroundings surroundings_;
  SpoolProbe probe_;
  int failures_ = 0;       // In a row; of the thread that replays, as the next.
  uint64_t replayed_ = 0;  // Since something waited.
  size_t singly_ = 0;      // Records to be made one by one: one of them is refused.

  mutable Mutex mutex_;
  CondVar wake_;
  bool stopping_ SHEAF_GUARDED_BY(mutex_) = false;
  bool told_ SHEAF_GUARDED_BY(mutex_) = false;  // That it is away.
  Instant away_at_ SHEAF_GUARDED_BY(mutex_){};
  WallTime since_ SHEAF_GUARDED_BY(mutex_);
  std::string error_ SHEAF_GUARDED_BY(mutex_);
  std::map<std::pair<std::string, uint64_t>, Error> stale_ SHEAF_GUARDED_BY(mutex_);
  Executor thread_{{.name = "spool", .threads_max = 1, .queue_max = 1}};  // Last: joined first.
};

// The parts of a back end before which it stands; OpenSpooled without its thread and replay.
Persistence MakeSpooled(const std::shared_ptr<Replayer>& replayer);

}  // namespace sheaf::persistence
