#include "sheaf/host/chronicle/resume.h"

#include "sheaf/wire/command/json.h"

namespace sheaf::chronicle {
namespace {

// What is at the path is what this run committed before its end was written down.
bool IsThere(tasks::Engine& engine, const Entry& entry, const Path& path, const Keep& keep) {
  const auto found = engine.store().Lookup(path);
  return found.has_value() && found->record->created >= entry.submitted &&
         found->record->from.command == command::Canonical(keep.command->ToJson());
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
    if (IsThere(engine, entry, path, keep)) continue;
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
