#include "sheaf/adapters/persistence/replayer.h"

#include <algorithm>
#include <vector>

#include "sheaf/adapters/persistence/record.h"
#include "sheaf/ports/persistence/retried_persistence.h"

namespace sheaf::persistence {
namespace {

constexpr int kDoublingsMax = 20;
constexpr size_t kTogether = 64;  // Records, of which each may be of many works.

// What no later attempt will change.
bool IsFinal(Kind kind) {
  switch (kind) {
    case Kind::kInvalid:
    case Kind::kNotFound:
    case Kind::kConflict:
    case Kind::kUnsupported:
    case Kind::kNotReady:
    case Kind::kCorrupt: return true;
    default: return false;
  }
}

std::string Text(const Json& record, const char* key) {
  const auto found = record.find(key);
  return found != record.end() && found->is_string() ? found->get<std::string>() : std::string();
}

size_t Works(const Json& record) {
  const auto found = record.find("works");
  return found == record.end() ? 0 : found->size();
}

}  // namespace

bool IsAway(const Error& error) {
  return MayPass(error.kind) || error.kind == Kind::kShuttingDown;
}

Replayer::Replayer(Persistence inner, std::unique_ptr<Spool> spool, const SpooledOptions& options,
                   SpooledSurroundings surroundings)
    : inner_(std::move(inner)),
      spool_(std::move(spool)),
      options_(options),
      surroundings_(std::move(surroundings)),
      probe_(surroundings_.metrics) {
  for (const std::string& each : spool_->damaged()) {
    surroundings_.log.Error("a part of the spool cannot be read", {{"part", each}});
  }
  const auto usage = spool_->usage();
  if (usage.set_aside > 0) {
    surroundings_.log.Warn("writes of the spool are set aside",
                           {{"records", usage.set_aside}, {"in", spool_->options().directory}});
  }
  Show();
}

Replayer::~Replayer() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    wake_.NotifyAll();
  }
  thread_.Stop();
  surroundings_.clock.Unwatch(this);
  if (const auto left = spool_->usage(); left.records > 0) {
    surroundings_.log.Warn("writes wait in the spool for the next start",
                           {{"records", left.records}, {"bytes", left.bytes}});
  }
}

// --- what callers see ----------------------------------------------------------------------------

Error Replayer::Away() const {
  const Standing standing = Look();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(standing.away).count();
  return Fail(Kind::kDependency,
              spool_->options().where + " has been away for " + std::to_string(seconds) + " s, " +
                  std::to_string(standing.records) + " writes wait for it; nothing can be read " +
                  "until they are made" +
                  (standing.error.empty() ? std::string() : " (" + standing.error + ")"),
              R"({"after_ms":1000})");
}

Status Replayer::StillOwns(const Epoch& epoch) const {
  MutexLock lock(mutex_);
  const auto found = stale_.find({epoch.scope, epoch.number});
  return found == stale_.end() ? Done() : Status(found->second);
}

Status Replayer::Keep(const Json& record, Spool::Weight weight, const std::optional<Error>& why) {
  Status put = spool_->Put(record, weight);
  Show();
  // Also what is not safe in the spool may be in it: it is made, or the disk is mended.
  if (!spool_->empty()) Waits(why);
  if (put.ok()) {
    probe_.spooled.Increment();
    return put;
  }
  Error error = std::move(put).error();
  if (error.kind == Kind::kBackpressure) probe_.refused.Increment();
  if (!why.has_value()) return error;
  error.message = why->message + "; and " + error.message;
  if (why->effect == Effect::kUnknown) error.effect = Effect::kUnknown;
  return error;
}

// Something waits: told once, until all of it is made.
void Replayer::Waits(const std::optional<Error>& why) {
  MutexLock lock(mutex_);
  wake_.NotifyAll();
  if (std::exchange(told_, true)) return;
  away_at_ = surroundings_.clock.Now();
  since_ = surroundings_.clock.Wall();
  error_ = why.has_value() ? why->message : std::string();
  surroundings_.log.Error("the database is away: what is written waits in the spool",
                          {{"reason", error_}, {"in", spool_->options().directory}});
}

