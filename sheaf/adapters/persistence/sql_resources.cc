#include "sheaf/adapters/persistence/sql_resources.h"

#include <algorithm>

#include "sheaf/adapters/persistence/checks.h"
#include "sheaf/adapters/persistence/own_tables.h"

namespace sheaf::persistence {
namespace {

constexpr std::string_view kNodeKind = "node", kLoadKind = "load";

Values KeyValues(const ShareKey& key) { return {key.node, key.ducc_dbid, key.job_id}; }

// The scope a resource belongs to; empty when nobody put it.
Result<std::string> OwnerOf(SqlSession& session, std::string_view kind, std::string_view name) {
  const Values key = {std::string(kind), std::string(name)};
  SHEAF_ASSIGN(const auto row, FindRow(session, kOwnerTable, key));
  return row.has_value() ? Get<std::string>(*row, "scope") : std::string();
}

// Takes what is free or the scope's already; kConflict when it is another's.
Status Claim(SqlSession& session, const Epoch& epoch, std::string_view kind,
             std::string_view name) {
  SHEAF_ASSIGN(const std::string owner, OwnerOf(session, kind, name));
  if (owner == epoch.scope) return Done();
  if (!owner.empty()) {
    return OfAnotherScope(
        std::string(kind == kNodeKind ? "node " : "the load of job ") + std::string(name), owner);
  }
  Row row(kOwnerTable);
  row.At("kind") = std::string(kind);
  row.At("key") = std::string(name);
  row.At("scope") = epoch.scope;
  return InsertRow(session, row);
}

Result<std::vector<Row>> SharesOf(SqlSession& session, const std::string& node) {
  const Values key = {node};
  return ReadRows(session, records::kRmshares,
                  records::SelectByKey(records::kRmshares, session.dialect(), 1), key);
}

// Writes the node with the counters its shares give.
Status PutNode(SqlSession& session, const Node& node) {
  Counters counters;
  SHEAF_ASSIGN(const auto shares, SharesOf(session, node.Get<"name">()));
  for (const Row& share : shares) counters.Add(Share::Of(share));
  return UpsertRow(session, WithCounters(node, counters).row());
}

Result<std::optional<Node>> FindNode(SqlSession& session, std::string_view name) {
  const Values key = {std::string(name)};
  SHEAF_ASSIGN(const auto row, FindRow(session, records::kRmnodes, key));
  if (!row.has_value()) return std::optional<Node>();
  return std::optional(Node::Of(*row));
}

Status Recount(SqlSession& session, std::string_view name) {
  SHEAF_ASSIGN(const auto node, FindNode(session, name));
  if (!node.has_value()) {
    return Fail(Kind::kCorrupt, "shares lie on node '" + std::string(name) + "', which is gone");
  }
  return PutNode(session, *node);
}

// What the scope owns of a kind, by name.
Result<std::vector<std::string>> Owned(SqlSession& session, const Epoch& epoch,
                                       std::string_view kind) {
  const Values values = {std::string(kind), epoch.scope};
  const Sql sql = records::SelectByKey(kOwnerTable, session.dialect(), 1) + " AND " +
                  Sql::Name("scope") + "=" + records::Parameter(2, session.dialect());
  SHEAF_ASSIGN(const auto rows, ReadRows(session, kOwnerTable, sql, values));
  std::vector<std::string> names;
  for (const Row& row : rows) names.push_back(Get<std::string>(row, "key"));
  return names;
}

Status Delete(SqlSession& session, const Table& table, const Values& key) {
  SHEAF_TRY(session.Run(records::DeleteByKey(table, session.dialect(), key.size()), key));
  return Done();
}

Status DropNodes(SqlSession& session, const Epoch& epoch) {
  SHEAF_ASSIGN(const auto names, Owned(session, epoch, kNodeKind));
  std::vector<SqlStatement> statements;
  for (const std::string& name : names) {
    statements.push_back(ToDelete(session, records::kRmshares, {name}));
    statements.push_back(ToDelete(session, records::kRmnodes, {name}));
    statements.push_back(ToDelete(session, kOwnerTable, {std::string(kNodeKind), name}));
  }
  return session.RunAll(statements);
}

Status ReplaceLoad(SqlSession& session, const Epoch& epoch, std::span<const Load> load) {
  SHEAF_ASSIGN(const auto names, Owned(session, epoch, kLoadKind));
  std::vector<SqlStatement> statements;
  for (const std::string& name : names) {
    const auto job = static_cast<int64_t>(std::stoll(name));
    statements.push_back(ToDelete(session, records::kRmload, {job}));
    statements.push_back(ToDelete(session, kOwnerTable, {std::string(kLoadKind), name}));
  }
  SHEAF_TRY(session.RunAll(statements));
  statements.clear();
  for (const Load& each : load) {
    SHEAF_TRY(Claim(session, epoch, kLoadKind, std::to_string(each.Get<"job_id">())));
    statements.push_back(ToUpsert(session, each.row()));
  }
  return session.RunAll(statements);
}

// By their keys. Not by the database, which may have an order of its own for texts.
Result<std::vector<Row>> SortedRows(SqlSession& session, const Table& table) {
  SHEAF_ASSIGN(auto rows, ReadRows(session, table, records::Select(table), {}));
  std::vector<size_t> key;
  for (size_t i = 0; i < table.columns(); ++i) {
    if (table.ColumnAt(i).primary_key) key.push_back(i);
  }
  std::sort(rows.begin(), rows.end(), [&](const Row& a, const Row& b) {
    for (const size_t i : key) {
      if (a.values[i] != b.values[i]) return a.values[i] < b.values[i];
    }
    return false;
  });
  return rows;
}

Status CheckRows(const auto& rows) {
  for (const auto& each : rows) SHEAF_TRY(each.row().Check());
  return Done();
}

}  // namespace

Result<int64_t> SqlResources::Begin(const Epoch& epoch, const Resources& resources) {
  SHEAF_TRY(CheckResources(resources));
  int64_t generation = 0;
  SHEAF_TRY(store_->Write([&](SqlSession& session) -> Status {
    SHEAF_ASSIGN(Row scope, Own(session, epoch, Needs::kEpoch));
    SHEAF_TRY(DropNodes(session, epoch));
    for (const Node& node : resources.nodes) {
      SHEAF_TRY(Claim(session, epoch, kNodeKind, node.Get<"name">()));
    }
    std::vector<SqlStatement> shares;
    for (const Share& share : resources.shares) shares.push_back(ToUpsert(session, share.row()));
    SHEAF_TRY(session.RunAll(shares));
    for (const Node& node : resources.nodes) SHEAF_TRY(PutNode(session, node));
    SHEAF_TRY(ReplaceLoad(session, epoch, resources.load));
    generation = Get<int64_t>(scope, "resources") + 1;
    scope.At("resources") = generation;
    return UpsertRow(session, scope);
  }));
  return generation;
}

Status SqlResources::PutNodes(const Epoch& epoch, std::span<const Node> nodes) {
  SHEAF_TRY(CheckRows(nodes));
  return store_->Write([&](SqlSession& session) -> Status {
    SHEAF_TRY(Own(session, epoch, Needs::kEpoch));
    for (const Node& node : nodes) {
      SHEAF_TRY(Claim(session, epoch, kNodeKind, node.Get<"name">()));
      SHEAF_TRY(PutNode(session, node));
    }
    return Done();
  });
}

Status SqlResources::AddShare(const Epoch& epoch, const Share& share) {
  SHEAF_TRY(share.row().Check());
  const ShareKey key = KeyOf(share);
  return store_->Write([&](SqlSession& session) -> Status {
    SHEAF_TRY(Own(session, epoch, Needs::kEpoch));
    SHEAF_ASSIGN(const auto node, FindNode(session, key.node));
    if (!node.has_value()) return NoNode(key.node);
    SHEAF_TRY(Claim(session, epoch, kNodeKind, key.node));
    SHEAF_ASSIGN(const auto there, FindRow(session, records::kRmshares, KeyValues(key)));
    if (there.has_value() && !(Share::Of(*there) == share)) return OtherShare(key);
    if (there.has_value()) return Done();
    SHEAF_TRY(InsertRow(session, share.row()));
    return PutNode(session, *node);
  });
}

Result<Present> SqlResources::Touch(const Epoch& epoch, const ShareKey& key,
                                    const std::function<Status(SqlSession&, Row&)>& act) {
  Present present = Present::kNo;
  SHEAF_TRY(store_->Write([&](SqlSession& session) -> Status {
    SHEAF_TRY(Own(session, epoch, Needs::kEpoch));
    SHEAF_ASSIGN(auto row, FindRow(session, records::kRmshares, KeyValues(key)));
    if (!row.has_value()) return Done();
    SHEAF_ASSIGN(const std::string owner, OwnerOf(session, kNodeKind, key.node));
    if (owner != epoch.scope) return OfAnotherScope("node " + key.node, owner);
    SHEAF_TRY(act(session, *row));
    present = Present::kYes;
    return Recount(session, key.node);
  }));
  return present;
}

Result<Present> SqlResources::UpdateShare(const Epoch& epoch, const ShareKey& key,
                                          const ShareChange& change) {
  if (change.state && !records::IsUtf8(*change.state)) {
    return Fail(Kind::kInvalid, "a share's state is not UTF-8");
  }
  return Touch(epoch, key, [&](SqlSession& session, Row& row) {
    if (change.state) row.At("state") = *change.state;
    if (change.pid) row.At("pid") = *change.pid;
    if (change.init_time) row.At("init_time") = *change.init_time;
    if (change.investment) row.At("investment") = *change.investment;
    return UpsertRow(session, row);
  });
}

Result<Present> SqlResources::MarkShare(const Epoch& epoch, const ShareKey& key, ShareFlag flag) {
  return Touch(epoch, key, [&](SqlSession& session, Row& row) {
    row.At(ShareFlagName(flag)) = true;
    return UpsertRow(session, row);
  });
}

Result<Present> SqlResources::RemoveShare(const Epoch& epoch, const ShareKey& key) {
  return Touch(epoch, key, [&](SqlSession& session, Row&) {
    return Delete(session, records::kRmshares, KeyValues(key));
  });
}

Status SqlResources::SetLoad(const Epoch& epoch, std::span<const Load> load) {
  SHEAF_TRY(CheckRows(load));
  return store_->Write([&](SqlSession& session) -> Status {
    SHEAF_TRY(Own(session, epoch, Needs::kEpoch));
    return ReplaceLoad(session, epoch, load);
  });
}

Result<Resources> SqlResources::Read() {
  Resources all;
  SHEAF_TRY(store_->Read([&](SqlSession& session) -> Status {
    all = {};
    SHEAF_ASSIGN(const auto nodes, SortedRows(session, records::kRmnodes));
    SHEAF_ASSIGN(const auto shares, SortedRows(session, records::kRmshares));
    SHEAF_ASSIGN(const auto load, SortedRows(session, records::kRmload));
    for (const Row& row : nodes) all.nodes.push_back(Node::Of(row));
    for (const Row& row : shares) all.shares.push_back(Share::Of(row));
    for (const Row& row : load) all.load.push_back(Load::Of(row));
    return Done();
  }));
  return all;
}

Result<Node> SqlResources::Machine(std::string_view name) {
  std::optional<Node> node;
  SHEAF_TRY(store_->Read([&](SqlSession& session) -> Status {
    SHEAF_ASSIGN(node, FindNode(session, name));
    return Done();
  }));
  if (!node.has_value()) return NoNode(name);
  return *std::move(node);
}

}  // namespace sheaf::persistence
