// sheaf db schema: the statements that make the tables, from the meta-model.

#include <array>
#include <cstdio>
#include <memory>

#include "sheaf/apps/sheaf/db_commands.h"
#include "sheaf/apps/sheaf/exit.h"
#include "sheaf/base/core/nearest.h"
#include "sheaf/wire/command/json.h"
#include "sheaf/wire/records/records.h"

namespace sheaf::app {
namespace {

struct SchemaFlags {
  std::string dialect = "sqlite", table;
  bool json = false;
};

int Print(const SchemaFlags& flags) {
  const auto dialect = records::FindDialect(flags.dialect).value();
  std::span<const records::Table* const> tables = records::kTables;
  std::array<const records::Table*, 1> one{};
  if (!flags.table.empty()) {
    one[0] = records::FindTable(flags.table);
    if (one[0] == nullptr) {
      std::vector<std::string_view> names;
      for (const auto* table : records::kTables) names.push_back(table->name);
      return ReportUsage(
          Fail(Kind::kInvalid, "--table: " + core::UnknownWord("table", flags.table, names)));
    }
    tables = one;
  }
  if (!flags.json) {
    std::fputs(records::DdlText(tables, dialect).c_str(), stdout);
    return kExitOk;
  }
  Json told = Json::array();
  for (const auto* table : tables) {
    Json statements = Json::array();
    for (const Sql& sql : records::Ddl(*table, dialect)) statements.push_back(sql.text() + ";");
    told.push_back({{"table", table->name}, {"statements", std::move(statements)}});
  }
  std::printf("%s\n", told.dump().c_str());
  return kExitOk;
}

}  // namespace

void AddDbSchema(Command& db) {
  auto flags = std::make_shared<SchemaFlags>();
  auto command = db.Sub("schema", "Print the statements that make the tables");
  command
      .Choice("--dialect", flags->dialect, {"sqlite", "postgres", "cql"},
              "sqlite, postgres or cql (sqlite)")
      .Text("--table", flags->table, "Only this one")
      .Flag("--json", flags->json, "JSON: the statements of each table")
      .Does([flags] { return Print(*flags); })
      .Examples(
          "  sheaf db schema --dialect cql > ducc.cql\n"
          "  sheaf db schema --dialect postgres --table jobs\n"
          "One statement a line. What a database has beside these (sheaf_…) is the program's own.");
}

}  // namespace sheaf::app