Standing Replayer::Look() const {
  const auto usage = spool_->usage();
  Standing standing{.records = usage.records,
                    .bytes = usage.bytes,
                    .bytes_max = spool_->options().bytes_max,
                    .full = usage.full && usage.records > 0,
                    .set_aside = usage.set_aside,
                    .kept = spool_->kept_files()};
  MutexLock lock(mutex_);
  if (!told_ && usage.records == 0) return standing;
  standing.state = Standing::State::kDegraded;
  standing.error = error_;
  if (!told_) return standing;
  standing.since = since_;
  standing.away = surroundings_.clock.Now() - away_at_;
  return standing;
}

void Replayer::Show() {
  const auto usage = spool_->usage();
  probe_.records.Set(static_cast<double>(usage.records));
  probe_.bytes.Set(static_cast<double>(usage.bytes));
}

// --- some records --------------------------------------------------------------------------------

Status Replayer::ReplaySome() {
  if (spool_->usage().broken) SHEAF_TRY(spool_->Mend());
  SHEAF_ASSIGN(const auto fronts, spool_->front(kTogether));
  if (fronts.empty()) return Done();
  if (singly_ == 0) {
    SHEAF_ASSIGN(const size_t together, ReplayTogether(fronts));
    if (together > 0) return Done();
  }
  const Spool::Front& front = fronts.front();
  SHEAF_ASSIGN(const Epoch epoch, EpochOf(front.record));
  Status made = Replay(front.record, inner_);
  SHEAF_TRY(made.ok() ? Made({front.number}) : Refused(front, epoch, made.error()));
  if (singly_ > 0) --singly_;
  return Done();
}

Status Replayer::Made(const std::set<uint64_t>& numbers) {
  SHEAF_TRY(spool_->Made(numbers));
  replayed_ += numbers.size();
  probe_.replayed.Add(static_cast<double>(numbers.size()));
  return Done();
}

// Neighbours under one epoch that add to history and change the checkpoint, in two transactions, so
// that a database which is back is not behind for ever. 0: there are none, or one of them is
// refused and it is to be seen which.
Result<size_t> Replayer::ReplayTogether(const std::vector<Spool::Front>& fronts) {
  HistoryPart all;
  std::set<uint64_t> numbers;
  SHEAF_ASSIGN(const Epoch epoch, EpochOf(fronts.front().record));
  for (const Spool::Front& front : fronts) {
    const auto of = EpochOf(front.record);
    auto part = HistoryPartOf(front.record);
    if (!of.ok() || !(*of == epoch) || !part.ok() || !part->has_value()) break;
    auto& works = (*part)->works;
    all.works.insert(all.works.end(), works.begin(), works.end());
    Join(all.change, std::move((*part)->change));
    numbers.insert(front.number);
  }
  if (numbers.size() < 2) return size_t{0};
  Status made;
  if (!all.works.empty()) {
    if (auto saved = inner_.history->Save(epoch, all.works); !saved.ok()) made = saved.error();
  }
  if (made.ok() && !all.change.empty()) made = inner_.history->Change(epoch, all.change);
  if (!made.ok()) {
    if (IsFinal(made.error().kind)) {
      singly_ = numbers.size();
      return size_t{0};
    }
    return std::move(made).error();
  }
  SHEAF_TRY(Made(numbers));
  return numbers.size();
}

Status Replayer::Refused(const Spool::Front& front, const Epoch& epoch, const Error& error) {
  if (IsOwnershipLost(error)) {
    {
      MutexLock lock(mutex_);
      stale_.insert_or_assign({epoch.scope, epoch.number}, error);
    }
    return SetAside([&](uint64_t, const Epoch& of) { return of == epoch; }, error);
  }
  if (!IsFinal(error.kind)) return error;
  const std::string verb = Text(front.record, "verb");
  if (verb == "save" && Works(front.record) > 1) {
    // To see which of them it is.
    std::vector<Json> each(Works(front.record), front.record);
    for (size_t i = 0; i < each.size(); ++i) {
      each[i]["works"] = Json::array({front.record["works"][i]});
    }
    SHEAF_TRY(spool_->Replace(front.number, each));
    singly_ += each.size();
    return Done();
  }
  if (error.kind == Kind::kConflict && Works(front.record) == 1) {
    return Renumber(front, front.record);
  }
  return SetAside([&](uint64_t number, const Epoch&) { return number == front.number; }, error);
}

