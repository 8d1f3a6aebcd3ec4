#include "sheaf/host/chronicle/registrar.h"

#include <algorithm>
#include <utility>

namespace sheaf::chronicle {
namespace {

using persistence::ActiveState;
using persistence::Registration;
using persistence::Submitted;

const char* Word(bool yes) { return yes ? "true" : "false"; }

}  // namespace

std::string EndpointOf(const Offered& offered) {
  return "SHEAF:" + offered.node + ":" + offered.service;
}

Registration RegistrationOf(int64_t id, const Offered& offered, WallTime now) {
  Registration registration{.id = id};
  Submitted& submitted = registration.submitted;
  submitted.Set<"description">("service " + offered.service + " of module " + offered.module)
      .Set<"service_request_endpoint">(EndpointOf(offered));
  ActiveState& state = registration.state;
  const std::string at = time::ToText(now);
  state.Set<"endpoint">(EndpointOf(offered))
      .Set<"enabled">("true")
      .Set<"autostart">("true")
      .Set<"instances">("1")
      .Set<"ping-active">("true")
      .Set<"ping-only">("false")
      .Set<"service-alive">(Word(offered.available))
      .Set<"service-healthy">(Word(offered.available))
      .Set<"service-state">(offered.available ? "Available" : "NotAvailable")
      .Set<"service-type">("Registered")
      .Set<"service-class">("Sheaf")
      .Set<"user">("sheaf")
      .Set<"last-ping">(std::to_string(now.micros / 1000))
      .Set<"last-ping-readable">(at)
      .Set<"registration-date">(at)
      .Set<"registration-date-millis">(std::to_string(now.micros / 1000));
  if (!offered.reason.empty()) state.Set<"submit-error">(offered.reason);
  return registration;
}

Status Registrar::TakeIt() {
  if (epoch_.has_value()) return Done();
  SHEAF_ASSIGN(auto epoch, fencing_.Acquire(persistence::kClusterScope, holder_));
  SHEAF_ASSIGN(const auto live, registry_.Live());
  SHEAF_ASSIGN(const auto archived, registry_.Archived());
  for (const auto& one : archived) next_id_ = std::max(next_id_, one.id + 1);
  for (const auto& one : live) {
    next_id_ = std::max(next_id_, one.id + 1);
    registered_.insert_or_assign(one.state.Get<"endpoint">(), one);
  }
  epoch_ = std::move(epoch);
  return Done();
}

Status Registrar::SyncOne(const Offered& offered, WallTime now) {
  const std::string endpoint = EndpointOf(offered);
  const auto known = written_.find(endpoint);
  if (known != written_.end() && known->second == offered) return Done();
  SHEAF_TRY(TakeIt());
  const auto found = registered_.find(endpoint);
  if (found == registered_.end()) {
    Registration fresh = RegistrationOf(next_id_, offered, now);
    SHEAF_TRY(registry_.Store(*epoch_, fresh));
    ++next_id_;
    registered_.emplace(endpoint, std::move(fresh));
  } else {
    // Without a question: what is written may wait for a database that is away, answers cannot.
    const Registration& old = found->second;
    Registration fresh = RegistrationOf(old.id, offered, now);
    const auto keep = [&]<records::Name kName>() {
      if (const auto* was = old.state.Find<kName>()) fresh.state.Set<kName>(*was);
    };
    keep.template operator()<"registration-date">();
    keep.template operator()<"registration-date-millis">();
    SHEAF_TRY(registry_.UpdateSubmitted(*epoch_, old.id, fresh.submitted));
    SHEAF_TRY(registry_.UpdateState(*epoch_, old.id, fresh.state));
    found->second = std::move(fresh);
  }
  written_.insert_or_assign(endpoint, offered);
  return Done();
}

Status Registrar::Sync(const std::vector<Offered>& offered, WallTime now) {
  if (lost_) return Done();
  for (const Offered& one : offered) {
    Status synced = SyncOne(one, now);
    if (synced.ok()) continue;
    lost_ = persistence::IsOwnershipLost(synced.error());
    return synced;
  }
  return Done();
}

void Registrar::Release() {
  if (epoch_.has_value() && !lost_) (void)fencing_.Release(*epoch_);
  epoch_.reset();
}

}  // namespace sheaf::chronicle
