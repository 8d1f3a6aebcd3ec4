// Resources of the memory core.
#include <algorithm>

#include "sheaf/adapters/persistence/checks.h"
#include "sheaf/adapters/persistence/memory_core.h"

namespace sheaf::persistence {

Status MemoryCore::CheckNodes(const Epoch& epoch, std::span<const Node> nodes) const {
  for (const Node& node : nodes) {
    SHEAF_TRY(node.row().Check());
    const auto found = nodes_.find(node.Get<"name">());
    if (found != nodes_.end() && found->second.scope != epoch.scope) {
      return OfAnotherScope("node " + node.Get<"name">(), found->second.scope);
    }
  }
  return Done();
}

Status MemoryCore::CheckLoad(const Epoch& epoch, std::span<const Load> load) const {
  for (const Load& each : load) {
    SHEAF_TRY(each.row().Check());
    const auto found = load_.find(each.Get<"job_id">());
    if (found != load_.end() && found->second.scope != epoch.scope) {
      return OfAnotherScope("the load of job " + std::to_string(each.Get<"job_id">()),
                            found->second.scope);
    }
  }
  return Done();
}

void MemoryCore::Recount(const std::string& node) {
  Counters counters;
  for (auto at = shares_.lower_bound({node, INT64_MIN, INT64_MIN});
       at != shares_.end() && at->first.node == node; ++at) {
    counters.Add(at->second);
  }
  Node& counted = nodes_.at(node).node;
  counted = WithCounters(counted, counters);
}

void MemoryCore::PutNode(const Epoch& epoch, const Node& node) {
  const auto name = node.Get<"name">();
  nodes_.insert_or_assign(name, OwnedNode{epoch.scope, node});
  Recount(name);
}

Result<int64_t> MemoryCore::Begin(const Epoch& epoch, const Resources& resources) {
  SHEAF_TRY(CheckResources(resources));
  SHEAF_ASSIGN(Scope * scope, Own(epoch, false));
  SHEAF_TRY(CheckNodes(epoch, resources.nodes));
  SHEAF_TRY(CheckLoad(epoch, resources.load));
  std::erase_if(shares_,
                [&](const auto& each) { return nodes_.at(each.first.node).scope == epoch.scope; });
  std::erase_if(nodes_, [&](const auto& each) { return each.second.scope == epoch.scope; });
  std::erase_if(load_, [&](const auto& each) { return each.second.scope == epoch.scope; });
  for (const Share& share : resources.shares) shares_.insert_or_assign(KeyOf(share), share);
  for (const Node& node : resources.nodes) PutNode(epoch, node);
  for (const Load& each : resources.load) {
    load_.insert_or_assign(each.Get<"job_id">(), OwnedLoad{epoch.scope, each});
  }
  return ++scope->resources;
}

Status MemoryCore::PutNodes(const Epoch& epoch, std::span<const Node> nodes) {
  SHEAF_TRY(Own(epoch, false));
  SHEAF_TRY(CheckNodes(epoch, nodes));
  for (const Node& node : nodes) PutNode(epoch, node);
  return Done();
}

Status MemoryCore::AddShare(const Epoch& epoch, const Share& share) {
  SHEAF_TRY(share.row().Check());
  SHEAF_TRY(Own(epoch, false));
  const ShareKey key = KeyOf(share);
  const auto node = nodes_.find(key.node);
  if (node == nodes_.end()) return NoNode(key.node);
  if (node->second.scope != epoch.scope) {
    return OfAnotherScope("node " + key.node, node->second.scope);
  }
  const auto [at, fresh] = shares_.emplace(key, share);
  if (!fresh && !(at->second == share)) return OtherShare(key);
  Recount(key.node);
  return Done();
}

Result<Share*> MemoryCore::OwnShare(const Epoch& epoch, const ShareKey& key) {
  SHEAF_TRY(Own(epoch, false));
  const auto found = shares_.find(key);
  if (found == shares_.end()) return static_cast<Share*>(nullptr);
  const std::string& owner = nodes_.at(key.node).scope;
  if (owner != epoch.scope) return OfAnotherScope("node " + key.node, owner);
  return &found->second;
}

Result<Present> MemoryCore::UpdateShare(const Epoch& epoch, const ShareKey& key,
                                        const ShareChange& change) {
  if (change.state && !records::IsUtf8(*change.state)) {
    return Fail(Kind::kInvalid, "a share's state is not UTF-8");
  }
  SHEAF_ASSIGN(Share * share, OwnShare(epoch, key));
  if (share == nullptr) return Present::kNo;
  if (change.state) share->Set<"state">(*change.state);
  if (change.pid) share->Set<"pid">(*change.pid);
  if (change.init_time) share->Set<"init_time">(*change.init_time);
  if (change.investment) share->Set<"investment">(*change.investment);
  return Present::kYes;
}

Result<Present> MemoryCore::MarkShare(const Epoch& epoch, const ShareKey& key, ShareFlag flag) {
  SHEAF_ASSIGN(Share * share, OwnShare(epoch, key));
  if (share == nullptr) return Present::kNo;
  switch (flag) {
    case ShareFlag::kFixed: share->Set<"fixed">(true); break;
    case ShareFlag::kPurged: share->Set<"purged">(true); break;
    case ShareFlag::kEvicted: share->Set<"evicted">(true); break;
  }
  Recount(key.node);
  return Present::kYes;
}

Result<Present> MemoryCore::RemoveShare(const Epoch& epoch, const ShareKey& key) {
  SHEAF_ASSIGN(Share * share, OwnShare(epoch, key));
  if (share == nullptr) return Present::kNo;
  shares_.erase(key);
  Recount(key.node);
  return Present::kYes;
}

Status MemoryCore::SetLoad(const Epoch& epoch, std::span<const Load> load) {
  SHEAF_TRY(Own(epoch, false));
  SHEAF_TRY(CheckLoad(epoch, load));
  std::erase_if(load_, [&](const auto& each) { return each.second.scope == epoch.scope; });
  for (const Load& each : load) {
    load_.insert_or_assign(each.Get<"job_id">(), OwnedLoad{epoch.scope, each});
  }
  return Done();
}

Resources MemoryCore::Read() const {
  Resources all;
  for (const auto& [name, owned] : nodes_) all.nodes.push_back(owned.node);
  for (const auto& [key, share] : shares_) all.shares.push_back(share);
  for (const auto& [job, owned] : load_) all.load.push_back(owned.load);
  return all;
}

Result<Node> MemoryCore::Machine(std::string_view name) const {
  const auto found = nodes_.find(name);
  if (found == nodes_.end()) return NoNode(name);
  return found->second.node;
}

}  // namespace sheaf::persistence
