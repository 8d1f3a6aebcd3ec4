// Loading from outside: rows and their places in the ledger in one transaction.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "sheaf/adapters/persistence/checks.h"
#include "sheaf/adapters/persistence/own_tables.h"
#include "sheaf/adapters/persistence/sql_administration.h"
#include "sheaf/adapters/persistence/sql_dialect.h"

namespace sheaf::persistence {
namespace {

// Keys asked for at once. Shorter questions repeat their last key, so that there is one statement.
constexpr size_t kAsked = 256;

// What of `keys` stands in the key's column `column` of the table. With `type`, in rows of it.
Result<std::set<Value>> Present(SqlSession& session, const Table& table, std::string_view column,
                                const std::set<Value>& keys, const std::string& type = {}) {
  const auto dialect = session.dialect();
  const ColumnType is = table.ColumnAt(*table.Place(column)).type;
  const Sql key = Sql::Name("column1");  // So both databases call it.
  Sql sql = Sql("SELECT asked.") + key + " FROM (VALUES ";
  for (size_t i = 1; i <= kAsked; ++i) {
    if (i > 1) sql += ",";
    sql += Sql("(CAST(") + records::Parameter(i, dialect) + " AS " +
           records::TypeName(is, dialect) + "))";
  }
  sql += Sql(") AS asked WHERE (SELECT 1 FROM ") + Sql::Name(table.name) +
         " AS there WHERE there." + Sql::Name(column) + " = asked." + key;
  if (!type.empty()) {
    sql += Sql(" AND there.") + Sql::Name("type") + " = " +
           records::Parameter(kAsked + 1, dialect);
  }
  // A lookup each: as a join it may be turned round, and every row of the table be met.
  sql += ") IS NOT NULL";
  std::set<Value> present;
  for (auto next = keys.begin(); next != keys.end();) {
    Values asked;
    while (asked.size() < kAsked && next != keys.end()) asked.push_back(*next++);
    while (asked.size() < kAsked) asked.push_back(asked.back());
    if (!type.empty()) asked.emplace_back(type);
    SHEAF_TRY(session.Query(sql, asked, {is}, [&](Values row) {
      present.insert(std::move(row[0]));
      return Done();
    }));
  }
  return present;
}

std::string KindOf(const Loadable& item) {
  const auto* work = std::get_if<Work>(&item.what);
  return work == nullptr ? "registration" : std::string(WorkTypeName(work->type));
}
int64_t IdOf(const Loadable& item) {
  if (const auto* work = std::get_if<Work>(&item.what)) return work->id;
  return std::get<Registration>(item.what).id;
}
// What stands for it: its kind and its id.
using Named = std::pair<std::string, int64_t>;
Named NameOf(const Loadable& item) { return {KindOf(item), IdOf(item)}; }

// Ids that stand for something already.
Result<std::set<Named>> Taken(SqlSession& session, std::span<const Loadable> items) {
  std::set<Value> registrations;
  std::map<WorkType, std::set<Value>> works;
  for (const Loadable& item : items) {
    if (const auto* work = std::get_if<Work>(&item.what)) {
      works[work->type].insert(work->id);
    } else {
      registrations.insert(std::to_string(IdOf(item)));
    }
  }
  std::set<Named> taken;
  for (const auto& [type, ids] : works) {
    const std::string name(WorkTypeName(type));
    SHEAF_ASSIGN(const auto there, Present(session, HistoryTable(type), "ducc_id", ids, name));
    for (const Value& id : there) taken.emplace(name, std::get<int64_t>(id));
  }
  for (const Table* half : {&records::kSmreg, &records::kSmmeta}) {
    SHEAF_ASSIGN(const auto there, Present(session, *half, "numeric_id", registrations));
    for (const Loadable& item : items) {
      if (there.contains(std::to_string(IdOf(item)))) taken.insert(NameOf(item));
    }
  }
  return taken;
}

Row Entry(const Loadable& item, int64_t now) {
  Row row(kLedgerTable);
  row.At("hash") = item.hash;
  row.At("name") = item.name;
  row.At("kind") = KindOf(item);
  row.At("ducc_id") = IdOf(item);
  row.At("loaded") = now;
  return row;
}

// One whose id is taken: by the same content, or by other.
Result<Saved> Compare(SqlSession& session, const Loadable& item) {
  if (const auto* work = std::get_if<Work>(&item.what)) return SaveWork(session, *work);
  return SaveRegistration(session, std::get<Registration>(item.what), item.listing);
}

void Add(SqlSession& session, const Loadable& item, std::vector<SqlStatement>& statements) {
  if (const auto* work = std::get_if<Work>(&item.what)) {
    AddWork(session, *work, statements);
  } else {
    AddRegistration(session, std::get<Registration>(item.what), item.listing, statements);
  }
}

// Databases keep 1 GB in a value and say so in ways of their own; this is said before.
constexpr size_t kValueBytesMax = size_t{512} << 20;

Status CheckSizes(const Loadable& item, std::span<const SqlStatement> statements) {
  const auto size = [](const Value& value) {
    if (const auto* text = std::get_if<std::string>(&value)) return text->size();
    const auto* blob = std::get_if<records::Blob>(&value);
    return blob == nullptr ? size_t{0} : blob->bytes.size();
  };
  for (const SqlStatement& statement : statements) {
    for (const Value& value : statement.values) {
      if (size(value) <= kValueBytesMax) continue;
      return Fail(Kind::kInvalid, KindOf(item) + " " + std::to_string(IdOf(item)) + " takes " +
                                      std::to_string(size(value)) + " bytes in a column, and " +
                                      std::to_string(kValueBytesMax) + " are the most");
    }
  }
  return Done();
}

Error OtherContent(const Loadable& item) {
  return Fail(Kind::kConflict,
              KindOf(item) + " " + std::to_string(IdOf(item)) + " stands for other content");
}

// In the ledger are ended loads only: two at once wait for one another.
Result<std::vector<Loaded>> LoadIn(SqlSession& session, std::span<const Loadable> items,
                                   int64_t now) {
  if (const Sql wait = WaitingForOthers(session.dialect()); !wait.empty()) {
    SHEAF_TRY(session.Query(wait, {}, {ColumnType::kString}, [](Values) { return Done(); }));
  }
  if (const Sql looking = LookingUpKeys(session.dialect()); !looking.empty()) {
    SHEAF_TRY(session.Query(looking, {}, {ColumnType::kString}, [](Values) { return Done(); }));
  }
  std::set<Value> hashes;
  for (const Loadable& item : items) hashes.insert(item.hash);
  SHEAF_ASSIGN(auto known, Present(session, kLedgerTable, "hash", hashes));
  SHEAF_ASSIGN(const auto taken, Taken(session, items));
  std::vector<Loaded> loaded;
  std::vector<SqlStatement> statements;
  std::set<Named> added;
  for (const Loadable& item : items) {
    loaded.push_back(Loaded::kDuplicate);
    if (!known.insert(item.hash).second) continue;
    if (!added.insert(NameOf(item)).second) return OtherContent(item);
    if (taken.contains(NameOf(item))) {
      SHEAF_TRY(Compare(session, item));
    } else {
      const size_t before = statements.size();
      Add(session, item, statements);
      SHEAF_TRY(CheckSizes(item, std::span(statements).subspan(before)));
      loaded.back() = Loaded::kNew;
    }
    statements.push_back(ToInsert(session, Entry(item, now)));
  }
  // Table by table in the order of their keys: pages of indexes are met once, not once a row.
  std::sort(statements.begin(), statements.end(), [](const auto& a, const auto& b) {
    const int order = a.sql.text().compare(b.sql.text());
    return order != 0 ? order < 0 : a.values < b.values;
  });
  SHEAF_TRY(session.RunAll(statements));
  return loaded;
}

Status CheckItems(std::span<const Loadable> items) {
  for (const Loadable& item : items) {
    if (item.hash.empty()) return Fail(Kind::kInvalid, item.name + " has no hash");
    SHEAF_TRY(Entry(item, 0).Check());
    if (const auto* work = std::get_if<Work>(&item.what)) {
      SHEAF_TRY(CheckWork(*work));
    } else {
      SHEAF_TRY(CheckRegistration(std::get<Registration>(item.what)));
    }
  }
  return Done();
}

}  // namespace

Result<std::vector<Loaded>> SqlAdministration::Load(std::span<const Loadable> items, int64_t now) {
  SHEAF_TRY(CheckItems(items));
  std::vector<Loaded> loaded;
  SHEAF_TRY(store_->Write([&](SqlSession& session) -> Status {
    SHEAF_ASSIGN(loaded, LoadIn(session, items, now));
    return Done();
  }));
  return loaded;
}

Result<std::vector<Loaded>> SqlAdministration::WouldLoad(std::span<const Loadable> items) {
  SHEAF_TRY(CheckItems(items));
  std::vector<Loaded> loaded;
  bool done = false;
  // Done as Load does it, then undone: what the database would refuse is refused here too.
  const Status undone = store_->Write([&](SqlSession& session) -> Status {
    done = false;
    SHEAF_ASSIGN(loaded, LoadIn(session, items, 0));
    done = true;
    return Fail(Kind::kCancelled, "nothing was to be loaded");
  });
  if (!done) return undone.error();
  return loaded;
}

}  // namespace sheaf::persistence
