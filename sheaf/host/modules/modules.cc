#include "sheaf/host/modules/modules.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "sheaf/host/modules/order.h"
#include "sheaf/host/modules/probe.h"
#include "sheaf/host/modules/watched.h"

namespace sheaf::modules {
namespace {

using State = ModuleState::State;

int64_t Millis(Duration wait) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(wait).count();
}

// What is known of a module. Shared with its calls, which may outlive the slot.
struct Known {
  mutable Mutex mutex;
  State state SHEAF_GUARDED_BY(mutex) = State::kNew;
  std::string reason SHEAF_GUARDED_BY(mutex);
  std::vector<std::string> services SHEAF_GUARDED_BY(mutex);
  bool checked SHEAF_GUARDED_BY(mutex) = false;               // From a good Start to Stop.
  Instant answered SHEAF_GUARDED_BY(mutex){};                 // The last news.
  std::optional<Instant> asked SHEAF_GUARDED_BY(mutex);       // A check that has not answered.

  void Say(State now, std::string why, Instant at) {
    MutexLock lock(mutex);
    state = now;
    reason = std::move(why);
    answered = at;
  }
  // A check's answer counts only while the module runs.
  void Answer(module::Health health, Instant at) {
    MutexLock lock(mutex);
    asked.reset();
    if (!checked) return;
    const bool ready = health.state == module::Health::State::kReady;
    state = ready ? State::kReady : State::kNotReady;
    reason = ready ? "" : health.reason.empty() ? "gives no reason" : std::move(health.reason);
    answered = at;
  }
};

module::Health GuardedCheck(module::Module& module) {
  module::Health health;
  const Status status = Guarded([&] {
    health = module.Check();
    return Done();
  });
  if (!status.ok()) health = {module::Health::State::kNotReady, "Check " + status.error().message};
  return health;
}

bool IsName(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

}  // namespace

// A module and what it is lent. Shared with its calls: one that never returns keeps both.
struct Lent {
  std::unique_ptr<ModuleHost> host;
  std::unique_ptr<module::Module> module;  // Dies first.
};

struct Modules::Slot {
  Slot(std::unique_ptr<module::Module> m, std::string n, Timers& timers, Metrics& metrics)
      : name(std::move(n)),
        life(name, timers),
        checks(name + " check", timers),
        probe(metrics, name) {
    lent->module = std::move(m);
  }
  bool busy() const { return life.busy() || checks.busy(); }