// Another server of the same database has used the number meanwhile. The record is changed before
// it is made, so that who replays it again does not number it again.
Status Replayer::Renumber(const Spool::Front& front, Json record) {
  SHEAF_ASSIGN(Work work, DecodeWork(record["works"][0].get<std::string>()));
  SHEAF_ASSIGN(const auto newest, inner_.history->Newest(work.type, 1));
  SetNumber(work, std::max(newest.empty() ? 0 : newest.front().id, work.id) + 1);
  record["works"][0] = EncodeWork(work);
  SHEAF_TRY(spool_->Replace(front.number, {&record, 1}));
  ++singly_;
  return Done();
}

Status Replayer::SetAside(const Spool::Which& which, const Error& why) {
  SHEAF_ASSIGN(const uint64_t count,
               spool_->SetAside(which, why.message, time::ToText(surroundings_.clock.Wall())));
  if (count == 0) return Done();  // A newer one took its place.
  probe_.set_aside.Add(static_cast<double>(count));
  surroundings_.log.Error(
      "writes that waited were set aside",
      {{"records", count}, {"reason", why.message}, {"in", spool_->options().directory}});
  return Done();
}

// --- its thread ----------------------------------------------------------------------------------

Status Replayer::ReplayAll() {
  const auto usage = spool_->usage();
  if (usage.records == 0) return Done();
  surroundings_.log.Info("making what the last process left in the spool",
                         {{"records", usage.records}, {"bytes", usage.bytes}});
  while (!clear()) {
    if (Status one = ReplaySome(); !one.ok()) {
      return std::move(one).error().In(spool_->options().directory + ", where " +
                                       std::to_string(spool_->usage().records) +
                                       " writes of the last process wait");
    }
  }
  Show();
  surroundings_.log.Info("the spool is empty", {{"replayed", std::exchange(replayed_, 0)}});
  return Done();
}

void Replayer::Start() {
  surroundings_.clock.Watch(this, [this] {
    MutexLock lock(mutex_);
    wake_.NotifyAll();
  });
  SHEAF_CHECK(thread_.TryPost([this] { Run(); }));
}

void Replayer::Run() {
  Instant next = surroundings_.clock.Now();
  while (true) {
    {
      MutexLock lock(mutex_);
      while (!stopping_ && (!told_ || surroundings_.clock.Now() < next)) {
        if (told_) {
          wake_.WaitFor(mutex_, surroundings_.clock.RealWait(next));
        } else {
          wake_.Wait(mutex_);
        }
      }
      if (stopping_) return;
    }
    Status one = ReplaySome();
    Show();
    if (!one.ok()) {
      Failed(one.error());
      next = surroundings_.clock.Now() + Pause();
    } else {
      failures_ = 0;
      if (clear()) Cleared();
    }
  }
}

// Half of a growing span and a random part of the other half.
Duration Replayer::Pause() {
  const int doublings = std::min(failures_++, kDoublingsMax);
  const Duration span = std::min(options_.retry_first * (int64_t{1} << doublings),
                                 options_.retry_longest);
  return std::chrono::duration_cast<Duration>(span * (0.5 + 0.5 * surroundings_.chance()));
}

void Replayer::Failed(const Error& error) {
  probe_.attempts.Increment();
  MutexLock lock(mutex_);
  // Who stops gives up at once: that says nothing of the database.
  if (!stopping_) error_ = error.message;
}

void Replayer::Cleared() {
  Instant since{};
  {
    MutexLock lock(mutex_);
    if (!spool_->empty()) return;  // Something came meanwhile.
    told_ = false;
    error_.clear();
    since = away_at_;
  }
  const auto away = std::chrono::duration<double>(surroundings_.clock.Now() - since).count();
  surroundings_.log.Info("the database is back, and all that waited is made",
                         {{"replayed", std::exchange(replayed_, 0)}, {"away_s", away}});
}

}  // namespace sheaf::persistence
