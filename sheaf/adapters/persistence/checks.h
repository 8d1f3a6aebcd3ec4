// What every back end refuses before it asks its database.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>

#include "sheaf/ports/persistence/persistence.h"

namespace sheaf::persistence {

// kInvalid: the epoch is not of a node, not of the cluster.
Status CheckNodeEpoch(const Epoch& epoch);
Status CheckClusterEpoch(const Epoch& epoch);
Status CheckLimit(const SummaryQuery& query);
Status CheckRegistration(const Registration& registration);
Status CheckHalf(const Submitted& submitted);
Status CheckHalf(const ActiveState& state);
Status CheckWorks(std::span<const Work> works);
// Rows fit their columns, and shares lie on nodes that are given.
Status CheckResources(const Resources& resources);

Error NotRestored(const Epoch& epoch);
Error OtherDocument(WorkType type, int64_t id);
Error NoWork(WorkType type, int64_t id);
Error NoRegistration(int64_t id);
Error OtherRegistration(int64_t id);
Error NoNode(std::string_view name);
Error OtherShare(const ShareKey& key);
Error OfAnotherScope(std::string_view what, std::string_view owner);

// A half as it is shown: without the id, which is told apart.
ActiveState WithoutId(const ActiveState& state);

// A node's counters as its shares have it.
struct Counters {
  int32_t order = 0, count = 0, fixed = 0;
  void Add(const Share& share);
};
Node WithCounters(Node node, const Counters& counters);

}  // namespace sheaf::persistence
