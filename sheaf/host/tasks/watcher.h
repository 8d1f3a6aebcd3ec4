// Who is told what becomes of runs, and may refuse new ones.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "sheaf/base/core/core.h"
#include "sheaf/base/time/time.h"
#include "sheaf/host/tasks/run.h"
#include "sheaf/wire/command/command.h"

namespace sheaf::tasks {

// A run that has just been queued. Everything in it is cheap to copy.
struct RunBegan {
  TaskId id;
  std::shared_ptr<const Command> command;  // Shared with the run's node: immutable.
  std::string principal;
  int32_t priority = 5;
  WallTime at;
  enum class Place : uint8_t { kOuter, kInner } place = Place::kOuter;  // Inner: another reads it.
  // Single: of a tree with retain_s 0. Nothing of what it asks, or says, may be written down.
  enum class Use : uint8_t { kAny, kSingle } use = Use::kAny;
};

// A caller who wants the result of a run to be kept: `command` names the sink.
struct RunWanted {
  TaskId id;
  std::shared_ptr<const Command> command;  // Shared with the caller's node.
  std::string principal;
};

struct RunEnding {
  TaskId id;
  RunState state = RunState::kCompleted;
  std::optional<Error> error;
  WallTime at;
  int64_t rows = -1;  // -1 = unknown.
  int64_t bytes = -1;
  uint32_t partitions = 0;  // 0: it never had a result.
};

// A Watcher hears of every run, in the order in which things happen to it: began, then wanted and
// executing, then ended. Hits are no runs.
//
// Owner: main; outlives the engine. Threads: any. Blocking: never, and no call of the engine: the
// engine holds its lock.
class Watcher {
 public:
  virtual ~Watcher() = default;
  // May another run begin? An error is what its caller gets.
  virtual Status MayBegin() = 0;
  virtual void Began(const RunBegan& run) = 0;
  virtual void Wanted(const RunWanted& wanted) = 0;
  virtual void NoLongerWanted(const TaskId& id, const Path& sink) = 0;
  // Before the path is written or dropped anew: returns when no run that ended with this sink could
  // still be taken for unfinished, or after a moment. This call alone may wait; the engine holds no
  // lock, and is not to be called.
  virtual void Settle(const Path& sink) = 0;
  virtual void Executing(const TaskId& id, WallTime at) = 0;
  virtual void Ended(const RunEnding& run) = 0;
};

// Of an engine that nobody watches.
class NoWatcher final : public Watcher {
 public:
  Status MayBegin() override { return Done(); }
  void Began(const RunBegan&) override {}
  void Wanted(const RunWanted&) override {}
  void NoLongerWanted(const TaskId&, const Path&) override {}
  void Settle(const Path&) override {}
  void Executing(const TaskId&, WallTime) override {}
  void Ended(const RunEnding&) override {}
};

}  // namespace sheaf::tasks
