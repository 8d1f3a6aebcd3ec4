#include "sheaf/host/chronicle/resume.h"

#include "sheaf/wire/command/json.h"

namespace sheaf::chronicle {
namespace {

enum class Kept : uint8_t { kOpen, kCommitted, kReplaced };

// A path has one writer at a time: what was committed there since the run began is the run's own
// work, whose end was not written down any more, or came after it. To run it again would put an
// older result over a newer one.
Kept StateOf(tasks::Engine& engine, const Entry& entry, const Path& path, const Keep& keep) {
  const auto found = engine.store().Lookup(path);
  if (!found.has_value() || found->record->created < entry.submitted) return Kept::kOpen;
  const bool own = found->record->from.command == command::Canonical(keep.command->ToJson());
  return own ? Kept::kCommitted : Kept::kReplaced;
}

Resumed Refused(const Error& error) {
  switch (error.kind) {
    case Kind::kBackpressure:
    case Kind::kNotReady: return {.what = Resumed::What::kLater};
    case Kind::kShuttingDown: return {.what = Resumed::What::kStopping};
    default: return {.what = Resumed::What::kNever, .why = error.message};
  }
}

}  // namespace

Resumed QueueAgain(tasks::Engine& engine, const Entry& entry) {
  Resumed resumed{.what = Resumed::What::kThere};
  for (const auto& [path, keep] : entry.sinks) {
    const Kept state = StateOf(engine, entry, path, keep);
    if (state == Kept::kReplaced && resumed.what == Resumed::What::kThere) {
      resumed = {.what = Resumed::What::kNever,
                 .why = "'" + path.Text() + "' has been written by another since"};
    }
    if (state != Kept::kOpen) continue;
    flights::Context context;
    context.principal = keep.principal;
    const auto submitted = engine.Submit(keep.command, context, tasks::Hold::kClaim);
    if (!submitted.ok()) {
      if (resumed.what != Resumed::What::kQueued) resumed = Refused(submitted.error());
      if (resumed.what == Resumed::What::kLater) return resumed;
    } else if (submitted->run != nullptr && resumed.what != Resumed::What::kQueued) {
      resumed = {.what = Resumed::What::kQueued,
                 .task = submitted->run->id,
                 .fresh = submitted->outcome == tasks::Outcome::kRun};
    }
  }
  return resumed;
}

}  // namespace sheaf::chronicle
