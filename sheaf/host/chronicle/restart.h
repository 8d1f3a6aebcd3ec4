// What a start finds of the process before it, and what it makes of that.
#pragma once

#include <cstdint>
#include <vector>

#include "sheaf/base/observe/log.h"
#include "sheaf/host/chronicle/entry.h"
#include "sheaf/ports/persistence/work_history.h"

namespace sheaf::chronicle {

enum class Start : uint8_t {
  kWarm,   // Queue again what can be; the rest is premature.
  kCold,   // All of it is premature, and a checkpoint that cannot be read is given up.
  kAside,  // Leave it for a later start: this process is only a visitor.
};

struct Found {
  std::vector<Entry> again;  // To be queued again, once: a second restart ends them.
  int64_t last_number = 0;
  persistence::LiveWork live;  // As the checkpoint has it now.
  size_t premature = 0;
};

// Restores, tells history of what is over, and begins a new generation of the checkpoint. Every
// item is accounted for once, whenever this is cut off and begun again.
// Errors: those of WorkHistory; a checkpoint that cannot be read says how to give it up.
Result<Found> ReadBack(persistence::WorkHistory& history, const persistence::Epoch& epoch,
                       Start start, const Place& place, WallTime now, Log& log);

}  // namespace sheaf::chronicle