  const std::string name;
  std::vector<std::string> needs;
  std::shared_ptr<Lent> lent = std::make_shared<Lent>();
  std::shared_ptr<Known> known = std::make_shared<Known>();
  // Set on the life thread when Start returned well, perhaps too late.
  std::shared_ptr<std::atomic<bool>> must_stop = std::make_shared<std::atomic<bool>>(false);
  Watched life;    // Start and Stop, from one thread.
  Watched checks;  // Apart, so that a hung check keeps nobody from stopping.
  Probe probe;
};

std::string_view StateName(State state) {
  switch (state) {
    case State::kNew: return "new";
    case State::kStarting: return "starting";
    case State::kReady: return "ready";
    case State::kNotReady: return "not_ready";
    case State::kStopped: return "stopped";
  }
  __builtin_unreachable();
}

Modules::Modules(Clock& clock, Timers& timers, Log& log, Metrics& metrics,
                 cluster::Services& services, ModulesOptions options)
    : clock_(clock),
      timers_(timers),
      log_(log),
      metrics_(metrics),
      cluster_(services),
      options_(options) {}

Modules::~Modules() { Stop(); }

Status Modules::Add(std::unique_ptr<module::Module> module) {
  std::string name;
  std::vector<std::string> needs;
  SHEAF_TRY(Guarded([&] {
    name = module->name();
    needs = module->needs();
    return Done();
  }));
  if (!IsName(name)) {
    return Fail(Kind::kInvalid, "module name '" + name + "' is not 1 to 64 of a-z, 0-9, '_', '-'");
  }
  for (const auto& slot : slots_) {
    if (slot->name == name) {
      return Fail(Kind::kInvalid, "two modules are called '" + name + "'");
    }
  }
  slots_.push_back(std::make_unique<Slot>(std::move(module), std::move(name), timers_, metrics_));
  slots_.back()->needs = std::move(needs);
  return Done();
}

Status Modules::Start(const HostParts& parts) {
  std::vector<Needs> needs;
  for (const auto& slot : slots_) needs.push_back({slot->name, slot->needs});
  SHEAF_ASSIGN(const auto order, StartOrder(needs));
  SHEAF_TRY(EmptyOwnPaths(parts.state_dir));
  {
    MutexLock lock(mutex_);
    SHEAF_CHECK(phase_ == Phase::kNew);
    phase_ = Phase::kRunning;
  }
  for (const size_t place : order) StartOne(*slots_[place], parts);
  BeginChecks();
  MutexLock lock(mutex_);
  Arm();
  return Done();
}

// Why a module cannot be started; empty when it can.
std::string Modules::WhyNot(const Slot& slot) const {
  for (const auto& need : slot.needs) {
    for (const auto& other : slots_) {
      if (other->name != need) continue;
      MutexLock lock(other->known->mutex);
      if (other->known->state != State::kReady) {
        return "needs module '" + need + "', which is not ready: " + other->known->reason;
      }
    }
  }
  return {};
}

void Modules::StartOne(Slot& slot, const HostParts& parts) {
  if (std::string why = WhyNot(slot); !why.empty()) return Failed(slot, std::move(why));
  slot.lent->host = std::make_unique<ModuleHost>(parts, slot.name);
  slot.known->Say(State::kStarting, "starting", clock_.Now());
  const Instant began = clock_.Now();
  started_.push_back(&slot);
  // Shared with a Start that returns too late.
  auto services = std::make_shared<std::vector<module::Service*>>();
  Status status = slot.life.Call(
      options_.start_limit,
      [services, must_stop = slot.must_stop, lent = slot.lent]() -> Status {
        SHEAF_TRY(lent->module->Start(*lent->host));
        *must_stop = true;
        *services = lent->module->services();
        return Done();
      });
  if (status.ok()) status = OfferAll(slot, *services);
  if (!status.ok()) return Failed(slot, "Start " + status.error().message);
  slot.known->Say(State::kReady, "", clock_.Now());
  slot.probe.ready.Set(1);
  log_.Info("module started", {{"module", slot.name}, {"ms", Millis(clock_.Now() - began)}});
}

Status Modules::OfferAll(Slot& slot, const std::vector<module::Service*>& services) {
  std::vector<std::string> names;
  SHEAF_TRY(Guarded([&] {
    for (auto* service : services) names.emplace_back(service->name());
    return Done();
  }));
  {
    MutexLock lock(mutex_);
    for (const auto& name : names) {
      if (const auto taken = offers_.find(name); taken != offers_.end()) {
        return Fail(Kind::kInvalid, "offers service '" + name + "', which module '" +
                                        taken->second.module + "' offers");
      }
    }
    for (size_t i = 0; i < names.size(); ++i) offers_[names[i]] = {services[i], slot.name};
  }
  for (const auto& name : names) {
    if (const auto offered = cluster_.Offer(name); !offered.ok()) {
      log_.Warn("service not announced",
                {{"service", name}, {"error", offered.error().message}});
    }
  }
  MutexLock lock(slot.known->mutex);
  slot.known->services = std::move(names);
  slot.known->checked = true;
  return Done();
}

void Modules::Failed(Slot& slot, std::string reason) {
  log_.Error("module not ready", {{"module", slot.name}, {"reason", reason}});
  slot.probe.failures_total.Increment();
  slot.probe.ready.Set(0);
  slot.known->Say(State::kNotReady, std::move(reason), clock_.Now());
}

void Modules::Stop() {
  Disarm();
  {
    MutexLock lock(mutex_);
    if (phase_ == Phase::kStopped) return;
    phase_ = Phase::kStopped;
    offers_.clear();
  }
  for (auto at = started_.rbegin(); at != started_.rend(); ++at) StopOne(**at);
}

void Modules::StopOne(Slot& slot) {
  std::vector<std::string> services;
  {
    MutexLock lock(slot.known->mutex);
    services.swap(slot.known->services);
    slot.known->checked = false;
  }
  for (const auto& name : services) {
    if (const auto withdrawn = cluster_.Withdraw(name); !withdrawn.ok()) {
      log_.Warn("service not withdrawn", {{"service", name}});
    }
  }
  if (*slot.must_stop) {
    if (!slot.checks.WaitIdle(options_.stop_limit)) Failed(slot, "Check has not returned");
    const Status status = slot.life.Call(options_.stop_limit, [lent = slot.lent] {
      lent->module->Stop();
      return Done();
    });
    if (status.ok()) log_.Info("module stopped", {{"module", slot.name}});
    else Failed(slot, "Stop " + status.error().message);
    slot.known->Say(State::kStopped, status.ok() ? "stopped" : "Stop " + status.error().message,
                    clock_.Now());
    slot.probe.ready.Set(0);
  }
  left_behind_ |= slot.busy();
}

bool Modules::left_behind() const { return left_behind_; }

Result<module::Service*> Modules::Find(std::string_view service) const {
  std::vector<std::string_view> names;
  std::string missing;
  MutexLock lock(mutex_);
  if (const auto found = offers_.find(service); found != offers_.end()) {
    return found->second.service;
  }
  if (phase_ == Phase::kNew) return Fail(Kind::kNotReady, "the modules are not started yet");
  if (phase_ == Phase::kStopped) return Fail(Kind::kShuttingDown, "the modules are stopped");
  for (const auto& [name, offer] : offers_) names.push_back(name);
  for (const auto& slot : slots_) {
    MutexLock known(slot->known->mutex);
    if (slot->known->state == State::kReady) continue;
    missing += (missing.empty() ? "; not ready: " : ", ") + slot->name;
  }
  return Fail(Kind::kUnknownService, core::UnknownWord("service", service, names) + missing);
}

std::vector<std::string> Modules::ServiceNames() const {
  MutexLock lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, offer] : offers_) names.push_back(name);
  return names;
}

