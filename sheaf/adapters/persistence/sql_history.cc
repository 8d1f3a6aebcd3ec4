// Fencing and WorkHistory in SQL.
#include "sheaf/adapters/persistence/sql_history.h"

#include <algorithm>
#include <numeric>

#include "sheaf/adapters/persistence/checks.h"
#include "sheaf/adapters/persistence/own_tables.h"
#include "sheaf/adapters/persistence/sql_dialect.h"

namespace sheaf::persistence {
namespace {

using records::Blob;

Row NewScope(std::string_view scope) {
  Row fresh(kScopeTable);
  fresh.At("scope") = std::string(scope);
  fresh.At("generation") = int64_t{0};
  fresh.At("resources") = int64_t{0};
  fresh.At("number") = int64_t{0};
  return fresh;
}

// The scope's row, which is nobody else's until the transaction is over.
Result<Row> HoldScope(SqlSession& session, std::string_view scope) {
  const Values key = {std::string(scope)};
  SHEAF_ASSIGN(auto found, HoldRow(session, kScopeTable, key));
  if (found.has_value()) return *std::move(found);
  // Two who find no row must not both begin it, nor two scopes take the same slot.
  if (const Sql wait = WaitingForOthers(session.dialect()); !wait.empty()) {
    SHEAF_TRY(
        session.Query(wait, {}, {records::ColumnType::kString}, [](Values) { return Done(); }));
    SHEAF_ASSIGN(found, HoldRow(session, kScopeTable, key));
    if (found.has_value()) return *std::move(found);
  }
  Row fresh = NewScope(scope);
  SHEAF_ASSIGN(const int64_t scopes,
               ReadNumber(session, Sql("SELECT count(*) FROM ") + Sql::Name(kScopeTable.name), {}));
  fresh.At("slot") = static_cast<int32_t>(scopes);
  return fresh;
}

void Pass(Row& scope, std::string_view holder) {
  scope.At("number") = Get<int64_t>(scope, "number") + 1;
  scope.At("holder") = std::string(holder);
  scope.At("start") = static_cast<int32_t>(Start::kNone);
}

Epoch EpochOf(const Row& scope) {
  return {Get<std::string>(scope, "scope"), static_cast<uint64_t>(Get<int64_t>(scope, "number")),
          Get<std::string>(scope, "holder")};
}

Result<Work> WorkOf(const Row& row) {
  auto work = DecodeWork(Get<Blob>(row, "work").bytes);
  if (work.ok()) return work;
  return std::move(work).error().In(Get<std::string>(row, "type") + " " +
                                    std::to_string(Get<int64_t>(row, "ducc_id")));
}

}  // namespace

Result<Epoch> SqlFencing::Acquire(std::string_view scope, std::string_view holder) {
  SHEAF_TRY(CheckScope(scope));
  if (!records::IsUtf8(holder)) return Fail(Kind::kInvalid, "a holder's name is not UTF-8");
  Epoch epoch;
  SHEAF_TRY(store_->Write([&](SqlSession& session) -> Status {
    SHEAF_ASSIGN(Row row, HoldScope(session, scope));
    Pass(row, holder);
    epoch = EpochOf(row);
    return UpsertRow(session, row);
  }));
  return epoch;
}

Result<Epoch> SqlFencing::Holder(std::string_view scope) {
  SHEAF_TRY(CheckScope(scope));
  Epoch epoch;
  SHEAF_TRY(store_->Read([&](SqlSession& session) -> Status {
    const Values key = {std::string(scope)};
    SHEAF_ASSIGN(const auto row, FindRow(session, kScopeTable, key));
    epoch = EpochOf(row.has_value() ? *row : NewScope(scope));
    return Done();
  }));
  return epoch;
}

Status SqlFencing::Release(const Epoch& epoch) {
  return store_->Write([&](SqlSession& session) -> Status {
    auto row = Own(session, epoch, Needs::kEpoch);
    if (!row.ok()) {
      if (IsOwnershipLost(row.error())) return Done();
      return std::move(row).error();
    }
    Pass(*row, "");
    return UpsertRow(session, *row);
  });
}

void AddWork(SqlSession& session, const Work& work, std::vector<SqlStatement>& statements) {
  const auto type = std::string(WorkTypeName(work.type));
  Row row(HistoryTable(work.type));
  row.At("type") = type;
  row.At("ducc_id") = work.id;
  row.At("history") = true;
  row.At("work") = Blob{EncodeWork(work)};
  statements.push_back(ToInsert(session, std::move(row)));
  for (Row& summary : SummaryRows(work)) {
    statements.push_back(ToInsert(session, std::move(summary)));
  }
  if (work.specification.empty()) return;
  Row specification(records::kDuccworks);
  specification.At("type") = type;
  specification.At("ducc_id") = work.id;
  specification.At("specification") = work.specification;
  statements.push_back(ToUpsert(session, std::move(specification)));
}

Result<Saved> SaveWork(SqlSession& session, const Work& work) {
  const Values key = {std::string(WorkTypeName(work.type)), work.id};
  SHEAF_ASSIGN(const auto there, FindRow(session, HistoryTable(work.type), key));
  if (there.has_value()) {
    if (Get<Blob>(*there, "work").bytes == EncodeWork(work)) return Saved::kAlready;
    return OtherDocument(work.type, work.id);
  }
  std::vector<SqlStatement> statements;
  AddWork(session, work, statements);
  SHEAF_TRY(session.RunAll(statements));
  return Saved::kNew;
}

Result<std::vector<Saved>> SqlHistory::Save(const Epoch& epoch, std::span<const Work> works) {
  SHEAF_TRY(CheckNodeEpoch(epoch));
  SHEAF_TRY(CheckWorks(works));
  // All write in one order: two who each wait for what the other wrote would wait for ever.
  std::vector<size_t> order(works.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return std::pair(works[a].type, works[a].id) < std::pair(works[b].type, works[b].id);
  });
  std::vector<Saved> saved(works.size());
  SHEAF_TRY(store_->Write([&](SqlSession& session) -> Status {
    SHEAF_TRY(Own(session, epoch, Needs::kEpoch));
    for (const size_t i : order) {
      SHEAF_ASSIGN(saved[i], SaveWork(session, works[i]));
    }
    return Done();
  }));
  return saved;
}

