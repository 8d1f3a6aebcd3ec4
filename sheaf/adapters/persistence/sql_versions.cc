#include "sheaf/adapters/persistence/sql_versions.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "sheaf/adapters/persistence/own_tables.h"
#include "sheaf/drivers/files/checksum.h"
#include "sheaf/wire/records/tables.h"

namespace sheaf::persistence {
namespace {

constexpr std::array<std::string_view, 3> kSubmitted = {"user", "submission_time", "ducc_id"};
constexpr std::array<std::string_view, 4> kStarted = {"user", "start", "ducc_id", "share_id"};
constexpr std::array<PageIndex, 3> kPageIndexes = {{
    {"sheaf_jobs_page", "jobs", kSubmitted},
    {"sheaf_reservations_page", "reservations", kSubmitted},
    {"sheaf_processes_page", "processes", kStarted},
}};

Sql Create(const PageIndex& index) {
  Sql sql = Sql("CREATE INDEX IF NOT EXISTS ") + Sql::Name(index.name) + " ON " +
            Sql::Name(index.table) + "(";
  for (size_t i = 0; i < index.columns.size(); ++i) {
    if (i > 0) sql += ",";
    sql += Sql::Name(index.columns[i]);
  }
  return sql + ")";
}

VersionStep First(records::Dialect dialect) {
  VersionStep step{1, "The tables of history, checkpoint, registry and resources.", {}};
  for (const Table* table : TablesOf(1)) {
    for (Sql& sql : records::Ddl(*table, dialect)) step.statements.push_back(std::move(sql));
  }
  for (const PageIndex& index : kPageIndexes) step.statements.push_back(Create(index));
  return step;
}

// Version 1 kept the shapes of its tables as notes; the catalog tells them.
VersionStep Ledger(records::Dialect dialect) {
  VersionStep step{2, "A ledger of what was loaded from outside.", {}};
  step.statements = records::Ddl(kLedgerTable, dialect);
  step.statements.push_back(Sql("DELETE FROM \"sheaf_schema\" WHERE \"name\" LIKE 'table %'"));
  return step;
}

}  // namespace

std::vector<const Table*> TablesOf(int64_t version) {
  std::vector<const Table*> all(kOwnTables.begin(), kOwnTables.end());
  if (version < 2) std::erase(all, &kLedgerTable);
  all.insert(all.end(), records::kTables.begin(), records::kTables.end());
  return all;
}

std::span<const PageIndex> PageIndexesOf(int64_t) { return kPageIndexes; }

VersionStep StepTo(int64_t version, records::Dialect dialect) {
  SHEAF_CHECK(version >= 1 && version <= kSchemaVersion);
  return version == 1 ? First(dialect) : Ledger(dialect);
}

std::string ChecksumOf(const VersionStep& step) {
  std::string all;
  for (const Sql& sql : step.statements) all += sql.text() + ";\n";
  char text[17];
  std::snprintf(text, sizeof text, "%016llx",
                static_cast<unsigned long long>(files::Checksum(all.data(), all.size())));
  return text;
}

}  // namespace sheaf::persistence
