#include "sheaf/host/chronicle/chronicle.h"

#include <algorithm>
#include <array>
#include <utility>

#include "sheaf/host/chronicle/resume.h"
#include "sheaf/host/chronicle/tables.h"

namespace sheaf::chronicle {
namespace {

using persistence::Epoch;
using std::chrono::milliseconds;

constexpr Duration kSampleEvery = std::chrono::seconds(1);
constexpr Duration kSettle = std::chrono::seconds(1);
constexpr Duration kAgainEvery = milliseconds(200);
constexpr Duration kRetryFirst = milliseconds(50);
constexpr Duration kRetryLongest = std::chrono::seconds(5);
constexpr int kDoublingsMax = 7;
constexpr int kEpochBits = 40;  // Of a generation: below them milliseconds and writings.

std::string SpoolIsFull(const persistence::Standing& standing) {
  return std::to_string(standing.records) + " writes (" +
         core::ToText({static_cast<int64_t>(standing.bytes)}) +
         ") wait for the database, which is away, and new work finds no room there: bring it "
         "back, or raise persistence.spool_bytes_max (now " +
         core::ToText({static_cast<int64_t>(standing.bytes_max)}) + ")";
}

}  // namespace

Result<std::unique_ptr<Chronicle>> Chronicle::Open(ChronicleOptions options, ChronicleParts parts) {
  const std::string scope = persistence::NodeScope(options.place.node);
  const std::string holder = options.place.node + ", process " + std::to_string(options.place.pid);
  SHEAF_ASSIGN(auto epoch, parts.memory.fencing->Acquire(scope, holder));
  SHEAF_ASSIGN(auto found, ReadBack(*parts.memory.history, epoch, options.start, options.place,
                                    parts.clock.Wall(), parts.log));
  return std::unique_ptr<Chronicle>(
      new Chronicle(std::move(options), std::move(parts), std::move(epoch), std::move(found)));
}

Chronicle::Chronicle(ChronicleOptions options, ChronicleParts parts, Epoch epoch, Found found)
    : options_(std::move(options)),
      parts_(std::move(parts)),
      probe_(parts_.metrics),
      book_(options_.place, found.last_number + 1),
      writer_(
          *parts_.memory.history, epoch, parts_.log, probe_,
          [this](const persistence::ChangeSet& change) { Changed(change); },
          [this](const std::string& task) { Left(task); }),
      registrar_(*parts_.memory.fencing, *parts_.memory.services, epoch.holder),
      again_(found.again.begin(), found.again.end()),
      live_(std::move(found.live)),
      // Grows even where epochs begin anew with each process.
      generation_((epoch.number << kEpochBits) +
                  static_cast<uint64_t>(parts_.clock.Wall().micros / 1000)) {
  const bool keeps = options_.keeps == ChronicleOptions::Keeps::kAll;
  SetState(keeps ? State::kOk : State::kDisabled, "");
  probe_.premature.Add(static_cast<double>(found.premature));
  to_resume_ = again_.size();
  if (found.premature + again_.size() > 0) {
    parts_.log.Info("runs of the last process",
                    {{"queue_again", again_.size()}, {"premature", found.premature}});
  }
  parts_.clock.Watch(this, [this] {
    MutexLock lock(mutex_);
    wake_.NotifyAll();
    settled_.NotifyAll();
  });
  SHEAF_CHECK(thread_.TryPost([this] { Run(); }));
}

Chronicle::~Chronicle() { Stop(); }

void Chronicle::Stop() {
  if (stopped_.exchange(true)) return;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    wake_.NotifyAll();
    settled_.NotifyAll();
  }
  thread_.Stop();
  parts_.clock.Unwatch(this);
}

// --- what the engine tells -----------------------------------------------------------------------

Status Chronicle::MayBegin() {
  MutexLock lock(mutex_);
  if (state_ == State::kLost) return Fail(Kind::kNotReady, error_);
  if (!spool_full_ && events_.size() + unwritten_ < options_.waiting_max) return Done();
  probe_.refused.Increment();
  if (spool_full_) return Fail(Kind::kBackpressure, full_, R"({"after_ms":1000})");
  return Fail(Kind::kBackpressure,
              "too many runs wait to be written down" +
                  (error_.empty() ? std::string() : " (" + error_ + ")") + "; try again",
              R"({"after_ms":1000})");
}

