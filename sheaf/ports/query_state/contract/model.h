// A second, slow opinion on the machine, written from the contract's table and nothing else.
#pragma once

#include <array>
#include <map>
#include <string>

#include "sheaf/ports/query_state/query_state.h"

namespace sheaf::query_state {

// Predicts state, owner and `changed`; epochs are taken from the store under test, and must grow.
class Model {
 public:
  struct Known {
    State state = State::kKnown;
    std::string owner;
    uint64_t epoch = 0;
  };

  // Whether the step must change something.
  bool WouldChange(const Step& step) const {
    const Known now = Get(step.key);
    if (!To(now.state, step.trigger).has_value()) return false;
    if (step.trigger == Trigger::kQueue || step.trigger == Trigger::kReset) return true;
    if (step.epoch != now.epoch) return false;
    return step.trigger == Trigger::kCancel || step.owner == now.owner;
  }
  void Make(const Step& step, uint64_t epoch) {
    Known& now = known_[step.key];
    now.state = *To(now.state, step.trigger);
    if (step.trigger == Trigger::kQueue) {
      now.owner = step.owner;
      now.epoch = epoch;
    }
    if (step.trigger == Trigger::kReset) now.owner = step.owner;
    if (now.state == State::kKnown) known_.erase(step.key);
  }
  Known Get(const std::string& key) const {
    const auto found = known_.find(key);
    return found == known_.end() ? Known{} : found->second;
  }

 private:
  struct Row {
    std::string_view from, trigger, to;
  };
  static std::optional<State> To(State from, Trigger trigger) {
    static constexpr std::array<Row, 12> kRows{{{"known", "queue", "queued"},
                                                {"queued", "execute", "executing"},
                                                {"executing", "finish", "completed"},
                                                {"executing", "error", "errored"},
                                                {"queued", "cancel", "cancelled"},
                                                {"executing", "cancel", "cancelled"},
                                                {"completed", "reset", "resetting"},
                                                {"errored", "reset", "resetting"},
                                                {"cancelled", "reset", "resetting"},
                                                {"reset_failed", "reset", "resetting"},
                                                {"resetting", "finish_resetting", "known"},
                                                {"resetting", "reset_failed", "reset_failed"}}};
    for (const Row& row : kRows) {
      if (row.from != StateName(from) || row.trigger != TriggerName(trigger)) continue;
      for (int s = 0; s < 8; ++s) {
        if (StateName(static_cast<State>(s)) == row.to) return static_cast<State>(s);
      }
    }
    return std::nullopt;
  }

  std::map<std::string, Known> known_;
};

}  // namespace sheaf::query_state
