// The task engine: finds or starts the run of a command, shares it, ends it.
//
// A result is a flight being written. The engine decides reuse, sharing and life; services
// compute; the store keeps. One lock guards all runs; nothing that waits is called under it.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "sheaf/base/async/async.h"
#include "sheaf/base/core/core.h"
#include "sheaf/base/observe/observe.h"
#include "sheaf/host/admission/admission.h"
#include "sheaf/host/tasks/own_flights.h"
#include "sheaf/host/tasks/plan_tree.h"
#include "sheaf/host/tasks/probe.h"
#include "sheaf/host/tasks/run.h"
#include "sheaf/host/tasks/watcher.h"
#include "sheaf/ports/flights/flights.h"
#include "sheaf/ports/query_state/query_state.h"
#include "sheaf/ports/store/store.h"

namespace sheaf::tasks {

using CommandPtr = std::shared_ptr<const Command>;

struct EngineOptions {
  size_t threads_max = 64;  // Runs that execute at once, sub-runs included.
  Duration claim_window = std::chrono::seconds(30);
  Duration slow_run = std::chrono::seconds(10);        // Logged at info above it.
  size_t ended_max = 10'000;                           // Ended runs remembered for {"task"}.
  std::string owner = "node";                          // In the query state.
  Tier default_tier = Tier::kDisk;                     // Of sinks that name none.
  Duration default_retain = std::chrono::seconds(60);  // Of commands that name none.
};

struct EngineParts {
  store::Store& store;
  query_state::QueryState& states;
  admission::Admission& admission;
  Timers& timers;
  Log& log;
  Metrics& metrics;
  std::shared_ptr<Account> account;  // Runs charge their own here.
  std::function<module::Service*(std::string_view)> service;
  std::function<Error(std::string_view)> unknown_service;
  Watcher* watcher = nullptr;       // Null: nobody watches.
  const OwnFlights* own = nullptr;  // Null: the server makes no flights of its own.
};

// A place in a run, or the hit that made one unnecessary.
struct Submission {
  Outcome outcome = Outcome::kRun;
  Identity identity;
  std::optional<store::Found> hit;  // kHit: everything else is empty.
  RunPtr run;
  InterestId interest;
};

// A reader that ends its interest's reading when it dies; at the end it says whether this
// caller's sink was committed.
struct OpenedStream {
  Schema schema;
  std::unique_ptr<store::FlightReader> reader;
  Json metadata;
};

// Writes one upload. Exactly one of Commit and Abort ends it; death is an abort.
class Upload {
 public:
  virtual ~Upload() = default;
  virtual Status Write(Batch batch) = 0;             // May wait for the disk.
  virtual Result<flights::PutReceipt> Commit() = 0;  // Waits for a sync.
  virtual void Abort(Error reason) = 0;
  virtual int64_t rows() const = 0;
};

// Owner: main. Threads: every method from any thread. Blocking: Submit plans (stats files) and
// may wait for a commit that is under way; Wait, Open and the rest never block.
// Errors: the Flight contract's.
class Engine final {
 public:
  Engine(EngineOptions options, EngineParts parts);
  // Cancels what runs, waits for its threads.
  ~Engine();

  // Finds or starts the run of a command for this caller, whose interest has `hold`.
  Result<Submission> Submit(const CommandPtr& command, const flights::Context& context, Hold hold);
  // The hit of a command whose identity is known without its paths; none: Submit it.
  std::optional<Submission> QuickHit(const Command& command, const Identity& identity);
  // A place in the run of this id: kNotFound (unknown, another principal's), kResultGone.
  Result<Submission> Join(const TaskId& id, const flights::Context& context, Hold hold);

  // Calls once: Done when the first batch can be read or the run is complete, the run's error, or
  // the reason for which this interest ended.
  void Wait(const Submission& submission, std::function<void(Status)> ready);
  // The waiting call answers: its interest becomes a claim. `waiter` is dropped, not called.
  void Answer(const Submission& submission);
  // The interest ends now; the run too if it was the last.
  void EndInterest(const Submission& submission, Error reason);