void Chronicle::Push(Event event) {
  MutexLock lock(mutex_);
  if (stopped_) return;
  events_.push_back(std::move(event));
  if (events_.size() == 1) wake_.NotifyAll();
}

void Chronicle::Began(const tasks::RunBegan& run) {
  if (run.command->service == kTablesService && !run.command->sink.has_value()) {
    MutexLock lock(mutex_);
    ignored_.insert(run.id);  // Who reads history does not make it.
    return;
  }
  Push([run, now = Now()](Book& book) { book.Began(run, now); });
}
void Chronicle::Wanted(const tasks::RunWanted& wanted) {
  {
    MutexLock lock(mutex_);
    if (ignored_.contains(wanted.id)) return;
    sinks_[wanted.id].push_back(wanted.command->sink->path);
  }
  Push([wanted](Book& book) { book.Wanted(wanted); });
}
void Chronicle::NoLongerWanted(const TaskId& id, const Path& sink) {
  Push([id, sink](Book& book) { book.NoLongerWanted(id, sink); });
}
void Chronicle::Executing(const TaskId& id, WallTime at) {
  Push([id, at](Book& book) { book.Executing(id, at); });
}
void Chronicle::Settle(const Path& sink) {
  const Instant end = Now() + kSettle;
  MutexLock lock(mutex_);
  while (unsettled_.contains(sink) && state_ == State::kOk && !stopping_ && Now() < end) {
    settled_.WaitFor(mutex_, parts_.clock.RealWait(end));
  }
}

void Chronicle::Ended(const tasks::RunEnding& run) {
  {
    MutexLock lock(mutex_);
    if (ignored_.erase(run.id) > 0) return;
    const auto sinks = sinks_.find(run.id);
    if (sinks != sinks_.end()) {
      for (const Path& path : sinks->second) ++unsettled_[path];
    }
  }
  Push([run, now = Now()](Book& book) { book.Ended(run, now); });
}

void Chronicle::Resume(tasks::Engine& engine) {
  MutexLock lock(mutex_);
  events_.push_back([this, &engine](Book&) { engine_ = &engine; });
  wake_.NotifyAll();
}

void Chronicle::Offer(std::vector<Offered> offered) {
  MutexLock lock(mutex_);
  if (offered == offered_) return;
  offered_ = std::move(offered);
  wake_.NotifyAll();
}

// --- its thread ----------------------------------------------------------------------------------

void Chronicle::Run() {
  Instant next = Now();
  bool last = false;
  while (!last) {
    std::deque<Event> events;
    {
      MutexLock lock(mutex_);
      while (!stopping_ && events_.empty() && next > Now()) {
        wake_.WaitFor(mutex_, parts_.clock.RealWait(next));
      }
      events.swap(events_);
      last = stopping_;
    }
    for (const Event& event : events) event(book_);
    next = Step(last);
  }
  if (failures_ == 0) {  // Else the database is away: whoever stops us waits for it no longer.
    Sample(Presence::kGone);
    registrar_.Release();
    if (!lost()) (void)parts_.memory.fencing->Release(writer_.epoch());
  }
  size_t unwritten = 0;
  {
    MutexLock lock(mutex_);
    unwritten = unwritten_;
  }
  if (unwritten > 0) parts_.log.Error("runs were not written to history", {{"runs", unwritten}});
}

// Does what is due; when to look again although nothing is told.
Instant Chronicle::Step(bool last) {
  if (lost()) again_.clear();  // They are the other server's now.
  if (!last) QueueAgain();
  Write(last);
  LookAtOutage();
  const Instant now = Now();
  const bool good = failures_ == 0 && !lost();
  if (good && !last && now >= sample_at_) {
    Sample(Presence::kOnline);
    sample_at_ = now + kSampleEvery;
  }
  if (good && !last && now >= register_at_) {
    Register();
    register_at_ = now + kSampleEvery;
  }
  Instant next = now + kSampleEvery;
  if (!again_.empty() && engine_ != nullptr) next = std::min(next, again_at_);
  if (!writing_.empty()) return std::min(next, write_at_);
  return std::min(next, book_.due().value_or(next));
}

