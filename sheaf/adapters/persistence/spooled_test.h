// What tests of a back end with a spool share: a database that comes and goes.
#pragma once

#include <atomic>
#include <functional>
#include <utility>

#include "sheaf/adapters/persistence/memory_persistence.h"
#include "sheaf/ports/persistence/decorated.h"
#include "sheaf/ports/persistence/faulty_persistence.h"

namespace sheaf::persistence {

// A database that outlives those who use it, as memory; each opening is another way into it.
struct Database {
  // What a database refuses for good, whatever it is asked; before that, faults.
  struct Policy {
    Database& of;
    template <typename Act>
    auto Call(Verb verb, Act act) -> decltype(act()) {
      ++of.calls;
      if (Status refused = of.refuse(verb); !refused.ok()) return std::move(refused).error();
      return of.faults.Call(verb, act);
    }
  };
  Persistence kept = OpenMemory();
  std::function<Status(Verb)> refuse = [](Verb) { return Done(); };
  std::atomic<Fault> fault{Fault::kNone};
  std::atomic<int> calls{0};
  std::function<Fault(Verb)> next = [this](Verb) { return fault.load(); };
  Faults faults{[this](Verb verb) { return next(verb); }};
  Policy policy{*this};
  Persistence Connect() { return Decorate(kept, policy); }
};

}  // namespace sheaf::persistence
