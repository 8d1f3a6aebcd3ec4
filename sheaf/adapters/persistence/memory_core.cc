#include "sheaf/adapters/persistence/memory_core.h"

#include <algorithm>

#include "sheaf/adapters/persistence/checks.h"

namespace sheaf::persistence {

Result<Epoch> MemoryCore::Acquire(std::string_view scope, std::string_view holder) {
  SHEAF_TRY(CheckScope(scope));
  Scope& owned = scopes_[std::string(scope)];
  ++owned.number;
  owned.holder = holder;
  owned.start = Start::kNone;
  return Epoch{std::string(scope), owned.number, owned.holder};
}

Result<Epoch> MemoryCore::Holder(std::string_view scope) const {
  SHEAF_TRY(CheckScope(scope));
  const auto found = scopes_.find(scope);
  if (found == scopes_.end()) return Epoch{std::string(scope), 0, {}};
  return Epoch{std::string(scope), found->second.number, found->second.holder};
}

Status MemoryCore::Release(const Epoch& epoch) {
  const auto found = scopes_.find(epoch.scope);
  if (found == scopes_.end() || found->second.number != epoch.number) return Done();
  ++found->second.number;
  found->second.holder.clear();
  found->second.start = Start::kNone;
  return Done();
}

Result<MemoryCore::Scope*> MemoryCore::Own(const Epoch& epoch, bool checkpoint) {
  SHEAF_TRY(CheckScope(epoch.scope));
  const auto found = scopes_.find(epoch.scope);
  if (found == scopes_.end()) return OwnershipLost(epoch, 0, "");
  if (found->second.number != epoch.number) {
    return OwnershipLost(epoch, found->second.number, found->second.holder);
  }
  if (checkpoint && found->second.start == Start::kNone) return NotRestored(epoch);
  return &found->second;
}

Result<std::vector<Saved>> MemoryCore::Save(const Epoch& epoch, std::span<const Work> works) {
  SHEAF_TRY(CheckNodeEpoch(epoch));
  SHEAF_TRY(CheckWorks(works));
  SHEAF_TRY(Own(epoch, false));
  std::vector<Saved> saved;
  Works fresh;
  for (const Work& work : works) {
    const std::pair key(work.type, work.id);
    const auto found = works_.find(key);
    const Work* there = found == works_.end() ? nullptr : &found->second;
    if (there == nullptr) {
      const auto [at, is_new] = fresh.emplace(key, work);
      if (!is_new) there = &at->second;
    }
    if (there != nullptr && !(*there == work)) return OtherDocument(work.type, work.id);
    saved.push_back(there == nullptr ? Saved::kNew : Saved::kAlready);
  }
  works_.merge(fresh);
  return saved;
}

Result<Work> MemoryCore::GetWork(WorkType type, int64_t id) const {
  const auto found = works_.find({type, id});
  if (found == works_.end()) return NoWork(type, id);
  return found->second;
}

std::vector<Work> MemoryCore::Newest(WorkType type, size_t n) const {
  std::vector<Work> newest;
  auto at = works_.upper_bound({type, INT64_MAX});
  while (newest.size() < n && at != works_.begin() && (--at)->first.first == type) {
    newest.push_back(at->second);
  }
  return newest;
}

Result<Restored> MemoryCore::Restore(const Epoch& epoch, RestoreMode mode) {
  SHEAF_TRY(CheckNodeEpoch(epoch));
  SHEAF_ASSIGN(Scope * scope, Own(epoch, false));
  if (mode == RestoreMode::kCold) {
    scope->start = Start::kCold;
    return Restored{};
  }
  scope->start = Start::kWarm;
  return Restored{scope->live, scope->generation, scope->changes, {}};
}

Status MemoryCore::Checkpoint(const Epoch& epoch, const LiveWork& live) {
  SHEAF_TRY(CheckNodeEpoch(epoch));
  SHEAF_TRY(EncodeBase(live));  // For its texts.
  SHEAF_ASSIGN(Scope * scope, Own(epoch, true));
  scope->live = live;
  scope->start = Start::kWarm;
  ++scope->generation;
  scope->changes = 0;
  return Done();
}

void MemoryCore::MakeChange(Scope& scope, const ChangeSet& change) {
  if (change.empty()) return;
  if (scope.start == Start::kCold || scope.generation == 0) {
    ++scope.generation;
    scope.changes = 0;
  }
  if (scope.start == Start::kCold) scope.live = {};
  scope.start = Start::kWarm;
  ApplyChange(change, scope.live);
  ++scope.changes;
}

Status MemoryCore::Change(const Epoch& epoch, const ChangeSet& change) {
  SHEAF_TRY(CheckNodeEpoch(epoch));
  SHEAF_TRY(EncodeChange(change));
  SHEAF_ASSIGN(Scope * scope, Own(epoch, true));
  MakeChange(*scope, change);
  return Done();
}

Result<Saved> MemoryCore::Finish(const Epoch& epoch, const Work& work, const ChangeSet& leaving) {
  SHEAF_TRY(CheckNodeEpoch(epoch));
  SHEAF_TRY(CheckWork(work));
  SHEAF_TRY(EncodeChange(leaving));
  SHEAF_ASSIGN(Scope * scope, Own(epoch, true));
  SHEAF_ASSIGN(const auto saved, Save(epoch, {&work, 1}));
  MakeChange(*scope, leaving);
  return saved[0];
}

Status MemoryCore::Store(const Epoch& epoch, const Registration& registration) {
  SHEAF_TRY(CheckClusterEpoch(epoch));
  SHEAF_TRY(CheckRegistration(registration));
  SHEAF_TRY(Own(epoch, false));
  if (archived_.contains(registration.id)) return OtherRegistration(registration.id);
  Registration kept = registration;
  kept.state = WithoutId(kept.state);
  const auto [at, fresh] = live_.emplace(registration.id, kept);
  if (!fresh && !(at->second == kept)) return OtherRegistration(registration.id);
  return Done();
}

Result<Registration*> MemoryCore::LiveOne(int64_t id) {
  const auto found = live_.find(id);
  if (found == live_.end()) return NoRegistration(id);
  return &found->second;
}

Status MemoryCore::UpdateSubmitted(const Epoch& epoch, int64_t id, const Submitted& submitted) {
  SHEAF_TRY(CheckClusterEpoch(epoch));
  SHEAF_TRY(CheckHalf(submitted));
  SHEAF_TRY(Own(epoch, false));
  SHEAF_ASSIGN(Registration * one, LiveOne(id));
  one->submitted = submitted;
  return Done();
}

Status MemoryCore::UpdateState(const Epoch& epoch, int64_t id, const ActiveState& state) {
  SHEAF_TRY(CheckClusterEpoch(epoch));
  SHEAF_TRY(CheckHalf(state));
  SHEAF_TRY(Own(epoch, false));
  SHEAF_ASSIGN(Registration * one, LiveOne(id));
  one->state = WithoutId(state);
  return Done();
}

Status MemoryCore::Archive(const Epoch& epoch, const Registration& last) {
  SHEAF_TRY(CheckClusterEpoch(epoch));
  SHEAF_TRY(CheckRegistration(last));
  SHEAF_TRY(Own(epoch, false));
  Registration kept = last;
  kept.state = WithoutId(kept.state);
  if (const auto found = archived_.find(last.id); found != archived_.end()) {
    if (!(found->second == kept)) return OtherRegistration(last.id);
    return Done();
  }
  SHEAF_TRY(LiveOne(last.id));
  live_.erase(last.id);
  archived_.emplace(last.id, std::move(kept));
  return Done();
}

Result<Registration> MemoryCore::GetRegistration(int64_t id) const {
  for (const auto* each : {&live_, &archived_}) {
    if (const auto found = each->find(id); found != each->end()) return found->second;
  }
  return NoRegistration(id);
}

std::vector<Registration> MemoryCore::Live() const {
  std::vector<Registration> all;
  for (const auto& [id, each] : live_) all.push_back(each);
  return all;
}

std::vector<Registration> MemoryCore::Archived() const {
  std::vector<Registration> all;
  for (const auto& [id, each] : archived_) all.push_back(each);
  return all;
}

}  // namespace sheaf::persistence
