// The door of host/chronicle: what this node writes down of its work, so that it outlives the
// process.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sheaf/base/async/async.h"
#include "sheaf/base/observe/observe.h"
#include "sheaf/host/chronicle/book.h"
#include "sheaf/host/chronicle/probe.h"
#include "sheaf/host/chronicle/registrar.h"
#include "sheaf/host/chronicle/resources.h"
#include "sheaf/host/chronicle/restart.h"
#include "sheaf/host/chronicle/writer.h"
#include "sheaf/host/tasks/engine.h"
#include "sheaf/ports/persistence/persistence.h"

namespace sheaf::chronicle {

struct ChronicleOptions {
  Place place;
  NodeFacts facts;
  Start start = Start::kWarm;
  std::string backend;  // As people are told it, without passwords.
  enum class Keeps : uint8_t { kAll, kNothing } keeps = Keeps::kAll;
  size_t waiting_max = 10'000;  // Things not written yet; above it no new run begins.
};

struct ChronicleParts {
  persistence::Persistence& memory;
  Clock& clock;
  Log& log;
  Metrics& metrics;
  std::function<double()> chance;  // A number of [0, 1), on the chronicle's thread.
};

// Owner: main; outlives the engine that it watches. Threads: any; Stop once. Blocking: Open and
// Stop wait for the database; the rest never, writings are made on a thread of its own.
// Errors of Open: those of the back end, and of a checkpoint that cannot be restored.
class Chronicle final : public tasks::Watcher {
 public:
  static Result<std::unique_ptr<Chronicle>> Open(ChronicleOptions options, ChronicleParts parts);
  ~Chronicle() override;

  // kBackpressure when too much waits to be written; kNotReady when another server took over.
  Status MayBegin() override;
  void Began(const tasks::RunBegan& run) override;
  void Wanted(const tasks::RunWanted& wanted) override;
  void NoLongerWanted(const TaskId& id, const Path& sink) override;
  // Waits for a sync or two when a run into this path has just ended; while the database is away
  // only where a spool keeps what is written.
  void Settle(const Path& sink) override;
  void Executing(const TaskId& id, WallTime at) override;
  void Ended(const tasks::RunEnding& run) override;

  // From now on: what the last process left is queued again. The engine outlives Stop.
  void Resume(tasks::Engine& engine);
  // The services of this node as they are now; written when they change.
  void Offer(std::vector<Offered> offered);
  // Writes what waits, says that the node is gone, gives its epochs back. The engine has drained.
  void Stop();

  // {"backend", "state": disabled | ok | degraded | lost, "waiting", "live", "to_resume", "error"?,
  // "spool"?: {"records", "bytes", "bytes_max", "since"?, "away_s"?, "set_aside", "kept"?}}
  Json StateJson() const;
  bool lost() const;
  // The checkpoint as it was last written.
  persistence::LiveWork live() const;
  // Grows with everything that was written, and from process to process.
  uint64_t generation() const;

 private:
  using Event = std::function<void(Book&)>;
  enum class State : uint8_t { kDisabled, kOk, kDegraded, kLost };

  Chronicle(ChronicleOptions options, ChronicleParts parts, persistence::Epoch epoch, Found found);
  void Push(Event event);
  void Run();
  Instant Step(bool last);
  void Write(bool last);
  void Failed(const Error& error);
  void Sample(Presence presence);
  void Register();
  void QueueAgain();
  void Changed(const persistence::ChangeSet& change);
  void Left(const std::string& task);
  void SetState(State state, std::string error);
  void LookAtOutage();
  State Shown(bool waits) const SHEAF_REQUIRES(mutex_);
  void Warn(std::string_view what, const Status& done, bool& told);
  Instant Now() const { return parts_.clock.Now(); }

  const ChronicleOptions options_;
  ChronicleParts parts_;
  Probe probe_;
  // Of its thread alone:
  Book book_;
  Writer writer_;
  Registrar registrar_;
  Writing writing_;
  std::deque<Entry> again_;
  tasks::Engine* engine_ = nullptr;  // Borrowed from main by Resume.
  std::optional<persistence::Resources> sampled_;
  std::vector<Offered> registered_;
  Instant write_at_{}, sample_at_{}, register_at_{}, again_at_{};
  int failures_ = 0;
  bool told_of_sample_ = false, told_of_register_ = false;  // That it fails, once.

  mutable Mutex mutex_;
  CondVar wake_;
  std::deque<Event> events_ SHEAF_GUARDED_BY(mutex_);
  size_t unwritten_ SHEAF_GUARDED_BY(mutex_) = 0;
  std::set<TaskId> ignored_ SHEAF_GUARDED_BY(mutex_);
  std::map<TaskId, std::vector<Path>> sinks_ SHEAF_GUARDED_BY(mutex_);  // Of runs not left yet.
  std::map<Path, int> unsettled_ SHEAF_GUARDED_BY(mutex_);              // Of those that have ended.
  CondVar settled_;
  std::vector<Offered> offered_ SHEAF_GUARDED_BY(mutex_);
  persistence::LiveWork live_ SHEAF_GUARDED_BY(mutex_);
  State state_ SHEAF_GUARDED_BY(mutex_) = State::kOk;
  std::string error_ SHEAF_GUARDED_BY(mutex_);
  size_t to_resume_ SHEAF_GUARDED_BY(mutex_) = 0;
  bool spool_full_ SHEAF_GUARDED_BY(mutex_) = false;
  std::string full_ SHEAF_GUARDED_BY(mutex_);  // What is said of it.
  bool stopping_ SHEAF_GUARDED_BY(mutex_) = false;
  std::atomic<uint64_t> generation_;
  std::atomic<bool> stopped_{false};
  Executor thread_{{.name = "chronicle", .threads_max = 1, .queue_max = 1}};  // Last: joined first.
};

}  // namespace sheaf::chronicle