void Chronicle::Write(bool last) {
  if (lost()) {
    writing_ = {};
    (void)book_.Take(Now(), Book::All::kYes);
    return;
  }
  if (last || write_at_ <= Now()) {
    // Once for what failed before; when stopping also for what came meanwhile.
    for (int round = 0; round < 2; ++round) {
      // What is to become live may be refused for long; ends do not wait for it.
      if (writing_.leaving.empty()) {
        Append(writing_, book_.Take(Now(), last ? Book::All::kYes : Book::All::kNo));
      }
      if (writing_.empty()) break;
      if (Status made = writer_.Make(writing_); !made.ok()) {
        Failed(made.error());
        break;
      }
      if (std::exchange(failures_, 0) > 0) SetState(State::kOk, "");
      generation_.fetch_add(1);
    }
  }
  const size_t unwritten = writing_.leaving.size() + book_.waiting();
  probe_.waiting.Set(static_cast<double>(unwritten));
  MutexLock lock(mutex_);
  unwritten_ = unwritten;
}

void Chronicle::Failed(const Error& error) {
  if (persistence::IsOwnershipLost(error)) {
    parts_.log.Error("another server has taken this one's place", {{"reason", error.message}});
    SetState(State::kLost, error.message);
    return;
  }
  probe_.failures.Increment();
  if (failures_++ == 0) {
    parts_.log.Error("history cannot be written; trying again", {{"reason", error.message}});
  }
  SetState(State::kDegraded, error.message);
  const Duration longest =
      std::min(kRetryFirst * (1 << std::min(failures_ - 1, kDoublingsMax)), kRetryLongest);
  const double part = 0.5 + 0.5 * parts_.chance();
  write_at_ = Now() + std::chrono::duration_cast<Duration>(longest * part);
}

void Chronicle::Sample(Presence presence) {
  if (parts_.memory.resources == nullptr || lost()) return;
  auto now = ResourcesOf(options_.facts, presence, book_, Now());
  if (sampled_ == now) return;
  auto begun = parts_.memory.resources->Begin(writer_.epoch(), now);
  if (begun.ok()) {
    sampled_ = std::move(now);
    generation_.fetch_add(1);
  } else if (persistence::IsOwnershipLost(begun.error())) {
    Failed(begun.error());
  }
  Warn("resources cannot be written", begun.ok() ? Done() : Status(begun.error()), told_of_sample_);
}

// Once, until it succeeds again.
void Chronicle::Warn(std::string_view what, const Status& done, bool& told) {
  if (!std::exchange(told, !done.ok()) && !done.ok()) {
    parts_.log.Warn(what, {{"reason", done.error().message}});
  }
}

// A write that waited may have been found stale; nobody else tells.
void Chronicle::LookAtOutage() {
  if (parts_.memory.outage == nullptr || lost()) return;
  const Status owns = parts_.memory.outage->StillOwns(writer_.epoch());
  if (!owns.ok()) return Failed(owns.error());
  const auto standing = parts_.memory.outage->Look();
  const bool waits = standing.state == persistence::Standing::State::kDegraded;
  MutexLock lock(mutex_);
  spool_full_ = standing.full;
  if (standing.full) full_ = SpoolIsFull(standing);
  if (waits || failures_ == 0) error_ = standing.error;
  probe_.state.Set(static_cast<double>(Shown(waits)));
}

void Chronicle::Register() {
  std::vector<Offered> offered;
  {
    MutexLock lock(mutex_);
    offered = offered_;
  }
  if (offered == registered_) return;
  const Status synced = registrar_.Sync(offered, parts_.clock.Wall());
  Warn("services cannot be registered", synced, told_of_register_);
  // Who lost it leaves it to another.
  if (!synced.ok() && !persistence::IsOwnershipLost(synced.error())) return;
  registered_ = std::move(offered);
  generation_.fetch_add(1);
}

