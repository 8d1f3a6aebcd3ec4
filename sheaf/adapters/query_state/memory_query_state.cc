#include "sheaf/adapters/query_state/memory_query_state.h"

#include <array>
#include <atomic>
#include <functional>
#include <unordered_map>
#include <utility>

#include "sheaf/base/async/mutex.h"
#include "sheaf/ports/query_state/step.h"

namespace sheaf::query_state {
namespace {

using Watcher = std::function<void(Record)>;

struct KeyHash {
  using is_transparent = void;
  size_t operator()(std::string_view key) const { return std::hash<std::string_view>()(key); }
};

constexpr Instant kNever = Instant::max();

struct Entry {
  Record record;
  Instant due = kNever;  // When Reap has something to do here.
  std::vector<Watcher> watchers;
};

// What is called once the lock is free.
struct Calls {
  Record record;
  std::vector<Watcher> watchers;
  void Run() {
    for (auto& watcher : watchers) watcher(record);
  }
};

class MemoryQueryState final : public QueryState {
 public:
  MemoryQueryState(Clock& clock, MemoryOptions options) : clock_(clock), options_(options) {}

  Result<Outcome> Apply(const Step& step) override {
    const WallTime wall = clock_.Wall();
    const Instant now = clock_.Now();
    Shard& shard = ShardOf(step.key);
    Calls calls;
    Outcome outcome;
    {
      MutexLock lock(shard.mutex);
      auto found = shard.entries.find(step.key);
      if (found == shard.entries.end()) {
        if (step.trigger != Trigger::kQueue) return outcome;
        SHEAF_TRY(CountRecord());
        found = shard.entries.try_emplace(step.key).first;
      } else if (step.trigger == Trigger::kQueue && found->second.record.epoch == 0) {
        SHEAF_TRY(CountRecord());  // Only watched until now.
      }
      Entry& entry = found->second;
      const uint64_t fresh = step.trigger == Trigger::kQueue && entry.record.state == State::kKnown
                                 ? epochs_.fetch_add(1, std::memory_order_relaxed) + 1
                                 : 0;
      outcome.changed = ApplyStep(entry.record, step, wall, fresh);
      outcome.record = entry.record;
      if (!outcome.changed) return outcome;
      entry.due = DueAfter(entry.record.state, now, step.lease);
      shard.next_due = std::min(shard.next_due, entry.due);
      Changed(shard, found, calls);
    }
    calls.Run();
    return outcome;
  }

  Result<Record> Get(std::string_view key) override {
    Shard& shard = ShardOf(key);
    MutexLock lock(shard.mutex);
    const auto found = shard.entries.find(key);
    return found == shard.entries.end() ? Record{} : found->second.record;
  }

  Result<bool> Renew(std::string_view key, std::string_view owner, uint64_t epoch,
                     Duration lease) override {
    Shard& shard = ShardOf(key);
    MutexLock lock(shard.mutex);
    const auto found = shard.entries.find(key);
    if (found == shard.entries.end()) return false;
    Entry& entry = found->second;
    if (!IsOwned(entry.record.state) || entry.record.epoch != epoch ||
        entry.record.owner != owner) {
      return false;
    }
    entry.record.lease_until = {clock_.Wall().micros + ToMicros(lease)};
    entry.due = DueAfter(entry.record.state, clock_.Now(), lease);
    shard.next_due = std::min(shard.next_due, entry.due);
    return true;
  }

  Status SetProgress(std::string_view key, uint64_t epoch, Progress progress) override {
    Shard& shard = ShardOf(key);
    MutexLock lock(shard.mutex);
    const auto found = shard.entries.find(key);
    if (found != shard.entries.end() && found->second.record.epoch == epoch &&
        IsOwned(found->second.record.state)) {
      found->second.record.progress = progress;
    }
    return Done();
  }

  Status Watch(std::string_view key, State seen, Watcher call) override {
    Shard& shard = ShardOf(key);
    Record now;
    {
      MutexLock lock(shard.mutex);
      auto found = shard.entries.find(key);
      if (found != shard.entries.end()) now = found->second.record;
      if (now.state == seen) {
        if (watchers_.fetch_add(1) >= options_.watchers_max) {
          watchers_.fetch_sub(1);
          return Fail(Kind::kExhausted, "too many watchers of query states (limit " +
                                            std::to_string(options_.watchers_max) + ")");
        }
        if (found == shard.entries.end()) {
          found = shard.entries.try_emplace(std::string(key)).first;
        }
        found->second.watchers.push_back(std::move(call));
        return Done();
      }
    }
    call(std::move(now));
    return Done();
  }

