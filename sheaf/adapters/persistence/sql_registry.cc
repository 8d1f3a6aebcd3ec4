#include "sheaf/adapters/persistence/sql_registry.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "sheaf/adapters/persistence/checks.h"

namespace sheaf::persistence {
namespace {

struct Found {
  Registration registration;
  bool archived = false;
};

// The row as it is written: the id and the directory are columns of both halves.
Row WithId(Row half, int64_t id, bool archived) {
  half.At("numeric_id") = std::to_string(id);
  half.At("is_archived") = archived;
  return half;
}

ActiveState StateOf(const Row& row) { return WithoutId(ActiveState::Of(row)); }

Result<std::optional<Found>> Find(SqlSession& session, int64_t id) {
  const Values key = {std::to_string(id)};
  SHEAF_ASSIGN(const auto submitted, FindRow(session, records::kSmreg, key));
  SHEAF_ASSIGN(const auto state, FindRow(session, records::kSmmeta, key));
  if (!submitted.has_value() && !state.has_value()) return std::optional<Found>();
  if (!submitted.has_value() || !state.has_value()) {
    return Fail(Kind::kCorrupt,
                "only one half of service " + std::to_string(id) + " is registered");
  }
  return std::optional(Found{{id, Submitted::Of(*submitted), StateOf(*state)},
                             persistence::Get<bool>(*submitted, "is_archived")});
}

Status Put(SqlSession& session, const Registration& registration, Listing listing) {
  std::vector<SqlStatement> statements;
  AddRegistration(session, registration, listing, statements);
  return session.RunAll(statements);
}

bool Same(const Registration& a, const Registration& b) {
  return a.submitted == b.submitted && WithoutId(a.state) == WithoutId(b.state);
}

Result<int64_t> IdOf(const Row& row) {
  const auto text = persistence::Get<std::string>(row, "numeric_id");
  int64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size()) {
    return Fail(Kind::kCorrupt, "a registration has the id '" + text + "'");
  }
  return id;
}

}  // namespace

void AddRegistration(SqlSession& session, const Registration& registration, Listing listing,
                     std::vector<SqlStatement>& statements) {
  const bool archived = listing == Listing::kArchived;
  for (const Row& half : {registration.submitted.row(), registration.state.row()}) {
    statements.push_back(ToUpsert(session, WithId(half, registration.id, archived)));
  }
}

Result<Saved> SaveRegistration(SqlSession& session, const Registration& registration,
                               Listing listing) {
  SHEAF_ASSIGN(const auto found, Find(session, registration.id));
  if (!found.has_value()) {
    SHEAF_TRY(Put(session, registration, listing));
    return Saved::kNew;
  }
  const bool archived = listing == Listing::kArchived;
  if (found->archived != archived || !Same(found->registration, registration)) {
    return OtherRegistration(registration.id);
  }
  return Saved::kAlready;
}

Status SqlRegistry::Store(const Epoch& epoch, const Registration& registration) {
  SHEAF_TRY(CheckClusterEpoch(epoch));
  SHEAF_TRY(CheckRegistration(registration));
  return store_->Write([&](SqlSession& session) -> Status {
    SHEAF_TRY(Own(session, epoch, Needs::kEpoch));
    SHEAF_TRY(SaveRegistration(session, registration, Listing::kLive));
    return Done();
  });
}

Status SqlRegistry::Update(const Epoch& epoch, int64_t id, const Row& half) {
  SHEAF_TRY(CheckClusterEpoch(epoch));
  return store_->Write([&](SqlSession& session) -> Status {
    SHEAF_TRY(Own(session, epoch, Needs::kEpoch));
    SHEAF_ASSIGN(const auto found, Find(session, id));
    if (!found.has_value() || found->archived) return NoRegistration(id);
    return UpsertRow(session, WithId(half, id, false));
  });
}

Status SqlRegistry::UpdateSubmitted(const Epoch& epoch, int64_t id, const Submitted& submitted) {
  SHEAF_TRY(CheckHalf(submitted));
  return Update(epoch, id, submitted.row());
}

Status SqlRegistry::UpdateState(const Epoch& epoch, int64_t id, const ActiveState& state) {
  SHEAF_TRY(CheckHalf(state));
  return Update(epoch, id, state.row());
}

Status SqlRegistry::Archive(const Epoch& epoch, const Registration& last) {
  SHEAF_TRY(CheckClusterEpoch(epoch));
  SHEAF_TRY(CheckRegistration(last));
  return store_->Write([&](SqlSession& session) -> Status {
    SHEAF_TRY(Own(session, epoch, Needs::kEpoch));
    SHEAF_ASSIGN(const auto found, Find(session, last.id));
    if (!found.has_value()) return NoRegistration(last.id);
    if (!found->archived) return Put(session, last, Listing::kArchived);
    if (!Same(found->registration, last)) return OtherRegistration(last.id);
    return Done();
  });
}

Result<Registration> SqlRegistry::Get(int64_t id) {
  std::optional<Found> found;
  SHEAF_TRY(store_->Read([&](SqlSession& session) -> Status {
    SHEAF_ASSIGN(found, Find(session, id));
    return Done();
  }));
  if (!found.has_value()) return NoRegistration(id);
  return std::move(found->registration);
}

Result<std::vector<Registration>> SqlRegistry::All(Listing listing) {
  std::map<int64_t, Registration> all;
  SHEAF_TRY(store_->Read([&](SqlSession& session) -> Status {
    SHEAF_ASSIGN(const auto halves,
                 ReadRows(session, records::kSmreg, records::Select(records::kSmreg), {}));
    for (const Row& half : halves) {
      const bool archived = persistence::Get<bool>(half, "is_archived");
      if (archived != (listing == Listing::kArchived)) continue;
      SHEAF_ASSIGN(const int64_t id, IdOf(half));
      all[id] = {id, Submitted::Of(half), {}};
    }
    SHEAF_ASSIGN(const auto states,
                 ReadRows(session, records::kSmmeta, records::Select(records::kSmmeta), {}));
    for (const Row& state : states) {
      SHEAF_ASSIGN(const int64_t id, IdOf(state));
      if (const auto found = all.find(id); found != all.end()) {
        found->second.state = StateOf(state);
      }
    }
    return Done();
  }));
  std::vector<Registration> sorted;
  for (auto& [id, one] : all) sorted.push_back(std::move(one));
  return sorted;
}

}  // namespace sheaf::persistence
