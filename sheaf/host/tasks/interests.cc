// Interests: waiting, answering, opening, renewing, ending; and the engine's clockwork.
#include <algorithm>
#include <utility>

#include "sheaf/host/tasks/engine.h"
#include "sheaf/host/tasks/readers.h"

namespace sheaf::tasks {
namespace {

constexpr Duration kTick = std::chrono::milliseconds(250);
constexpr Duration kLease = std::chrono::seconds(15);

Error NoSuchTask(const TaskId& id) {
  return Fail(Kind::kNotFound,
              "no task '" + id.text.substr(0, 64) +
                  "' of yours on this node; `sheaf tasks --all` or ListTasks shows them");
}

Error Gone() {
  return Fail(Kind::kResultGone, "the result is no longer kept; run the command again");
}

}  // namespace

Engine::Engine(EngineOptions options, EngineParts parts)
    : options_(std::move(options)),
      parts_(std::move(parts)),
      probe_(parts_.metrics),
      executor_({.name = "task", .threads_max = options_.threads_max, .queue_max = 100'000}) {
  if (parts_.watcher == nullptr) parts_.watcher = &no_watcher_;
  if (parts_.own == nullptr) parts_.own = &no_own_;
  ArmTimer();
}

Engine::~Engine() {
  Timers::Handle timer;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    timer = timer_;
  }
  parts_.timers.Cancel(timer);
  CancelAll();
  executor_.Stop();
}

void Engine::ArmTimer() {
  MutexLock lock(mutex_);
  if (stopping_) return;
  timer_ = parts_.timers.After(kTick, [this] {
    Tick();
    ArmTimer();
  });
}

void Engine::Wait(const Submission& submission, std::function<void(Status)> ready) {
  if (submission.run == nullptr) return ready(Done());
  const RunPtr& run = submission.run;
  store::FlightPtr flight;
  Status outcome;
  {
    MutexLock lock(mutex_);
    const auto mine = run->interests.find(submission.interest);
    if (mine == run->interests.end()) {
      outcome = run->error.has_value() ? Status(*run->error) : Status(Gone());
    } else if (run->has_ended()) {
      if (run->error.has_value()) outcome = *run->error;
    } else {
      mine->second.waits = true;
      run->waiters[submission.interest] = std::move(ready);
      flight = run->flight;
    }
  }
  if (ready) return ready(std::move(outcome));
  if (flight == nullptr) return;
  flight->WhenReadable([this, run, id = submission.interest] {
    std::function<void(Status)> call;
    Status now;
    {
      MutexLock lock(mutex_);
      auto waiter = run->waiters.extract(id);
      if (waiter.empty()) return;
      call = std::move(waiter.mapped());
      if (run->flight != nullptr) now = run->flight->outcome();
    }
    call(std::move(now));
  });
}

void Engine::Answer(const Submission& submission) {
  if (submission.run == nullptr) return;
  std::function<void(Status)> dropped;
  MutexLock lock(mutex_);
  const auto mine = submission.run->interests.find(submission.interest);
  if (mine == submission.run->interests.end()) return;
  Answered(mine->second, Now());
  auto waiter = submission.run->waiters.extract(submission.interest);
  if (!waiter.empty()) dropped = std::move(waiter.mapped());
}

void Engine::EndInterest(const Submission& submission, Error reason) {
  if (submission.run == nullptr) return;
  Calls calls;
  {
    MutexLock lock(mutex_);
    EndInterestLocked(submission.run, submission.interest, reason, &calls);
  }
  for (auto& call : calls) call();
}

void Engine::EndInterestLocked(const RunPtr& run, const InterestId& id, const Error& reason,
                               Calls* calls) {
  const auto mine = run->interests.find(id);
  if (mine == run->interests.end()) return;
  const bool had_sink = mine->second.target.has_value();
  const Path path = had_sink ? mine->second.target->sink.path : Path();
  run->interests.erase(mine);
  auto waiter = run->waiters.extract(id);
  if (!waiter.empty()) {
    calls->push_back([call = std::move(waiter.mapped()), reason] { call(reason); });
  }
  if (had_sink && !run->has_ended()) {
    // The path is free again unless another caller of this run keeps the result there too.
    const bool kept = std::any_of(run->interests.begin(), run->interests.end(), [&](auto& entry) {
      return entry.second.target.has_value() && entry.second.target->sink.path == path;
    });
    const auto writer = writers_.find(path);
    if (!kept && writer != writers_.end() && writer->second.run == run) writers_.erase(writer);
    if (!kept) parts_.watcher->NoLongerWanted(run->id, path);
  }
  if (!run->interests.empty()) return;
  if (run->has_ended()) {
    // The flight's death may remove a file: outside the lock.
    calls->push_back([flight = std::exchange(run->flight, nullptr)] {});
  } else {
    CancelLocked(run, reason, calls);
  }
}

void Engine::CancelLocked(const RunPtr& run, const Error& reason, Calls* calls) {
  calls->push_back([this, run, reason] {
    run->cancel.Cancel(reason);
    bool never_started = false;
    {
      MutexLock lock(mutex_);
      never_started = run->state == RunState::kQueued;
    }
    if (never_started) Finish(run, reason);
  });
}

Result<Submission> Engine::Join(const TaskId& id, const flights::Context& context, Hold hold) {
  MutexLock lock(mutex_);
  const auto found = runs_.find(id);
  if (found == runs_.end()) {
    if (std::find(forgotten_.begin(), forgotten_.end(), id) != forgotten_.end()) return Gone();
    return NoSuchTask(id);
  }
  const RunPtr& run = found->second;
  if (!run->principals.contains(context.principal)) return NoSuchTask(id);
  if (run->error.has_value()) return *run->error;
  Submission submission{Outcome::kAttached, run->node->identity, std::nullopt, run, {}};
  // A claim of this principal that nobody is waiting on is this caller's own, from its last POLL.
  for (auto& [interest_id, interest] : run->interests) {
    if (interest.principal != context.principal || interest.hold != Hold::kClaim) continue;
    if (interest.waits || interest.readers > 0 || interest.opened) continue;
    submission.interest = interest_id;
    Renewed(interest, run->has_ended(), Now());
    if (hold == Hold::kCall && !interest.keeps) interest.hold = Hold::kCall;
    return submission;
  }
  if (run->has_ended() && HeldFlight(*run) == nullptr) return Gone();
  if (run->cancel.cancelled()) return Fail(Kind::kCancelled, "the task was cancelled");
  Interest interest;
  interest.id = core::NewId<core::InterestTag>();
  interest.principal = context.principal;
  interest.hold = hold;
  interest.claim_window = options_.claim_window;
  interest.retain = run->retain;
  interest.claim_until = Now() + interest.claim_window;
  submission.interest = interest.id;
  run->interests.emplace(interest.id, std::move(interest));
  return submission;
}

Result<Submission> Engine::Find(const TaskId& id, const InterestId& interest, uint64_t generation) {
  MutexLock lock(mutex_);
  const auto found = runs_.find(id);
  if (found == runs_.end()) return Gone();
  const RunPtr& run = found->second;
  if (!run->interests.contains(interest)) {
    if (run->error.has_value()) return *run->error;
    return Gone();
  }
  const auto flight = HeldFlight(*run);
  // What a run wrote that has failed is gone at once; its error is told to who opens it.
  const bool failed = flight == nullptr && run->error.has_value();
  if (!failed && (flight == nullptr || flight->generation() != generation)) return Gone();
  return Submission{Outcome::kAttached, run->node->identity, std::nullopt, run, interest};
}

Result<OpenedStream> Engine::Open(const Submission& submission, std::optional<uint32_t> partition) {
  OpenedStream stream;
  stream.metadata = Metadata(submission);
  store::FlightPtr flight;
  if (submission.hit.has_value()) {
    flight = submission.hit->flight;
  } else {
    MutexLock lock(mutex_);
    const auto mine = submission.run->interests.find(submission.interest);
    flight = HeldFlight(*submission.run);
    if (mine == submission.run->interests.end() || flight == nullptr) {
      return submission.run->error.has_value() ? *submission.run->error : Gone();
    }
    Opened(mine->second);
    submission.run->waiters.erase(submission.interest);
    mine->second.waits = false;
  }
  stream.schema = flight->schema();
  std::unique_ptr<store::FlightReader> reader;
  Status opened;
  if (partition.has_value()) {
    auto result = flight->OpenReader(*partition);
    if (result.ok()) {
      reader = std::move(result).value();
    } else {
      opened = std::move(result).error();
    }
  } else {
    reader = std::make_unique<ChainReader>(flight);
  }
  if (submission.run == nullptr) {
    SHEAF_TRY(std::move(opened));
    stream.reader = std::move(reader);
    return stream;
  }
  auto run = submission.run;
  const InterestId id = submission.interest;
  if (!opened.ok()) {
    CloseStream(run, id, false);
    return std::move(opened).error();
  }
  stream.reader = std::make_unique<WatchedReader>(
      std::move(reader),
      [this, run, id]() -> Status {
        if (auto error = SinkError(run, id)) return *error;
        return Done();
      },
      [this, run, id](bool read_to_end) { CloseStream(run, id, read_to_end); });
  return stream;
}

store::FlightPtr Engine::HeldFlight(const Run& run) const {
  if (run.flight != nullptr || run.record == nullptr) return run.flight;
  auto found = parts_.store.LookupGeneration(run.record->path, run.record->generation);
  return found.ok() ? std::move(found).value() : nullptr;
}

Result<store::FlightPtr> Engine::FlightOf(const Submission& submission) const {
  if (submission.hit.has_value()) return submission.hit->flight;
  MutexLock lock(mutex_);
  if (auto flight = HeldFlight(*submission.run)) return flight;
  return submission.run->error.has_value() ? *submission.run->error : Gone();
}

std::optional<Error> Engine::SinkError(const RunPtr& run, const InterestId& id) const {
  MutexLock lock(mutex_);
  const auto mine = run->interests.find(id);
  if (mine == run->interests.end()) {
    return Fail(Kind::kCancelled, "the interest in this result ended before its end was read");
  }
  return mine->second.sink_error;
}

void Engine::CloseStream(const RunPtr& run, const InterestId& id, bool read_to_end) {
  Calls calls;
  {
    MutexLock lock(mutex_);
    run->stream_until = Now();
    const auto mine = run->interests.find(id);
    if (mine == run->interests.end()) return;
    Interest& interest = mine->second;
    Closed(interest, run->has_ended(), Now());
    if (interest.hold == Hold::kCall && interest.readers == 0) {
      if (interest.keeps && !run->has_ended()) {
        Answered(interest, Now());  // The sink is wanted though the stream is gone.
      } else {
        EndInterestLocked(run, id, Fail(Kind::kCancelled, "the call that wanted it ended"), &calls);
      }
    }
    const bool unnamed = run->flight != nullptr && run->record == nullptr;
    if (read_to_end && unnamed && run->flight->generation() != 0) {
      calls.push_back(
          [this, generation = run->flight->generation()] { parts_.store.MarkRead(generation); });
    }
  }
  for (auto& call : calls) call();
}

Status Engine::Renew(const Submission& submission) {
  MutexLock lock(mutex_);
  const auto mine = submission.run->interests.find(submission.interest);
  if (mine == submission.run->interests.end()) return Gone();
  Renewed(mine->second, submission.run->has_ended(), Now());
  return Done();
}

Status Engine::Cancel(const TaskId& id, const flights::Context& context, Force force) {
  Calls calls;
  {
    MutexLock lock(mutex_);
    const auto found = runs_.find(id);
    if (found == runs_.end()) return NoSuchTask(id);
    const RunPtr run = found->second;
    const Error reason = Fail(Kind::kCancelled, "cancelled by its caller");
    if (force == Force::kYes) {
      const auto all = run->interests;
      for (const auto& [interest, unused] : all) {
        EndInterestLocked(run, interest, Fail(Kind::kCancelled, "cancelled by an administrator"),
                          &calls);
      }
    } else {
      if (!run->principals.contains(context.principal)) return NoSuchTask(id);
      // Interests of one principal are alike: the one that least is happening on goes first.
      const Interest* least = nullptr;
      const auto busy = [](const Interest& i) {
        return (i.readers > 0 ? 2 : 0) + (i.waits ? 1 : 0);
      };
      for (const auto& [interest_id, interest] : run->interests) {
        if (interest.principal != context.principal || interest.hold == Hold::kParent) continue;
        if (least == nullptr || busy(interest) < busy(*least)) least = &interest;
      }
      if (least != nullptr) EndInterestLocked(run, InterestId(least->id), reason, &calls);
    }
  }
  for (auto& call : calls) call();
  return Done();
}

void Engine::Tick() {
  Calls calls;
  std::vector<std::pair<std::string, uint64_t>> leases;
  {
    MutexLock lock(mutex_);
    const Instant now = Now();
    for (auto& [id, run] : runs_) {
      std::vector<std::pair<InterestId, Verdict>> over;
      for (auto& [interest_id, interest] : run->interests) {
        const Verdict verdict = Judge(interest, run->has_ended(), now);
        if (verdict != Verdict::kLives) over.emplace_back(interest_id, verdict);
      }
      for (auto& [interest_id, verdict] : over) {
        EndInterestLocked(run, interest_id,
                          verdict == Verdict::kDeadline
                              ? Fail(Kind::kDeadline, "options.deadline_ms has passed")
                              : Fail(Kind::kCancelled, "nobody claimed the result in time"),
                          &calls);
      }
      if (run->state == RunState::kExecuting && run->epoch != 0) {
        leases.emplace_back(run->key, run->epoch);
      }
    }
    ForgetEnded(&calls);
  }
  for (auto& call : calls) call();
  for (auto& [key, epoch] : leases) {
    auto renewed = parts_.states.Renew(key, options_.owner, epoch, kLease);
    if (!renewed.ok()) parts_.log.Warn("lease not renewed", {{"error", renewed.error().message}});
  }
  (void)parts_.states.Reap();
}

// Ended runs stay for {"task"}: until nobody holds them and retain has passed, or too many are.
void Engine::ForgetEnded(Calls* calls) {
  const Instant now = Now();
  const size_t keep_max = options_.ended_max;
  std::deque<TaskId> kept;
  size_t surplus = ended_.size() > keep_max ? ended_.size() - keep_max : 0;
  for (const TaskId& id : ended_) {
    const auto found = runs_.find(id);
    if (found == runs_.end()) continue;
    const RunPtr& run = found->second;
    const bool over = run->interests.empty() && now >= run->finished + run->retain;
    if (!over && surplus == 0) {
      kept.push_back(id);
      continue;
    }
    if (surplus > 0) --surplus;
    forgotten_.push_back(id);
    calls->push_back([run = run] {});  // Its death may free a flight: outside the lock.
    runs_.erase(found);
  }
  ended_.swap(kept);
  while (forgotten_.size() > keep_max) forgotten_.pop_front();
}

void Engine::Drain(std::function<void()> drained) {
  {
    MutexLock lock(mutex_);
    draining_ = true;
    if (active_ > 0) {
      drained_ = std::move(drained);
      return;
    }
  }
  drained();
}

void Engine::CancelAll() {
  Calls calls;
  {
    MutexLock lock(mutex_);
    draining_ = true;
    for (auto& [id, run] : runs_) {
      if (run->has_ended()) continue;
      CancelLocked(run, Fail(Kind::kShuttingDown, "the server is stopping"), &calls);
    }
  }
  for (auto& call : calls) call();
}

size_t Engine::active() const {
  MutexLock lock(mutex_);
  return active_;
}

}  // namespace sheaf::tasks
