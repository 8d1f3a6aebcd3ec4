// One run as it is remembered, and how it ended. Pure data.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "sheaf/host/tasks/watcher.h"

namespace sheaf::chronicle {

// A result that somebody wants kept, and the command that asks for it.
struct Keep {
  std::shared_ptr<const Command> command;  // Shared with the run: immutable.
  std::string principal;
};

struct Entry {
  int64_t number = 0;  // The job's id in history.
  TaskId task;
  std::shared_ptr<const Command> command;  // Null: it was read back and is not understood.
  std::string principal;
  int32_t priority = 5;
  WallTime submitted;
  std::optional<WallTime> started;
  std::map<Path, Keep> sinks;
  int32_t restarts = 0;  // How often a new process queued it again.
  tasks::RunBegan::Place place = tasks::RunBegan::Place::kOuter;
  tasks::RunBegan::Use use = tasks::RunBegan::Use::kAny;  // Single: its command is without content.
};

struct Ending {
  // kPremature: its process was gone, or is going, and it is not queued again.
  enum class Way : uint8_t { kDone, kFailed, kCancelled, kPremature } way = Way::kDone;
  std::optional<Error> error;
  WallTime at;
  int64_t rows = -1;
  int64_t bytes = -1;
  uint32_t partitions = 0;
};
Ending EndingOf(const tasks::RunEnding& run);
Ending Premature(WallTime at, std::string why);

// Where runs are executed.
struct Place {
  std::string node;
  int64_t pid = 0;
};

}  // namespace sheaf::chronicle