Result<Work> SqlHistory::Get(WorkType type, int64_t id) {
  const Values key = {std::string(WorkTypeName(type)), id};
  std::optional<Row> row;
  SHEAF_TRY(store_->Read([&](SqlSession& session) -> Status {
    SHEAF_ASSIGN(row, FindRow(session, HistoryTable(type), key));
    return Done();
  }));
  if (!row.has_value()) return NoWork(type, id);
  return WorkOf(*row);
}

Result<std::vector<Work>> SqlHistory::Newest(WorkType type, size_t n) {
  const Values key = {std::string(WorkTypeName(type)),
                      static_cast<int64_t>(std::min<size_t>(n, INT32_MAX))};
  std::vector<Work> works;
  SHEAF_TRY(store_->Read([&](SqlSession& session) -> Status {
    const Table& table = HistoryTable(type);
    const Sql sql = records::SelectByKey(table, session.dialect(), 1) + " ORDER BY " +
                    Sql::Name("ducc_id") + " DESC LIMIT " +
                    records::Parameter(2, session.dialect());
    SHEAF_ASSIGN(const auto rows, ReadRows(session, table, sql, key));
    for (const Row& row : rows) {
      SHEAF_ASSIGN(Work work, WorkOf(row));
      works.push_back(std::move(work));
    }
    return Done();
  }));
  return works;
}

Result<Restored> SqlHistory::Restore(const Epoch& epoch, RestoreMode mode) {
  SHEAF_TRY(CheckNodeEpoch(epoch));
  Restored restored;
  SHEAF_TRY(store_->Write([&](SqlSession& session) -> Status {
    SHEAF_ASSIGN(Row scope, Own(session, epoch, Needs::kEpoch));
    if (mode == RestoreMode::kCold) {
      scope.At("start") = static_cast<int32_t>(Start::kCold);
      return UpsertRow(session, scope);
    }
    SHEAF_ASSIGN(Chain chain, ReadChain(session, scope));
    scope.At("start") = static_cast<int32_t>(Start::kWarm);
    // Nothing may be added behind what is damaged: what was read begins a generation of its own.
    if (chain.restored.set_aside.empty()) {
      SHEAF_TRY(UpsertRow(session, scope));
    } else {
      SHEAF_TRY(PutBase(session, scope, chain.restored.live, chain.last_change, limits_));
    }
    restored = std::move(chain.restored);
    return Done();
  }));
  return restored;
}

Status SqlHistory::Checkpoint(const Epoch& epoch, const LiveWork& live) {
  SHEAF_TRY(CheckNodeEpoch(epoch));
  SHEAF_TRY(EncodeBase(live));
  return store_->Write([&](SqlSession& session) -> Status {
    SHEAF_ASSIGN(Row scope, Own(session, epoch, Needs::kRestored));
    SHEAF_ASSIGN(const int64_t last, LastChange(session, scope));
    scope.At("start") = static_cast<int32_t>(Start::kWarm);
    return PutBase(session, scope, live, last, limits_);
  });
}

Status SqlHistory::Change(const Epoch& epoch, const ChangeSet& change) {
  SHEAF_TRY(CheckNodeEpoch(epoch));
  SHEAF_TRY(EncodeChange(change));
  SHEAF_TRY(store_->Write([&](SqlSession& session) -> Status {
    SHEAF_ASSIGN(Row scope, Own(session, epoch, Needs::kRestored));
    return PutChange(session, scope, change, limits_);
  }));
  Grown(epoch.scope, change);
  return Done();
}

Result<Saved> SqlHistory::Finish(const Epoch& epoch, const Work& work, const ChangeSet& leaving) {
  SHEAF_TRY(CheckNodeEpoch(epoch));
  SHEAF_TRY(CheckWork(work));
  SHEAF_TRY(EncodeChange(leaving));
  Saved saved = Saved::kNew;
  SHEAF_TRY(store_->Write([&](SqlSession& session) -> Status {
    SHEAF_ASSIGN(Row scope, Own(session, epoch, Needs::kRestored));
    SHEAF_ASSIGN(saved, SaveWork(session, work));
    return PutChange(session, scope, leaving, limits_);
  }));
  Grown(epoch.scope, leaving);
  return saved;
}

void SqlHistory::Grown(const std::string& scope, const ChangeSet& change) {
  constexpr size_t kEach = 64;  // What a row costs beside its texts, roughly.
  size_t bytes = kEach;
  for (const auto& [id, text] : change.put) bytes += text.size() + kEach;
  bytes += (change.removed.size() + change.linked.size() + change.unlinked.size()) * kEach;
  {
    MutexLock lock(mutex_);
    size_t& grown = grown_[scope];
    grown += bytes;
    if (grown < limits_.chain_bytes_max) return;
    grown = 0;
  }
  compact_(scope);
}

}  // namespace sheaf::persistence
