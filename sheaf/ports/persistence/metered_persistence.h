// Counts and times every call: Persistence metered = Decorate(inner, meter).
#pragma once

#include "sheaf/base/time/clock.h"
#include "sheaf/ports/persistence/decorated.h"
#include "sheaf/ports/persistence/probe.h"

namespace sheaf::persistence {

// Owner: main. Threads: any. Blocking: as the inner one.
class Meter final {
 public:
  Meter(Clock& clock, Metrics& metrics) : clock_(clock), probe_(metrics) {}

  template <typename Act>
  auto Call(Verb verb, Act act) -> decltype(act()) {
    const auto place = static_cast<size_t>(verb);
    const Instant start = clock_.Now();
    auto answer = act();
    probe_.seconds[place]->Observe(std::chrono::duration<double>(clock_.Now() - start).count());
    (answer.ok() ? probe_.done : probe_.failed)[place]->Increment();
    return answer;
  }

 private:
  Clock& clock_;  // Borrowed from main.
  Probe probe_;
};

}  // namespace sheaf::persistence
