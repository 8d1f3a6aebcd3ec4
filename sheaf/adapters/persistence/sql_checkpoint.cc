// The checkpoint engine: generations of a base and its chain of change sets.
#include <algorithm>

#include "sheaf/adapters/persistence/own_tables.h"
#include "sheaf/adapters/persistence/sql_store.h"
#include "sheaf/drivers/files/checksum.h"
#include "sheaf/wire/records/tables.h"

namespace sheaf::persistence {
namespace {

using files::Piece;
using records::Blob;

int64_t ChecksumOf(std::string_view scope, int64_t number, std::string_view one,
                   std::string_view two) {
  const uint64_t sizes[3] = {scope.size(), one.size(), two.size()};
  const Piece pieces[5] = {{sizes, sizeof(sizes)},
                           {scope.data(), scope.size()},
                           {&number, sizeof(number)},
                           {one.data(), one.size()},
                           {two.data(), two.size()}};
  return static_cast<int64_t>(files::Checksum(pieces));
}

std::string NameOf(const Row& scope) { return Get<std::string>(scope, "scope"); }
std::string BytesOf(const Row& row, std::string_view pname) { return Get<Blob>(row, pname).bytes; }

// Of the scope, or of one generation of it; the newest or the lowest number first.
Result<std::vector<Row>> Generations(SqlSession& session, const std::string& scope) {
  const Values key = {scope};
  const Sql sql = records::SelectByKey(kGenerationTable, session.dialect(), 1) + " ORDER BY " +
                  Sql::Name("generation") + " DESC";
  return ReadRows(session, kGenerationTable, sql, key);
}

Sql ChangesFrom(SqlSession& session) {
  return records::SelectByKey(kChangeTable, session.dialect(), 2) + " ORDER BY " +
         Sql::Name("number");
}

// The base of a generation, or what is wrong with it.
Result<LiveWork> ReadBase(SqlSession& session, const Row& generation) {
  const Values key = {generation.At("base_id")};
  SHEAF_ASSIGN(const auto row, FindRow(session, records::kOrckpt, key));
  if (!row.has_value()) return Fail(Kind::kCorrupt, "its base is missing");
  const std::string work = BytesOf(*row, "work"), processes = BytesOf(*row, "p2jmap");
  const int64_t checksum = ChecksumOf(Get<std::string>(generation, "scope"),
                                      Get<int64_t>(generation, "generation"), work, processes);
  if (checksum != Get<int64_t>(generation, "checksum")) {
    return Fail(Kind::kCorrupt, "its base is damaged");
  }
  return DecodeBase(work, processes);
}

// Applies changes as long as they are whole and none is missing; names what follows.
Status ReadChanges(SqlSession& session, const Row& generation, Chain& chain) {
  const Values key = {generation.At("scope"), generation.At("generation")};
  chain.last_change = Get<int64_t>(generation, "base_change");
  bool broken = false;
  SHEAF_ASSIGN(const auto rows, ReadRows(session, kChangeTable, ChangesFrom(session), key));
  for (const Row& row : rows) {
    const auto number = Get<int64_t>(row, "number");
    const std::string body = BytesOf(row, "body");
    const bool whole = number == chain.last_change + 1 &&
                       ChecksumOf(Get<std::string>(row, "scope"), number, body, "") ==
                           Get<int64_t>(row, "checksum");
    Result<ChangeSet> change = Fail(Kind::kCorrupt, "");
    if (!broken && whole) change = DecodeChange(body);
    if (!change.ok() && change.error().kind == Kind::kUnsupported) return change.error();
    if (!change.ok()) {
      broken = true;
      chain.restored.set_aside.push_back("change " + std::to_string(number) + " of generation " +
                                         std::to_string(Get<int64_t>(generation, "generation")));
      continue;
    }
    ApplyChange(*change, chain.restored.live);
    chain.last_change = number;
    ++chain.restored.changes;
  }
  return Done();
}

Status DropGeneration(SqlSession& session, const Row& generation) {
  const Values key = {generation.At("scope"), generation.At("generation")};
  const std::array<SqlStatement, 3> statements = {
      ToDelete(session, kChangeTable, key),
      ToDelete(session, records::kOrckpt, {generation.At("base_id")}),
      ToDelete(session, kGenerationTable, key)};
  return session.RunAll(statements);
}

// Makes room at the scope's slot: the base there gets an id below zero.
Status MoveBase(SqlSession& session, Row generation) {
  SHEAF_ASSIGN(
      const int64_t least,
      ReadNumber(session, Sql("SELECT min(") + Sql::Name("id") + ") FROM " + Sql::Name("orckpt"),
                 {}));
  const auto id = static_cast<int32_t>(std::min<int64_t>(least, 0) - 1);
  const Values values = {id, generation.At("base_id")};
  const std::array<std::string_view, 1> column = {"id"};
  SHEAF_TRY(session.Run(records::Update(records::kOrckpt, session.dialect(), column), values));
  generation.At("base_id") = id;
  return UpsertRow(session, generation);
}

}  // namespace

Result<int64_t> LastChange(SqlSession& session, const Row& scope) {
  const Values key = {scope.At("scope"), scope.At("generation")};
  const Sql of = Sql(" WHERE ") + Sql::Name("scope") + "=" +
                 records::Parameter(1, session.dialect()) + " AND " + Sql::Name("generation") +
                 "=" + records::Parameter(2, session.dialect());
  SHEAF_ASSIGN(const int64_t change, ReadNumber(session,
                                                Sql("SELECT max(") + Sql::Name("number") +
                                                    ") FROM " + Sql::Name(kChangeTable.name) + of,
                                                key));
  if (change != 0) return change;
  SHEAF_ASSIGN(const auto generation, FindRow(session, kGenerationTable, key));
  return generation.has_value() ? Get<int64_t>(*generation, "base_change") : int64_t{0};
}

Status PutBase(SqlSession& session, Row& scope, const LiveWork& live, int64_t change,
               const CheckpointLimits& limits) {
  SHEAF_ASSIGN(const EncodedBase base, EncodeBase(live));
  SHEAF_ASSIGN(const auto generations, Generations(session, NameOf(scope)));
  // The newest first; what is too old goes, room for one more is made.
  for (size_t i = std::max<size_t>(limits.generations_kept, 1) - 1; i < generations.size(); ++i) {
    SHEAF_TRY(DropGeneration(session, generations[i]));
  }
  if (!generations.empty() && limits.generations_kept > 1) {
    SHEAF_TRY(MoveBase(session, generations[0]));
  }
  const int64_t number = Get<int64_t>(scope, "generation") + 1;
  Row row(records::kOrckpt);
  row.At("id") = Get<int32_t>(scope, "slot");
  row.At("work") = Blob{base.work};
  row.At("p2jmap") = Blob{base.process_to_job};
  SHEAF_TRY(UpsertRow(session, row));
  Row generation(kGenerationTable);
  generation.At("scope") = NameOf(scope);
  generation.At("generation") = number;
  generation.At("base_id") = Get<int32_t>(scope, "slot");
  generation.At("base_change") = change;
  generation.At("checksum") = ChecksumOf(NameOf(scope), number, base.work, base.process_to_job);
  SHEAF_TRY(InsertRow(session, generation));
  scope.At("generation") = number;
  return UpsertRow(session, scope);
}

Status PutChange(SqlSession& session, Row& scope, const ChangeSet& change,
                 const CheckpointLimits& limits) {
  if (change.empty()) return Done();
  SHEAF_ASSIGN(std::string body, EncodeChange(change));
  const bool cold = Get<int32_t>(scope, "start") == static_cast<int32_t>(Start::kCold);
  if (cold || Get<int64_t>(scope, "generation") == 0) {
    int64_t last = 0;
    if (Get<int64_t>(scope, "generation") != 0) {
      SHEAF_ASSIGN(last, LastChange(session, scope));
    }
    scope.At("start") = static_cast<int32_t>(Start::kWarm);
    SHEAF_TRY(PutBase(session, scope, {}, last, limits));
  }
  SHEAF_ASSIGN(const int64_t last, LastChange(session, scope));
  Row row(kChangeTable);
  row.At("scope") = NameOf(scope);
  row.At("generation") = Get<int64_t>(scope, "generation");
  row.At("number") = last + 1;
  row.At("checksum") = ChecksumOf(NameOf(scope), last + 1, body, "");
  row.At("body") = Blob{std::move(body)};
  return InsertRow(session, row);
}

Result<Chain> ReadChain(SqlSession& session, const Row& scope) {
  const std::string name = NameOf(scope);
  Chain chain;
  SHEAF_ASSIGN(const auto generations, Generations(session, name));
  for (const Row& generation : generations) {
    const auto number = Get<int64_t>(generation, "generation");
    auto base = ReadBase(session, generation);
    if (!base.ok() && base.error().kind != Kind::kCorrupt) return std::move(base).error();
    if (!base.ok()) {
      chain.restored.set_aside.push_back("generation " + std::to_string(number) + ": " +
                                         base.error().message);
      continue;
    }
    chain.restored.live = *std::move(base);
    chain.restored.generation = static_cast<uint64_t>(number);
    SHEAF_TRY(ReadChanges(session, generation, chain));
    return chain;
  }
  if (Get<int64_t>(scope, "generation") == 0) return chain;
  std::string message = "no generation of the checkpoint of " + name + " can be read:";
  for (const auto& each : chain.restored.set_aside) message += " " + each + ";";
  return Fail(Kind::kCorrupt, message + " start cold to begin without it");
}

Status Compact(SqlSession& session, const std::string& name, const Chain& chain,
               const CheckpointLimits& limits) {
  const Values key = {name};
  SHEAF_ASSIGN(auto scope, HoldRow(session, kScopeTable, key));
  const auto generation = static_cast<int64_t>(chain.restored.generation);
  if (!scope.has_value() || Get<int64_t>(*scope, "generation") != generation) return Done();
  // A damaged chain is the business of the next restore, which says so.
  if (!chain.restored.set_aside.empty() || generation == 0) return Done();
  const Values former = {name, generation};
  SHEAF_ASSIGN(const auto changes, ReadRows(session, kChangeTable, ChangesFrom(session), former));
  SHEAF_TRY(PutBase(session, *scope, chain.restored.live, chain.last_change, limits));
  std::vector<SqlStatement> copies;
  for (Row change : changes) {
    if (Get<int64_t>(change, "number") <= chain.last_change) continue;
    change.At("generation") = Get<int64_t>(*scope, "generation");
    copies.push_back(ToInsert(session, std::move(change)));
  }
  return session.RunAll(copies);
}

}  // namespace sheaf::persistence