  // A stream of the run's result for this interest, partition `partition` or all in order. Ends
  // the interest with the stream when its hold is kCall.
  Result<OpenedStream> Open(const Submission& submission, std::optional<uint32_t> partition);
  // The place that a ticket names: kResultGone when run, flight or interest are no longer there.
  Result<Submission> Find(const TaskId& id, const InterestId& interest, uint64_t generation);
  // Moves the claim window.
  Status Renew(const Submission& submission);

  // The flight of an answered submission; kResultGone when it is no longer kept.
  Result<store::FlightPtr> FlightOf(const Submission& submission) const;
  // FlightInfo's app_metadata of a submission (contract, section 3).
  Json Metadata(const Submission& submission) const;
  // When an unnamed result goes, or one with a sink whose `ttl_s` began now; else nothing.
  std::optional<WallTime> ExpiresAt(const Submission& submission) const;
  // Where this caller's result is kept; empty when it is unnamed.
  Path SinkOf(const Submission& submission) const;
  // {"task", "state", "progress"} for POLL.
  Json PollDetails(const Submission& submission) const;

  enum class Force : uint8_t { kNo, kYes };
  // Ends one interest of the caller in the run; kYes ends the run.
  Status Cancel(const TaskId& id, const flights::Context& context, Force force);

  // The tree of a command, nothing started; or of a run.
  Result<Json> Explain(const CommandPtr& command, const flights::Context& context);
  Result<Json> Describe(const TaskId& id, const flights::Context& context) const;
  std::vector<Json> List(const flights::Context& context) const;
  Result<Schema> PlanSchema(const CommandPtr& command, const flights::Context& context);

  // A writer of a path; kConflict while another writes it.
  Result<std::unique_ptr<Upload>> OpenUpload(const Sink& sink, Schema schema,
                                             const flights::Context& context);

  // Waits until whoever has just committed at the path has ended, and its end is written down.
  Status SettlePath(const Path& path, const CancelToken& cancel);

  // Expires interests, forgets ended runs, renews leases. Called by the engine's own timer.
  void Tick();
  // Refuses new runs; returns at once. `Drained` is called when none is left.
  void Drain(std::function<void()> drained);
  // Ends every run with kShuttingDown.
  void CancelAll();
  size_t active() const;
  store::Store& store() const { return parts_.store; }
  const OwnFlights& own() const { return *parts_.own; }
  Clock& clock() const { return parts_.timers.clock(); }
  Timers& timers() const { return parts_.timers; }

 private:
  friend class RunWriter;
  friend class InterestReader;
  friend class PathUpload;
  class Slot;
  using Calls = std::vector<std::function<void()>>;  // Run after the lock is given up.

  // decide.cc
  struct Decision {
    enum class What : uint8_t { kPlanAgain, kNeedsSlot, kWait, kPlaced } what = What::kPlanAgain;
    Submission submission;
    RunPtr wait_for;
    std::optional<uint64_t> raise;  // A place in admission that this caller's priority lifts.
  };
  Result<Decision> Decide(const NodePtr& node, const flights::Context& context, Hold hold,
                          Slot& slot);
  void SettleSinks(const Node& node);
  static Status WaitForEnd(const RunPtr& run, const CancelToken& cancel);
  Result<RunPtr> Check(const Node& node, bool* starts) SHEAF_REQUIRES(mutex_);
  Result<RunPtr> CheckSink(const Node& node, bool* attaches) SHEAF_REQUIRES(mutex_);
  RunPtr Attachable(const Node& node) SHEAF_REQUIRES(mutex_);
  Submission Place(const NodePtr& node, const flights::Context& context, Hold hold,
                   const Command& outer) SHEAF_REQUIRES(mutex_);
  RunPtr Start(const NodePtr& node, const flights::Context& context, const Command& outer)
      SHEAF_REQUIRES(mutex_);
  InterestId AddInterest(Run& run, const Node& node, const flights::Context& context, Hold hold,
                         const Command& outer) SHEAF_REQUIRES(mutex_);
  void Admit(const RunPtr& run, Calls* calls) SHEAF_REQUIRES(mutex_);
  void TrySchedule(const RunPtr& run, Calls* calls) SHEAF_REQUIRES(mutex_);
  void Granted(const RunPtr& run);
  Sink WithDefaults(Sink sink) const;
  Duration RetainOf(const Command& command) const;

