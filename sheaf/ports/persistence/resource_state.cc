#include "sheaf/ports/persistence/resource_state.h"

#include <algorithm>

namespace sheaf::persistence {
namespace {

bool CanBeGiven(const Node& node) {
  return node.Get<"responsive">() && node.Get<"online">() && !node.Get<"quiesced">() &&
         !node.Get<"blacklisted">();
}

}  // namespace

ShareKey KeyOf(const Share& share) {
  return {share.Get<"node">(), share.Get<"ducc_dbid">(), share.Get<"job_id">()};
}

std::string_view ShareFlagName(ShareFlag flag) {
  switch (flag) {
    case ShareFlag::kFixed: return "fixed";
    case ShareFlag::kPurged: return "purged";
    case ShareFlag::kEvicted: return "evicted";
  }
  __builtin_unreachable();
}

std::string_view VerdictName(Provisioning::Verdict verdict) {
  switch (verdict) {
    case Provisioning::Verdict::kUnder: return "under";
    case Provisioning::Verdict::kSufficient: return "sufficient";
    case Provisioning::Verdict::kOver: return "over";
  }
  __builtin_unreachable();
}

Provisioning Judge(const Resources& resources) {
  Provisioning judged;
  for (const Node& node : resources.nodes) {
    if (!CanBeGiven(node)) continue;
    judged.shares_total += node.Get<"share_order">();
    judged.shares_free += std::max(node.Get<"shares_left">(), 0);
  }
  for (const Load& load : resources.load) {
    judged.shares_wanted +=
        std::max<int64_t>(int64_t{load.Get<"demand">()} - load.Get<"occupancy">(), 0);
  }
  const std::string free = std::to_string(judged.shares_free) + " of " +
                           std::to_string(judged.shares_total) + " shares are free";
  if (judged.shares_wanted > judged.shares_free) {
    judged.verdict = Provisioning::Verdict::kUnder;
    judged.reason = std::to_string(judged.shares_wanted) + " shares are wanted, " + free;
  } else if (judged.shares_wanted == 0 && judged.shares_free * 2 > judged.shares_total) {
    judged.verdict = Provisioning::Verdict::kOver;
    judged.reason = "nothing is wanted, " + free;
  } else {
    judged.reason = std::to_string(judged.shares_wanted) + " shares are wanted, " + free;
  }
  return judged;
}

}  // namespace sheaf::persistence
