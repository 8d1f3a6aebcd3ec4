// A fault is one more implementation: refuses a call, delays it, or makes it and loses the answer.
//
//   Faults faults([&] { return next; });
//   Persistence faulty = Decorate(inner, faults);
#pragma once

#include <functional>
#include <utility>

#include "sheaf/ports/persistence/decorated.h"

namespace sheaf::persistence {

enum class Fault : uint8_t {
  kNone,
  kRefuse,            // kDependency, Effect::kNone: certainly not done.
  kApplyThenTimeout,  // Done, then kDeadline with Effect::kUnknown.
  kConnectionLost,    // Not done, but nobody can tell: kDependency with Effect::kUnknown.
  kDelay,             // Done, after `delay` was called.
};

// Owner: a test. Threads: any, if `next` and `delay` may be called from any.
class Faults final {
 public:
  explicit Faults(
      std::function<Fault(Verb)> next, std::function<void()> delay = [] {})
      : next_(std::move(next)), delay_(std::move(delay)) {}

  template <typename Act>
  auto Call(Verb verb, Act act) -> decltype(act()) {
    switch (next_(verb)) {
      case Fault::kNone: return act();
      case Fault::kRefuse: return Fail(Kind::kDependency, "injected: refused");
      case Fault::kConnectionLost:
        return Error{Kind::kDependency, Effect::kUnknown, "injected: connection lost", {}};
      case Fault::kDelay: delay_(); return act();
      case Fault::kApplyThenTimeout: {
        (void)act();
        return Error{Kind::kDeadline, Effect::kUnknown, "injected: answer lost", {}};
      }
    }
    __builtin_unreachable();
  }

 private:
  std::function<Fault(Verb)> next_;
  std::function<void()> delay_;
};

}  // namespace sheaf::persistence