  // execute.cc
  void Execute(const RunPtr& run);
  Result<std::map<std::string, module::RunInput>> InputsOf(const RunPtr& run);
  module::RunContext ContextOf(const RunPtr& run);
  Status RunService(const RunPtr& run);
  Status CommitRun(const RunPtr& run, class RunWriter& writer);
  Status WaitForSinksBelow(const RunPtr& run);
  Status BeginState(const RunPtr& run);
  void EndState(const RunPtr& run, const Status& status);
  void FlightOpened(const RunPtr& run, store::FlightPtr flight);
  void TellEnded(const Run& run) SHEAF_REQUIRES(mutex_);
  void EndLocked(const RunPtr& run, const Status& status, Calls* calls) SHEAF_REQUIRES(mutex_);
  void CountDownParents(const RunPtr& run, Calls* calls) SHEAF_REQUIRES(mutex_);
  void Finish(const RunPtr& run, Status status);
  void ReleaseChildren(const RunPtr& run, bool cancelled);

  // interests.cc
  void EndInterestLocked(const RunPtr& run, const InterestId& id, const Error& reason, Calls* calls)
      SHEAF_REQUIRES(mutex_);
  void CancelLocked(const RunPtr& run, const Error& reason, Calls* calls) SHEAF_REQUIRES(mutex_);
  void CloseStream(const RunPtr& run, const InterestId& id, bool read_to_end);
  // The run's flight: held, or found again by its committed path; null when it is gone.
  store::FlightPtr HeldFlight(const Run& run) const SHEAF_REQUIRES(mutex_);
  std::optional<Error> SinkError(const RunPtr& run, const InterestId& id) const;
  void ForgetEnded(Calls* calls) SHEAF_REQUIRES(mutex_);
  void ArmTimer();

  // uploads.cc
  Status TakePath(const Path& path, const TaskId& id, const CancelToken& cancel);

  // describe.cc
  Json DescribeRun(const Run& run) const SHEAF_REQUIRES(mutex_);
  Json DescribeChild(const Child& child) const SHEAF_REQUIRES(mutex_);
  Json DescribeNode(const Node& node) SHEAF_REQUIRES(mutex_);
  TreeParts tree_parts() const {
    return {parts_.store, parts_.service, parts_.unknown_service, *parts_.own};
  }
  Instant Now() const { return parts_.timers.clock().Now(); }

  const EngineOptions options_;
  NoWatcher no_watcher_;
  NoOwnFlights no_own_;
  EngineParts parts_;  // Borrowed from main.
  Probe probe_;
  mutable Mutex mutex_;
  std::map<TaskId, RunPtr> runs_ SHEAF_GUARDED_BY(mutex_);
  std::unordered_map<std::string, RunPtr> by_identity_ SHEAF_GUARDED_BY(mutex_);  // Shareable.
  struct PathWriter {
    RunPtr run;  // Null of an upload.
    TaskId id;
  };
  std::map<Path, PathWriter> writers_ SHEAF_GUARDED_BY(mutex_);
  std::deque<TaskId> ended_ SHEAF_GUARDED_BY(mutex_);      // Oldest first.
  std::deque<TaskId> forgotten_ SHEAF_GUARDED_BY(mutex_);  // For kResultGone, bounded.
  size_t active_ SHEAF_GUARDED_BY(mutex_) = 0;
  bool draining_ SHEAF_GUARDED_BY(mutex_) = false;
  bool stopping_ SHEAF_GUARDED_BY(mutex_) = false;
  std::function<void()> drained_ SHEAF_GUARDED_BY(mutex_);
  Timers::Handle timer_ SHEAF_GUARDED_BY(mutex_){};
  Executor executor_;  // Last: its threads end before anything above dies.
};

}  // namespace sheaf::tasks