void Chronicle::QueueAgain() {
  while (engine_ != nullptr && !again_.empty() && Now() >= again_at_) {
    const Entry& entry = again_.front();
    const Resumed resumed = chronicle::QueueAgain(*engine_, entry);
    switch (resumed.what) {
      case Resumed::What::kLater: again_at_ = Now() + kAgainEvery; return;
      case Resumed::What::kStopping: again_.clear(); break;
      case Resumed::What::kQueued: {
        const auto run = resumed.fresh ? Book::Run::kNew : Book::Run::kKnown;
        if (!book_.Adopt(resumed.task, run, entry)) {
          Ending ending = Premature(parts_.clock.Wall(), "task " + resumed.task.text + " did it");
          ending.way = Ending::Way::kDone;
          book_.Leave(entry, ending, entry.number, Now());
        }
        probe_.requeued.Increment();
        break;
      }
      case Resumed::What::kThere:
        book_.Leave(entry, {.at = parts_.clock.Wall()}, entry.number, Now());
        break;
      case Resumed::What::kNever:
        book_.Leave(entry, Premature(parts_.clock.Wall(), resumed.why), entry.number, Now());
        probe_.premature.Increment();
        break;
    }
    if (!again_.empty()) again_.pop_front();
    MutexLock lock(mutex_);
    to_resume_ = again_.size();
  }
}

// --- what it says --------------------------------------------------------------------------------

void Chronicle::Left(const std::string& task) {
  MutexLock lock(mutex_);
  const auto sinks = sinks_.extract(TaskId{task});
  if (sinks.empty()) return;
  for (const Path& path : sinks.mapped()) {
    const auto found = unsettled_.find(path);
    if (found != unsettled_.end() && --found->second == 0) unsettled_.erase(found);
  }
  settled_.NotifyAll();
}

void Chronicle::Changed(const persistence::ChangeSet& change) {
  MutexLock lock(mutex_);
  persistence::ApplyChange(change, live_);
  probe_.live.Set(static_cast<double>(live_.items.size()));
}

void Chronicle::SetState(State state, std::string error) {
  MutexLock lock(mutex_);
  const bool keeps = options_.keeps == ChronicleOptions::Keeps::kAll;
  state_ = state == State::kOk && !keeps ? State::kDisabled : state;
  settled_.NotifyAll();
  error_ = std::move(error);
  probe_.state.Set(static_cast<double>(state_));
}

Chronicle::State Chronicle::Shown(bool waits) const {
  return waits && state_ == State::kOk ? State::kDegraded : state_;
}

bool Chronicle::lost() const {
  MutexLock lock(mutex_);
  return state_ == State::kLost;
}

persistence::LiveWork Chronicle::live() const {
  MutexLock lock(mutex_);
  return live_;
}

uint64_t Chronicle::generation() const { return generation_.load(); }

Json Chronicle::StateJson() const {
  constexpr std::array<std::string_view, 4> kWords{"disabled", "ok", "degraded", "lost"};
  persistence::Standing standing;
  if (parts_.memory.outage != nullptr) standing = parts_.memory.outage->Look();
  const bool waits = standing.state == persistence::Standing::State::kDegraded;
  MutexLock lock(mutex_);
  Json json{{"backend", options_.backend},
            {"state", kWords[static_cast<size_t>(Shown(waits))]},
            {"waiting", unwritten_ + events_.size()},
            {"live", live_.items.size()},
            {"to_resume", to_resume_}};
  const std::string& error = state_ == State::kOk ? standing.error : error_;
  if (!error.empty()) json["error"] = error;
  if (parts_.memory.outage == nullptr) return json;
  Json& spool = json["spool"] = {{"records", standing.records},
                                 {"bytes", standing.bytes},
                                 {"bytes_max", standing.bytes_max},
                                 {"set_aside", standing.set_aside}};
  if (waits) {
    spool["since"] = time::ToText(standing.since);
    spool["away_s"] = std::chrono::duration_cast<std::chrono::seconds>(standing.away).count();
  }
  if (!standing.kept.empty()) spool["kept"] = standing.kept;
  return json;
}

}  // namespace sheaf::chronicle
