#include "sheaf/ports/query_state/query_state.h"

#include "sheaf/ports/query_state/step.h"

namespace sheaf::query_state {

std::string_view StateName(State state) {
  switch (state) {
    case State::kKnown: return "known";
    case State::kQueued: return "queued";
    case State::kExecuting: return "executing";
    case State::kCompleted: return "completed";
    case State::kErrored: return "errored";
    case State::kCancelled: return "cancelled";
    case State::kResetting: return "resetting";
    case State::kResetFailed: return "reset_failed";
  }
  __builtin_unreachable();
}

std::string_view TriggerName(Trigger trigger) {
  switch (trigger) {
    case Trigger::kQueue: return "queue";
    case Trigger::kExecute: return "execute";
    case Trigger::kFinish: return "finish";
    case Trigger::kError: return "error";
    case Trigger::kCancel: return "cancel";
    case Trigger::kReset: return "reset";
    case Trigger::kFinishResetting: return "finish_resetting";
    case Trigger::kResetFailed: return "reset_failed";
  }
  __builtin_unreachable();
}

std::optional<State> Next(State from, Trigger trigger) {
  const auto when = [](bool leads, State to) -> std::optional<State> {
    return leads ? std::optional(to) : std::nullopt;
  };
  switch (trigger) {
    case Trigger::kQueue: return when(from == State::kKnown, State::kQueued);
    case Trigger::kExecute: return when(from == State::kQueued, State::kExecuting);
    case Trigger::kFinish: return when(from == State::kExecuting, State::kCompleted);
    case Trigger::kError: return when(from == State::kExecuting, State::kErrored);
    case Trigger::kCancel:
      return when(from == State::kQueued || from == State::kExecuting, State::kCancelled);
    case Trigger::kReset:
      return when(IsFinished(from) || from == State::kResetFailed, State::kResetting);
    case Trigger::kFinishResetting: return when(from == State::kResetting, State::kKnown);
    case Trigger::kResetFailed: return when(from == State::kResetting, State::kResetFailed);
  }
  __builtin_unreachable();
}

bool IsFinished(State state) {
  return state == State::kCompleted || state == State::kErrored || state == State::kCancelled;
}

bool IsOwned(State state) {
  return state == State::kQueued || state == State::kExecuting || state == State::kResetting;
}

namespace {

// Whether the step comes from one who may make it: a new owner, or the present one; a cancel may
// come from anybody who has seen this epoch.
bool MayStep(const Record& record, const Step& step) {
  switch (step.trigger) {
    case Trigger::kQueue:
    case Trigger::kReset: return true;
    case Trigger::kCancel: return step.epoch == record.epoch;
    case Trigger::kExecute:
    case Trigger::kFinish:
    case Trigger::kError:
    case Trigger::kFinishResetting:
    case Trigger::kResetFailed: return step.epoch == record.epoch && step.owner == record.owner;
  }
  __builtin_unreachable();
}

}  // namespace

bool ApplyStep(Record& record, const Step& step, WallTime now, uint64_t fresh_epoch) {
  const auto to = Next(record.state, step.trigger);
  if (!to.has_value() || !MayStep(record, step)) return false;
  record.state = *to;
  switch (step.trigger) {
    case Trigger::kQueue:
      record = Record{.state = *to, .owner = step.owner, .epoch = fresh_epoch};
      break;
    case Trigger::kExecute: record.started = now; break;
    case Trigger::kReset: record.owner = step.owner; break;
    case Trigger::kFinishResetting: record = Record{}; break;
    case Trigger::kError: record.error = step.error.substr(0, kErrorBytesMax); break;
    case Trigger::kFinish:
    case Trigger::kCancel:
    case Trigger::kResetFailed: break;
  }
  record.lease_until = IsOwned(*to) ? WallTime{now.micros + ToMicros(step.lease)} : WallTime{};
  return true;
}

}  // namespace sheaf::query_state