  Result<std::vector<std::string>> Reap() override {
    std::vector<std::string> moved;
    std::vector<Calls> calls;
    const Instant now = clock_.Now();
    for (Shard& shard : shards_) {
      MutexLock lock(shard.mutex);
      if (shard.next_due > now) continue;
      shard.next_due = kNever;
      for (auto at = shard.entries.begin(); at != shard.entries.end();) {
        const auto next = std::next(at);
        if (at->second.due <= now)
          ReapEntry(shard, at, now, moved, calls);
        else
          shard.next_due = std::min(shard.next_due, at->second.due);
        at = next;
      }
    }
    for (auto& call : calls) call.Run();
    return moved;
  }

 private:
  using Entries = std::unordered_map<std::string, Entry, KeyHash, std::equal_to<>>;
  struct alignas(64) Shard {
    Mutex mutex;
    Entries entries SHEAF_GUARDED_BY(mutex);
    Instant next_due SHEAF_GUARDED_BY(mutex) = kNever;  // No entry is due before.
  };
  static constexpr size_t kShards = 64;

  Shard& ShardOf(std::string_view key) {
    // The low bits choose the bucket inside the shard.
    return shards_[(KeyHash()(key) >> 40) % kShards];
  }

  Instant DueAfter(State state, Instant now, Duration lease) const {
    switch (state) {
      case State::kKnown: return kNever;
      case State::kQueued: return now + lease + options_.queued_grace;
      case State::kExecuting:
      case State::kResetting: return now + lease;
      case State::kCompleted: return now + options_.completed_for;
      case State::kErrored:
      case State::kCancelled:
      case State::kResetFailed: return now + options_.failed_for;
    }
    __builtin_unreachable();
  }

  Status CountRecord() {
    if (records_.fetch_add(1) < options_.records_max) return Done();
    records_.fetch_sub(1);
    return Fail(Kind::kExhausted,
                "too many query states (limit " + std::to_string(options_.records_max) + ")");
  }

  // Takes the watchers out, and the entry away when nothing is left to remember.
  void Changed(Shard& shard, Entries::iterator at, Calls& calls) SHEAF_REQUIRES(shard.mutex) {
    Entry& entry = at->second;
    calls.watchers.swap(entry.watchers);
    watchers_.fetch_sub(calls.watchers.size());
    if (!calls.watchers.empty()) calls.record = entry.record;
    if (entry.record.state == State::kKnown) {
      shard.entries.erase(at);
      records_.fetch_sub(1);
    }
  }

  void ReapEntry(Shard& shard, Entries::iterator at, Instant now, std::vector<std::string>& moved,
                 std::vector<Calls>& calls) SHEAF_REQUIRES(shard.mutex) {
    Entry& entry = at->second;
    const State from = entry.record.state;
    Step step{.key = at->first, .owner = entry.record.owner, .epoch = entry.record.epoch};
    if (from == State::kExecuting) step.trigger = Trigger::kError;
    if (from == State::kQueued) step.trigger = Trigger::kCancel;
    if (from == State::kResetting) step.trigger = Trigger::kResetFailed;
    if (IsOwned(from)) {
      step.error = "the lease of '" + step.owner + "' ended";
      SHEAF_CHECK(ApplyStep(entry.record, step, clock_.Wall(), 0));
      entry.due = DueAfter(entry.record.state, now, {});
      shard.next_due = std::min(shard.next_due, entry.due);
      moved.push_back(at->first);
    } else {
      entry.record = Record{};
    }
    Calls call;
    Changed(shard, at, call);
    if (!call.watchers.empty()) calls.push_back(std::move(call));
  }

  Clock& clock_;  // Borrowed from main; outlives this.
  const MemoryOptions options_;
  std::atomic<uint64_t> epochs_{0};
  std::atomic<size_t> records_{0};
  std::atomic<size_t> watchers_{0};
  std::array<Shard, kShards> shards_;
};

}  // namespace

std::unique_ptr<QueryState> MakeMemoryQueryState(Clock& clock, MemoryOptions options) {
  return std::make_unique<MemoryQueryState>(clock, options);
}

}  // namespace sheaf::query_state
