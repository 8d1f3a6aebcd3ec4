// The door of host/modules: loads, starts, watches and stops what a server is made of.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sheaf/base/async/async.h"
#include "sheaf/base/core/core.h"
#include "sheaf/base/observe/observe.h"
#include "sheaf/base/time/time.h"
#include "sheaf/host/modules/module_host.h"
#include "sheaf/ports/cluster/cluster.h"
#include "sheaf/ports/module/module.h"

namespace sheaf::modules {

struct ModulesOptions {
  Duration start_limit = std::chrono::seconds(30);  // Of each module.
  Duration stop_limit = std::chrono::seconds(5);
  Duration check_every = std::chrono::seconds(2);
  Duration check_limit = std::chrono::seconds(5);   // A check that runs longer reads as failing.
};

struct ModuleState {
  std::string name;
  enum class State : uint8_t { kNew, kStarting, kReady, kNotReady, kStopped } state = State::kNew;
  std::string reason;                 // Why it is not ready; empty when it is.
  Duration age{};                     // Of what is said: since the last answer of its check.
  std::vector<std::string> services;  // What it offers.
};
std::string_view StateName(ModuleState::State state);  // "not_ready"

// Modules keeps the modules of one server, each behind a wall: one that fails, throws or hangs is
// not ready, alone; nobody waits for it beyond its limit, and it is not tried again.
//
// Owner: main. Threads: Add, Start and Stop from one thread; the rest from any.
// Blocking: Start and Stop wait for each module at most its limit; the rest never: checks run on
// the modules' own threads every `check_every`, what is read is the last answer and its age.
class Modules final {
 public:
  // All borrowed; they outlive this.
  Modules(Clock& clock, Timers& timers, Log& log, Metrics& metrics, cluster::Services& services,
          ModulesOptions options = {});
  ~Modules();  // Stops if nobody has.
  Modules(const Modules&) = delete;
  Modules& operator=(const Modules&) = delete;

  // kInvalid: a name that is not [a-z0-9_-]{1,64} or taken already. Before Start.
  Status Add(std::unique_ptr<module::Module> module);
  // Starts all in the order of their needs. kInvalid when there is none: a need is absent, or
  // needs go in a circle; kDependency when the state directory refuses. A module that does not
  // start is no error here; what needs it is not started either. Once.
  Status Start(const HostParts& parts);
  // Withdraws the services, then stops in reverse order those whose Start returned well, be it too
  // late. What runs in the services must be over.
  void Stop();

  // kUnknownService names the nearest, or all, and the modules that are not ready; kNotReady
  // before Start, kShuttingDown after Stop. The service lives until Stop.
  Result<module::Service*> Find(std::string_view service) const;
  std::vector<std::string> ServiceNames() const;

  std::vector<ModuleState> States() const;  // In the order they were added.
  // [{"name", "state", "reason"?, "age_ms", "services"}]
  Json HealthJson() const;
  // A module's call had not returned when Stop ended: its thread still runs, and may use what it
  // was lent. The process must end without destroying that (std::_Exit).
  bool left_behind() const;

 private:
  struct Slot;
  struct Offer {
    module::Service* service;
    std::string module;
  };
  enum class Phase : uint8_t { kNew, kRunning, kStopped };

  void StartOne(Slot& slot, const HostParts& parts);
  std::string WhyNot(const Slot& slot) const;
  Status OfferAll(Slot& slot, const std::vector<module::Service*>& services);
  void Failed(Slot& slot, std::string reason);
  void StopOne(Slot& slot);
  void BeginChecks();
  void Arm() SHEAF_REQUIRES(mutex_);
  void Disarm();

  Clock& clock_;
  Timers& timers_;
  Log& log_;
  Metrics& metrics_;
  cluster::Services& cluster_;
  const ModulesOptions options_;
  std::vector<std::unique_ptr<Slot>> slots_;  // Does not change after Start began.
  std::vector<Slot*> started_;                // In order of start.
  bool left_behind_ = false;
  mutable Mutex mutex_;
  Phase phase_ SHEAF_GUARDED_BY(mutex_) = Phase::kNew;
  std::map<std::string, Offer, std::less<>> offers_ SHEAF_GUARDED_BY(mutex_);
  bool armed_ SHEAF_GUARDED_BY(mutex_) = false;
  Timers::Handle timer_ SHEAF_GUARDED_BY(mutex_);
};

}  // namespace sheaf::modules