std::vector<ModuleState> Modules::States() const {
  std::vector<ModuleState> states;
  const Instant now = clock_.Now();
  for (const auto& slot : slots_) {
    const Known& known = *slot->known;
    MutexLock lock(known.mutex);
    ModuleState state{slot->name, known.state, known.reason, {}, known.services};
    if (known.answered != Instant{}) state.age = std::max(now - known.answered, Duration(0));
    if (known.asked.has_value() && now - *known.asked >= options_.check_limit &&
        state.state == State::kReady) {
      state.state = State::kNotReady;
      state.reason = "Check has not answered for " + std::to_string(Millis(now - *known.asked)) +
                     " ms";
    }
    states.push_back(std::move(state));
  }
  return states;
}

Json Modules::HealthJson() const {
  Json all = Json::array();
  for (const auto& state : States()) {
    Json one = {{"name", state.name},
                {"state", StateName(state.state)},
                {"age_ms", Millis(state.age)},
                {"services", state.services}};
    if (!state.reason.empty()) one["reason"] = state.reason;
    all.push_back(std::move(one));
  }
  return all;
}

void Modules::BeginChecks() {
  const auto states = States();  // In the order of the slots.
  for (size_t i = 0; i < slots_.size(); ++i) {
    slots_[i]->probe.ready.Set(states[i].state == State::kReady ? 1 : 0);
  }
  for (Slot* slot : started_) {
    auto known = slot->known;
    {
      MutexLock lock(known->mutex);
      // A module that did not start is not asked: it stays as it is.
      if (!known->checked || known->asked.has_value()) continue;
      known->asked = clock_.Now();
    }
    auto health = std::make_shared<module::Health>();  // Shared by the call and its end.
    const bool begun = slot->checks.TryBegin(
        [health, lent = slot->lent] { *health = GuardedCheck(*lent->module); },
        [health, known, &clock = clock_] { known->Answer(std::move(*health), clock.Now()); });
    SHEAF_CHECK(begun);  // Nothing was asked: the thread is free.
  }
}

void Modules::Arm() {
  armed_ = true;
  timer_ = timers_.After(options_.check_every, [this] {
    BeginChecks();
    MutexLock lock(mutex_);
    if (armed_) Arm();
  });
}

void Modules::Disarm() {
  Timers::Handle timer;
  {
    MutexLock lock(mutex_);
    if (!armed_) return;
    armed_ = false;
    timer = timer_;
  }
  timers_.Cancel(timer);  // Waits for a tick that runs; it does not arm again.
}

}  // namespace sheaf::modules
