// A run: one execution of one command, shared by all who want its result.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sheaf/base/async/async.h"
#include "sheaf/base/core/core.h"
#include "sheaf/host/tasks/interest.h"
#include "sheaf/host/tasks/plan_tree.h"
#include "sheaf/ports/module/service.h"
#include "sheaf/ports/store/store.h"

namespace sheaf::tasks {

enum class RunState : uint8_t { kQueued, kExecuting, kCompleted, kErrored, kCancelled };
std::string_view RunStateName(RunState state);

// How a node of a command's tree got its data.
enum class Outcome : uint8_t { kHit, kRun, kAttached, kFused, kPlanned };
std::string_view OutcomeName(Outcome outcome);

struct Run;
using RunPtr = std::shared_ptr<Run>;  // Shared: callers' streams outlive the engine's list.

// One input of a run: another run, a committed flight, or files that the service reads itself.
struct Child {
  std::string name;
  Outcome outcome = Outcome::kRun;
  RunPtr run;               // kRun, kAttached
  InterestId interest;      // Ours, in that run.
  store::FlightPtr flight;  // kHit and paths
  store::RecordPtr record;
  NodePtr node;  // Of a command; nullptr of a path.
};

// Immutable above the line; below it everything is guarded by the engine's lock, except what
// says otherwise.
struct Run : std::enable_shared_from_this<Run> {
  TaskId id;
  NodePtr node;
  std::string key;        // Of the query state: identity, or the id when not shared.
  std::string principal;  // The first's.
  bool shareable = true;
  bool single_use = false;  // retain_s 0
  Duration retain = std::chrono::seconds(60);
  Instant created{};
  WallTime created_wall;
  CancelSource cancel;  // Thread-safe of itself.
  Event ended;          // Thread-safe of itself; set after the state is final.
  // ---
  RunState state = RunState::kQueued;
  bool admitted = false;
  bool scheduled = false;
  bool committing = false;
  int32_t priority = 5;
  size_t waiting_children = 0;
  std::optional<uint64_t> place;  // In admission; outermost runs only.
  std::vector<Child> children;
  std::vector<std::weak_ptr<Run>> parents;  // Weak: a parent owns its children.
  std::map<InterestId, Interest> interests;
  std::map<InterestId, std::function<void(Status)>> waiters;
  std::set<std::string> principals;  // Who ever had an interest.
  store::FlightPtr flight;
  store::Flight::Size size;  // Of the flight, once the run has ended: it may be let go.
  store::RecordPtr record;   // Of its first committed path.
  std::optional<Error> error;
  double progress = 0;
  uint64_t epoch = 0;  // Of the query state.
  Instant started{}, finished{}, stream_until{};
  int64_t attached = 0;  // Callers beyond the first.

  // What callers are told: a run whose error is known has ended, though it still tidies up.
  RunState told_state() const {
    if (has_ended() || !error.has_value()) return state;
    return error->kind == Kind::kCancelled ? RunState::kCancelled : RunState::kErrored;
  }
  bool has_ended() const { return state != RunState::kQueued && state != RunState::kExecuting; }
};

}  // namespace sheaf::tasks
