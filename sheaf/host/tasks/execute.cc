// One run on its thread: state, service, checks, commit, end.
#include <exception>
#include <utility>

#include "sheaf/host/tasks/engine.h"
#include "sheaf/host/tasks/readers.h"
#include "sheaf/host/tasks/run_writer.h"

namespace sheaf::tasks {
namespace {

using query_state::Trigger;

double Seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

void Engine::Execute(const RunPtr& run) {
  {
    MutexLock lock(mutex_);
    if (run->has_ended()) return;
    run->state = RunState::kExecuting;
    run->started = Now();
    parts_.watcher->Executing(run->id, clock().Wall());
  }
  Status status = BeginState(run);
  if (status.ok()) status = RunService(run);
  EndState(run, status);
  Finish(run, std::move(status));
}

// Takes the run's key in the query state: whoever makes the change owns the query.
Status Engine::BeginState(const RunPtr& run) {
  auto step = [&](Trigger trigger) {
    return parts_.states.Apply(
        {.key = run->key, .trigger = trigger, .owner = options_.owner, .epoch = run->epoch});
  };
  SHEAF_ASSIGN(auto queued, step(Trigger::kQueue));
  if (!queued.changed) {
    // A finished query returns to known before it runs again.
    SHEAF_ASSIGN(const auto reset, step(Trigger::kReset));
    run->epoch = reset.record.epoch;
    SHEAF_TRY(step(Trigger::kFinishResetting));
    SHEAF_ASSIGN(queued, step(Trigger::kQueue));
    if (!queued.changed) {
      return Fail(Kind::kConflict, "this query is " + std::string(StateName(queued.record.state)) +
                                       " at " + queued.record.owner + "; ask there or try again");
    }
  }
  run->epoch = queued.record.epoch;
  SHEAF_ASSIGN(auto executing, step(Trigger::kExecute));
  if (!executing.changed) {
    return Fail(Kind::kConflict, "another owner took this query over; try again");
  }
  return Done();
}

void Engine::EndState(const RunPtr& run, const Status& status) {
  Trigger trigger = Trigger::kFinish;
  if (!status.ok()) {
    trigger = status.error().kind == Kind::kCancelled ? Trigger::kCancel : Trigger::kError;
  }
  auto done = parts_.states.Apply({.key = run->key,
                                   .trigger = trigger,
                                   .owner = options_.owner,
                                   .epoch = run->epoch,
                                   .error = status.ok() ? "" : status.error().message});
  if (!done.ok()) {
    parts_.log.Warn("query state not told of a run's end",
                    {{"task", run->id.text}, {"error", done.error().message}});
  }
}

Result<std::map<std::string, module::RunInput>> Engine::InputsOf(const RunPtr& run) {
  std::map<std::string, module::RunInput> inputs;
  for (const Child& child : run->children) {
    module::RunInput& input = inputs[child.name];
    if (child.outcome == Outcome::kFused) {
      input.parquet = child.node->plan.parquet;
      input.schema = child.node->plan.schema;
      continue;
    }
    store::FlightPtr flight = child.flight;
    if (flight == nullptr) {
      MutexLock lock(mutex_);
      if (child.run->error.has_value()) return *child.run->error;
      flight = HeldFlight(*child.run);
    }
    if (flight == nullptr) {
      return Fail(Kind::kResultGone, "inputs." + child.name + ": its result is gone; run again");
    }
    input.schema = flight->schema();
    input.rows = flight->complete() ? flight->size().rows : -1;
    input.open = [flight,
                  token =
                      run->cancel.token()]() -> Result<std::shared_ptr<arrow::RecordBatchReader>> {
      return std::shared_ptr<arrow::RecordBatchReader>(
          std::make_shared<BlockingReader>(flight, token));
    };
  }
  return inputs;
}

module::RunContext Engine::ContextOf(const RunPtr& run) {
  module::RunContext context;
  context.task = run->id;
  context.principal = run->principal;
  context.cancel = run->cancel.token();
  context.disk =
      run->single_use ? module::RunContext::Disk::kForbidden : module::RunContext::Disk::kAllowed;
  context.progress = [this, run](double progress) {
    MutexLock lock(mutex_);
    run->progress = progress;
  };
  context.account = parts_.account;
  const auto& options = run->node->command->options;
  if (options.memory_bytes.has_value()) context.memory_max = Bytes{*options.memory_bytes};
  return context;
}

Status Engine::RunService(const RunPtr& run) {
  const std::string& service = run->node->command->service;
  const CancelToken token = run->cancel.token();
  SHEAF_TRY(token.Check());
  SHEAF_ASSIGN(const auto inputs, InputsOf(run));
  RunWriter writer(*this, run);
  Status status;
  try {
    status = run->node->service->Run(run->node->plan, inputs, writer, ContextOf(run));
  } catch (const std::exception& thrown) {
    status = Fail(Kind::kInternal, "service '" + service + "' threw: " + thrown.what());
  }
  if (auto alive = token.Check(); !alive.ok()) status = std::move(alive);
  if (status.ok() && !writer.begun()) {
    status = Fail(Kind::kInternal, "service '" + service + "' ended without a result");
  }
  if (status.ok()) status = SourcesUnchanged(*run->node, run->principal);
  if (status.ok()) status = WaitForSinksBelow(run);
  if (status.ok()) status = CommitRun(run, writer);
  if (!status.ok()) {
    {
      MutexLock lock(mutex_);
      run->error = status.error();  // Before anybody hears it from the flight.
    }
    writer.Abort(status.error());
  }
  return status;
}

// A stream ends well only after every sink of its tree is committed.
Status Engine::WaitForSinksBelow(const RunPtr& run) {
  for (const Child& child : run->children) {
    if (child.run == nullptr || !child.node->command->sink.has_value()) continue;
    SHEAF_TRY(WaitForEnd(child.run, run->cancel.token()));
    MutexLock lock(mutex_);
    if (child.run->error.has_value()) {
      return Error(*child.run->error).In("inputs." + child.name);
    }
    const auto mine = child.run->interests.find(child.interest);
    if (mine != child.run->interests.end() && mine->second.sink_error.has_value()) {
      return Error(*mine->second.sink_error).In("inputs." + child.name + ".sink");
    }
  }
  return Done();
}

Status Engine::CommitRun(const RunPtr& run, RunWriter& writer) {
  std::vector<store::CommitTarget> targets;
  std::vector<std::vector<InterestId>> askers;  // Of each target; same path, same identity: one.
  {
    MutexLock lock(mutex_);
    SHEAF_TRY(run->cancel.token().Check());
    run->committing = true;
    std::map<Path, size_t> at;
    for (const auto& [id, interest] : run->interests) {
      if (!interest.target.has_value()) continue;
      const auto [where, fresh] = at.emplace(interest.target->sink.path, targets.size());
      if (fresh) {
        targets.push_back(*interest.target);
        askers.emplace_back();
      }
      askers[where->second].push_back(id);
    }
  }
  auto fence = [this, run]() -> Status {
    SHEAF_TRY(run->cancel.token().Check());
    SHEAF_ASSIGN(const bool owned, parts_.states.Renew(run->key, options_.owner, run->epoch,
                                                       std::chrono::seconds(15)));
    if (owned) return Done();
    return Fail(Kind::kConflict, "another owner took this query over; nothing was committed");
  };
  const size_t wanted = targets.size();
  SHEAF_ASSIGN(auto records, writer.Commit(std::move(targets), fence));
  size_t refused = 0;
  std::optional<Error> first;
  MutexLock lock(mutex_);
  for (size_t i = 0; i < records.size(); ++i) {
    if (records[i].ok()) {
      if (run->record == nullptr) run->record = *records[i];
      continue;
    }
    ++refused;
    if (!first.has_value()) first = records[i].error();
    for (const auto& id : askers[i]) {
      const auto interest = run->interests.find(id);
      if (interest != run->interests.end()) interest->second.sink_error = records[i].error();
    }
  }
  if (wanted > 0 && refused == wanted) return *first;
  return Done();
}

void Engine::FlightOpened(const RunPtr& run, store::FlightPtr flight) {
  Calls calls;
  {
    MutexLock lock(mutex_);
    run->flight = flight;
    CountDownParents(run, &calls);
  }
  for (auto& call : calls) call();
  flight->WhenReadable([this, run] {
    std::map<InterestId, std::function<void(Status)>> ready;
    Status outcome;
    {
      MutexLock lock(mutex_);
      ready.swap(run->waiters);
      if (run->flight != nullptr) outcome = run->flight->outcome();
    }
    for (auto& [id, call] : ready) call(outcome);
  });
}

void Engine::TellEnded(const Run& run) {
  RunEnding ended{.id = run.id, .state = run.state, .error = run.error, .at = clock().Wall()};
  if (run.record != nullptr) {
    ended.rows = run.record->rows;
    ended.bytes = run.record->bytes;
    ended.partitions = run.record->partitions;
  } else if (run.flight != nullptr) {
    ended.partitions = run.flight->partitions();
    if (run.flight->complete()) {
      ended.rows = run.flight->size().rows;
      ended.bytes = run.flight->size().bytes;
    }
  }
  parts_.watcher->Ended(ended);
}

// The run's last state, and its names given back: by_identity_, writers_, its parents' count.
void Engine::EndLocked(const RunPtr& run, const Status& status, Calls* calls) {
  run->finished = Now();
  if (run->flight != nullptr) run->size = run->flight->size();
  if (status.ok()) {
    run->state = RunState::kCompleted;
    run->progress = 1;
    probe_.completed.Increment();
  } else {
    const bool cancelled = status.error().kind == Kind::kCancelled;
    run->state = cancelled ? RunState::kCancelled : RunState::kErrored;
    (cancelled ? probe_.cancelled : probe_.errored).Increment();
    run->error = status.error();
  }
  TellEnded(*run);
  if (run->shareable) {
    const auto mine = by_identity_.find(run->node->identity.raw);
    if (mine != by_identity_.end() && mine->second == run) by_identity_.erase(mine);
  }
  std::erase_if(writers_, [&](const auto& entry) { return entry.second.run == run; });
  bool read_by_runs = false;
  for (auto& [id, interest] : run->interests) {
    RunEnded(interest, status.ok() ? Ending::kResult : Ending::kError, run->finished);
    read_by_runs = read_by_runs || interest.hold == Hold::kParent;
  }
  if (run->record != nullptr && !read_by_runs) {
    // Its path keeps it from now on; a handle of ours would only forbid its eviction.
    calls->push_back([flight = std::exchange(run->flight, nullptr)] {});
  }
  CountDownParents(run, calls);
  ended_.push_back(run->id);
  --active_;
  probe_.active.Set(static_cast<double>(active_));
  if (ended_.size() > options_.ended_max) ForgetEnded(calls);
  if (draining_ && active_ == 0 && drained_) calls->push_back(std::exchange(drained_, nullptr));
}

void Engine::CountDownParents(const RunPtr& run, Calls* calls) {
  for (const auto& weak : run->parents) {
    const RunPtr parent = weak.lock();
    if (parent == nullptr) continue;
    --parent->waiting_children;
    TrySchedule(parent, calls);
  }
  run->parents.clear();
}

void Engine::Finish(const RunPtr& run, Status status) {
  Calls calls;
  std::map<InterestId, std::function<void(Status)>> waiters;
  std::optional<uint64_t> place;
  store::FlightPtr failed;
  {
    MutexLock lock(mutex_);
    if (run->has_ended()) return;
    EndLocked(run, status, &calls);
    // Who asks from now on is told the error; only readers that are open keep what there is.
    if (!status.ok()) failed = std::exchange(run->flight, nullptr);
    waiters.swap(run->waiters);
    place = std::exchange(run->place, std::nullopt);
  }
  failed.reset();  // Its death removes a file: outside the lock, before anybody hears of the end.
  const Duration took = run->finished - run->created;
  if (run->started != Instant{}) {
    probe_.run_seconds.Observe(Seconds(run->finished - run->started));
  }
  parts_.log.Write(took >= options_.slow_run ? observe::Level::kInfo : observe::Level::kDebug,
                   "task ended",
                   {{"task", run->id.text},
                    {"service", run->node->command->service},
                    {"state", RunStateName(run->state)},
                    {"ms", Seconds(took) * 1e3},
                    {"error", status.ok() ? std::string() : status.error().message}});
  ReleaseChildren(run, !status.ok() && run->cancel.cancelled());
  if (place.has_value()) parts_.admission.Leave(*place);
  run->ended.Set();
  for (auto& [id, call] : waiters) call(status);
  for (auto& call : calls) call();
}

void Engine::ReleaseChildren(const RunPtr& run, bool cancelled) {
  Calls calls;
  {
    MutexLock lock(mutex_);
    for (Child& child : run->children) {
      child.flight.reset();  // Unpinned; the record stays for Explain.
      if (child.run == nullptr) continue;
      const auto mine = child.run->interests.find(child.interest);
      if (mine == child.run->interests.end()) continue;
      if (!cancelled && mine->second.keeps && !child.run->has_ended()) {
        // A nested run with a sink goes on to its end without its reader.
        mine->second.hold = Hold::kClaim;
        mine->second.claim_until = Now();
      } else {
        EndInterestLocked(child.run, child.interest,
                          Fail(Kind::kCancelled, "the run that read this one ended"), &calls);
      }
    }
  }
  for (auto& call : calls) call();
}

}  // namespace sheaf::tasks
