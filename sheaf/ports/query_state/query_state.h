// Who is computing what now: one state machine per query, changed by one atomic step at a time.
//
// Source of the machine: the query-state contract, section 1. Stores: memory now; SQLite and
// Redis have the same interface and the same suite.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sheaf/base/core/core.h"
#include "sheaf/base/time/time.h"

namespace sheaf::query_state {

enum class State : uint8_t {
  kKnown,
  kQueued,
  kExecuting,
  kCompleted,
  kErrored,
  kCancelled,
  kResetting,
  kResetFailed,
};
enum class Trigger : uint8_t {
  kQueue,
  kExecute,
  kFinish,
  kError,
  kCancel,
  kReset,
  kFinishResetting,
  kResetFailed,
};
std::string_view StateName(State state);  // "executing"
std::string_view TriggerName(Trigger trigger);

// Where a trigger leads from a state; none when it changes nothing there. Pure.
std::optional<State> Next(State from, Trigger trigger);

struct Progress {
  int32_t eligible = 0;
  int32_t queued = 0;
  int32_t running = 0;
  bool operator==(const Progress&) const = default;
};

// What is remembered of a query. `epoch` grows with every new owner; a step with an older one
// changes nothing.
struct Record {
  State state = State::kKnown;
  std::string owner;
  uint64_t epoch = 0;
  WallTime lease_until;
  WallTime started;
  Progress progress;
  std::string error;
  bool operator==(const Record&) const = default;
};

struct Step {
  std::string key;  // Identity in hexadecimal, or a task id.
  Trigger trigger = Trigger::kQueue;
  std::string owner;
  // Of the present owner; not looked at in kQueue (which draws a new one) and kReset (which keeps
  // it and makes `owner` the present one). All others change nothing unless epoch and, except for
  // kCancel, owner are the present ones.
  uint64_t epoch = 0;
  std::string error;  // Only with kError.
  Duration lease = std::chrono::seconds(15);
};
struct Outcome {
  Record record;         // After the step.
  bool changed = false;  // True: this caller made the change and owns what follows.
};

// Owner: main. Threads: any. Blocking: may wait for a network; never call under a lock.
// Errors: kDependency (the store is away), kExhausted (too many records).
class QueryState {
 public:
  virtual ~QueryState() = default;
  virtual Result<Outcome> Apply(const Step& step) = 0;
  // kKnown with epoch 0 for a key never seen or expired.
  virtual Result<Record> Get(std::string_view key) = 0;
  // True when `owner` at `epoch` still owns the key: its lease was extended.
  virtual Result<bool> Renew(std::string_view key, std::string_view owner, uint64_t epoch,
                             Duration lease) = 0;
  virtual Status SetProgress(std::string_view key, uint64_t epoch, Progress progress) = 0;
  // Calls once at the next change of the key's state after `seen`, or at once when it differs.
  virtual Status Watch(std::string_view key, State seen, std::function<void(Record)> call) = 0;
  // Moves executing records whose lease ended to errored (resetting ones to reset_failed, queued
  // ones to cancelled after a long grace), forgets finished ones after their time. Returns the
  // keys that were moved.
  virtual Result<std::vector<std::string>> Reap() = 0;
};

}  // namespace sheaf::query_state
