// One run of the last process, queued again.
#pragma once

#include <string>

#include "sheaf/host/chronicle/entry.h"
#include "sheaf/host/tasks/engine.h"

namespace sheaf::chronicle {

struct Resumed {
  enum class What : uint8_t {
    kQueued,    // `task` goes on with it.
    kThere,     // Its results had been committed before its process ended.
    kLater,     // Not now: the server is busy, or a service is not ready.
    kNever,     // `why`
    kStopping,  // The server stops; the next start sees to it.
  } what = What::kNever;
  TaskId task;
  bool fresh = false;  // The task began with this.
  std::string why;
};

// Blocking: as Engine::Submit.
Resumed QueueAgain(tasks::Engine& engine, const Entry& entry);

}  // namespace sheaf::chronicle
