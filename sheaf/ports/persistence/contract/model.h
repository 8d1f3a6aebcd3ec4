// A second, slow opinion on the port, written from its headers and nothing else: plain maps, no
// transactions, no rows.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sheaf/ports/persistence/persistence.h"

namespace sheaf::persistence {

// What an answer should be.
enum class Expect : uint8_t { kDone, kLost, kNotReady, kConflict, kNotFound };

struct Model {
  struct Scope {
    uint64_t epoch = 0;
    bool restored = false;
    bool cold = false;  // Restored cold and not written since.
    LiveWork live;
  };
  std::map<std::string, Scope> scopes;
  std::map<std::pair<WorkType, int64_t>, Work> history;
  std::map<int64_t, Registration> live, archived;
  std::map<std::string, std::pair<std::string, int32_t>> nodes;  // Owner and share order.
  std::map<ShareKey, Share> shares;
  std::map<int64_t, std::pair<std::string, Load>> load;

  void Acquired(const Epoch& epoch) {
    Scope& scope = scopes[epoch.scope];
    scope.epoch = epoch.number;
    scope.restored = false;
    scope.cold = false;
  }
  bool Stale(const Epoch& epoch) const {
    const auto found = scopes.find(epoch.scope);
    return found == scopes.end() || found->second.epoch != epoch.number;
  }

  Expect Save(const Epoch& epoch, const std::vector<Work>& works) {
    if (Stale(epoch)) return Expect::kLost;
    auto next = history;
    for (const Work& work : works) {
      const auto [at, fresh] = next.emplace(std::pair(work.type, work.id), work);
      if (!fresh && !(at->second == work)) return Expect::kConflict;
    }
    history = std::move(next);
    return Expect::kDone;
  }
  Expect Restore(const Epoch& epoch, RestoreMode mode) {
    if (Stale(epoch)) return Expect::kLost;
    Scope& scope = scopes[epoch.scope];
    scope.restored = true;
    scope.cold = mode == RestoreMode::kCold;
    return Expect::kDone;
  }
  Expect Checkpoint(const Epoch& epoch, const LiveWork& whole) {
    if (Stale(epoch)) return Expect::kLost;
    Scope& scope = scopes[epoch.scope];
    if (!scope.restored) return Expect::kNotReady;
    scope.live = whole;
    scope.cold = false;
    return Expect::kDone;
  }
  Expect Change(const Epoch& epoch, const ChangeSet& change) {
    if (Stale(epoch)) return Expect::kLost;
    Scope& scope = scopes[epoch.scope];
    if (!scope.restored) return Expect::kNotReady;
    if (change.empty()) return Expect::kDone;
    if (std::exchange(scope.cold, false)) scope.live = {};
    for (const auto& [id, text] : change.put) scope.live.items[id] = text;
    for (const int64_t id : change.removed) scope.live.items.erase(id);
    for (const auto& [process, id] : change.linked) scope.live.process_to_job[process] = id;
    for (const auto& process : change.unlinked) scope.live.process_to_job.erase(process);
    return Expect::kDone;
  }
  Expect Finish(const Epoch& epoch, const Work& work, const ChangeSet& leaving) {
    if (Stale(epoch)) return Expect::kLost;
    if (!scopes[epoch.scope].restored) return Expect::kNotReady;
    const Expect saved = Save(epoch, {work});
    return saved == Expect::kDone ? Change(epoch, leaving) : saved;
  }

  Expect Store(const Epoch& epoch, const Registration& registration) {
    if (Stale(epoch)) return Expect::kLost;
    if (archived.contains(registration.id)) return Expect::kConflict;
    const auto [at, fresh] = live.emplace(registration.id, registration);
    return fresh || at->second == registration ? Expect::kDone : Expect::kConflict;
  }
  Expect UpdateState(const Epoch& epoch, int64_t id, const ActiveState& state) {
    if (Stale(epoch)) return Expect::kLost;
    if (!live.contains(id)) return Expect::kNotFound;
    live[id].state = state;
    return Expect::kDone;
  }
  Expect Archive(const Epoch& epoch, const Registration& last) {
    if (Stale(epoch)) return Expect::kLost;
    if (archived.contains(last.id)) {
      return archived[last.id] == last ? Expect::kDone : Expect::kConflict;
    }
    if (live.erase(last.id) == 0) return Expect::kNotFound;
    archived[last.id] = last;
    return Expect::kDone;
  }

  Expect PutNode(const Epoch& epoch, const std::string& name, int32_t order) {
    if (Stale(epoch)) return Expect::kLost;
    const auto found = nodes.find(name);
    if (found != nodes.end() && found->second.first != epoch.scope) return Expect::kConflict;
    nodes[name] = {epoch.scope, order};
    return Expect::kDone;
  }
  Expect AddShare(const Epoch& epoch, const Share& share) {
    if (Stale(epoch)) return Expect::kLost;
    const auto node = nodes.find(share.Get<"node">());
    if (node == nodes.end()) return Expect::kNotFound;
    if (node->second.first != epoch.scope) return Expect::kConflict;
    const auto [at, fresh] = shares.emplace(KeyOf(share), share);
    return fresh || at->second == share ? Expect::kDone : Expect::kConflict;
  }
  // For update, mark and remove: what happens to a share that may not be there.
  Expect Touch(const Epoch& epoch, const ShareKey& key, Present& present) {
    if (Stale(epoch)) return Expect::kLost;
    present = shares.contains(key) ? Present::kYes : Present::kNo;
    if (present == Present::kNo) return Expect::kDone;
    return nodes[key.node].first == epoch.scope ? Expect::kDone : Expect::kConflict;
  }
  Expect SetLoad(const Epoch& epoch, const std::vector<Load>& now) {
    if (Stale(epoch)) return Expect::kLost;
    for (const Load& each : now) {
      const auto found = load.find(each.Get<"job_id">());
      if (found != load.end() && found->second.first != epoch.scope) return Expect::kConflict;
    }
    std::erase_if(load, [&](const auto& each) { return each.second.first == epoch.scope; });
    for (const Load& each : now) load[each.Get<"job_id">()] = {epoch.scope, each};
    return Expect::kDone;
  }
  Expect Begin(const Epoch& epoch) {
    if (Stale(epoch)) return Expect::kLost;
    std::set<std::string> gone;
    std::erase_if(nodes, [&](const auto& each) {
      return each.second.first == epoch.scope && gone.insert(each.first).second;
    });
    std::erase_if(shares, [&](const auto& each) { return gone.contains(each.first.node); });
    return SetLoad(epoch, {});
  }
  // Shares left, assignments, those that cannot be preempted.
  std::vector<int32_t> Counters(const std::string& name) const {
    std::vector<int32_t> counters = {nodes.at(name).second, 0, 0};
    for (const auto& [key, share] : shares) {
      if (key.node != name) continue;
      counters[0] -= share.Get<"share_order">();
      counters[1] += 1;
      counters[2] += share.Get<"fixed">() ? 1 : 0;
    }
    return counters;
  }
};

}  // namespace sheaf::persistence
