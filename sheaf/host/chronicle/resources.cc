#include "sheaf/host/chronicle/resources.h"

#include <algorithm>

#include "sheaf/host/chronicle/document.h"

namespace sheaf::chronicle {
namespace {

using persistence::Load;
using persistence::Node;
using persistence::Resources;
using persistence::Share;

Node NodeOf(const NodeFacts& facts, Presence presence) {
  const bool online = presence == Presence::kOnline;
  Node node;
  node.Set<"name">(facts.name)
      .Set<"memory">(facts.memory_gib)
      .Set<"nodepool">("default")
      .Set<"responsive">(online)
      .Set<"online">(online)
      .Set<"quiesced">(false)
      .Set<"reservable">(false)
      .Set<"ip">(facts.address)
      .Set<"quantum">(1)
      .Set<"classes">("")
      .Set<"share_order">(facts.slots)
      .Set<"blacklisted">(false)
      .Set<"heartbeats">(0);
  return node;
}

Share ShareOf(const NodeFacts& facts, const Entry& entry) {
  Share share;
  share.Set<"node">(facts.name)
      .Set<"ducc_dbid">(entry.number)
      .Set<"job_id">(entry.number)
      .Set<"share_order">(1)
      .Set<"quantum">(1)
      .Set<"evicted">(false)
      .Set<"purged">(false)
      .Set<"fixed">(false)
      .Set<"blacklisted">(false)
      .Set<"state">("Running")
      .Set<"jobtype">("Job");
  return share;
}

Load LoadOf(const Entry& entry) {
  const bool runs = entry.started.has_value();
  Load load;
  load.Set<"class">(ClassOf(entry))
      .Set<"job_id">(entry.number)
      .Set<"user">(entry.principal)
      .Set<"state">(runs ? "Running" : "WaitingForResources")
      .Set<"demand">(1)
      .Set<"occupancy">(runs ? 1 : 0)
      .Set<"jobtype">("Job");
  return load;
}

}  // namespace

Resources ResourcesOf(const NodeFacts& facts, Presence presence, const Book& book, Instant now) {
  Resources resources;
  resources.nodes.push_back(NodeOf(facts, presence));
  if (presence == Presence::kGone) return resources;
  for (const auto& [task, standing] : book.standing()) {
    if (standing.entry.place != tasks::RunBegan::Place::kOuter) continue;
    if (standing.began + kYoung > now) continue;
    resources.load.push_back(LoadOf(standing.entry));
    if (standing.entry.started) resources.shares.push_back(ShareOf(facts, standing.entry));
  }
  const auto by_job = [](const auto& a, const auto& b) {
    return a.template Get<"job_id">() < b.template Get<"job_id">();
  };
  std::sort(resources.load.begin(), resources.load.end(), by_job);
  std::sort(resources.shares.begin(), resources.shares.end(), by_job);
  return resources;
}

}  // namespace sheaf::chronicle
