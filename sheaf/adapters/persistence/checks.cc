#include "sheaf/adapters/persistence/checks.h"

namespace sheaf::persistence {
namespace {

std::string NameOf(WorkType type, int64_t id) {
  return std::string(WorkTypeName(type)) + " " + std::to_string(id);
}

// The row with a key, as the back end will write it.
Status CheckWithId(records::Row row) {
  row.At("numeric_id") = std::string("0");
  return row.Check();
}

}  // namespace

Status CheckNodeEpoch(const Epoch& epoch) {
  SHEAF_TRY(CheckScope(epoch.scope));
  if (epoch.scope != kClusterScope) return Done();
  return Fail(Kind::kInvalid, "history is written under a node's epoch, not the cluster's");
}

Status CheckClusterEpoch(const Epoch& epoch) {
  if (epoch.scope == kClusterScope) return Done();
  return Fail(Kind::kInvalid,
              "the registry is written under the cluster's epoch, not that of " + epoch.scope);
}

Status CheckLimit(const SummaryQuery& query) {
  if (query.limit > 0 && query.limit <= kPageMax) return Done();
  return Fail(Kind::kInvalid, "a page has 1 to " + std::to_string(kPageMax) + " rows, not " +
                                  std::to_string(query.limit));
}

Status CheckHalf(const Submitted& submitted) { return CheckWithId(submitted.row()); }
Status CheckHalf(const ActiveState& state) { return CheckWithId(state.row()); }

Status CheckRegistration(const Registration& registration) {
  SHEAF_TRY(CheckHalf(registration.submitted));
  return CheckHalf(registration.state);
}

Status CheckWorks(std::span<const Work> works) {
  for (const Work& work : works) SHEAF_TRY(CheckWork(work));
  return Done();
}

Status CheckResources(const Resources& resources) {
  std::set<std::string> names;
  for (const Node& node : resources.nodes) {
    SHEAF_TRY(node.row().Check());
    names.insert(node.Get<"name">());
  }
  for (const Share& share : resources.shares) {
    SHEAF_TRY(share.row().Check());
    if (!names.contains(share.Get<"node">())) return NoNode(share.Get<"node">());
  }
  for (const Load& load : resources.load) SHEAF_TRY(load.row().Check());
  return Done();
}

Error NotRestored(const Epoch& epoch) {
  return Fail(Kind::kNotReady, "nothing is checkpointed for " + epoch.scope +
                                   " before it was restored, warm or cold");
}
Error OtherDocument(WorkType type, int64_t id) {
  return Fail(Kind::kConflict, "history has another document of " + NameOf(type, id));
}
Error NoWork(WorkType type, int64_t id) {
  return Fail(Kind::kNotFound, "history has no " + NameOf(type, id));
}
Error NoRegistration(int64_t id) {
  return Fail(Kind::kNotFound, "no service " + std::to_string(id) + " is registered");
}
Error OtherRegistration(int64_t id) {
  return Fail(Kind::kConflict, "another service is registered as " + std::to_string(id));
}
Error NoNode(std::string_view name) {
  return Fail(Kind::kNotFound, "no node is called '" + std::string(name) + "'");
}
Error OtherShare(const ShareKey& key) {
  return Fail(Kind::kConflict, "another share " + std::to_string(key.ducc_dbid) + " of job " +
                                   std::to_string(key.job_id) + " is on " + key.node);
}
Error OfAnotherScope(std::string_view what, std::string_view owner) {
  return Fail(Kind::kConflict, std::string(what) + " belongs to " + std::string(owner));
}

ActiveState WithoutId(const ActiveState& state) {
  ActiveState shown = state;
  shown.Clear<"numeric_id">();
  return shown;
}

void Counters::Add(const Share& share) {
  order += share.Get<"share_order">();
  count += 1;
  fixed += share.Get<"fixed">() ? 1 : 0;
}

Node WithCounters(Node node, const Counters& counters) {
  node.Set<"shares_left">(node.Get<"share_order">() - counters.order);
  node.Set<"assignments">(counters.count);
  return std::move(node.Set<"np_assignments">(counters.fixed));
}

}  // namespace sheaf::persistence
