#include "sheaf/drivers/duckdb/views.h"

#include <arrow/type.h>

#include <string>
#include <utility>

#include "duckdb/catalog/catalog.hpp"
#include "duckdb/catalog/catalog_entry/view_catalog_entry.hpp"

namespace sheaf::duckdb {
namespace {

std::string ParquetCall(const Table& table) {
  ddb::vector<ddb::Value> files;
  for (const auto& file : table.files) files.emplace_back(file);
  const auto list = ddb::Value::LIST(ddb::LogicalType::VARCHAR, std::move(files));
  // Columns that a path or a glob would add are not the flight's. Parquet's minima and maxima leave
  // out NaN, which is the greatest number here: without can_have_nan such rows would be missed.
  return "read_parquet(" + list.ToSQLString() +
         ", hive_partitioning = false, filename = false, can_have_nan = true)";
}

// Arrow writes a duration as a number of its unit, and DuckDB reads the number.
std::string Interval(const std::string& column, const arrow::DataType& declared) {
  switch (static_cast<const arrow::DurationType&>(declared).unit()) {
    case arrow::TimeUnit::SECOND: return "to_seconds(" + column + ")";
    case arrow::TimeUnit::MILLI: return "to_milliseconds(" + column + ")";
    case arrow::TimeUnit::MICRO: return "to_microseconds(" + column + ")";
    case arrow::TimeUnit::NANO: return "to_microseconds(" + column + " // 1000)";
  }
  __builtin_unreachable();
}

// A column, made what was declared when DuckDB found it to be something else.
std::string Declared(const std::string& column, const ddb::LogicalType& found,
                     const ddb::LogicalType& declared, const arrow::DataType& type) {
  if (found == declared) return column;
  if (type.id() == arrow::Type::DURATION && found.IsIntegral()) return Interval(column, type);
  return "CAST(" + column + " AS " + declared.ToString() + ")";
}

std::string ColumnList(const Table& table) {
  if (table.columns.empty()) return "*";
  std::string list;
  for (const auto& column : table.columns) list += (list.empty() ? "" : ", ") + Quoted(column);
  return list;
}

void MakeView(Instance& instance, const std::string& name, const std::string& columns,
              const std::string& from) {
  instance.Own("CREATE OR REPLACE VIEW " + Quoted(name) + " AS SELECT " + columns + " FROM " +
               from);
}

// DuckDB's Parquet reader and Arrow's do not agree on every type (times, milliseconds, durations
// that Arrow wrote as numbers). The flight's schema decides, so that fusing changes no answer.
// Returns the select list with the casts, or nothing when there are none.
std::string CastsToDeclared(Instance& instance, const Table& table) {
  auto& context = *instance.connection().context;
  std::string list;
  bool differs = false;
  context.RunFunctionInTransaction([&] {
    auto& view =
        ddb::Catalog::GetEntry<ddb::ViewCatalogEntry>(context, "memory", "main", table.name);
    const auto found = view.GetColumnInfo();
    ddb::vector<ddb::LogicalType> types;
    ddb::vector<ddb::string> names;
    ColumnsOf(context, *table.schema, types, names);
    if (found == nullptr || found->types.size() != types.size()) {
      throw ddb::InvalidInputException("input %s: its files have other columns than its schema",
                                       table.name);
    }
    for (size_t i = 0; i < types.size(); ++i) {
      const arrow::Field& field = *table.schema->field(static_cast<int>(i));
      // To a column without a name everybody gives another one.
      const bool renamed = found->names[i] != names[i];
      if (renamed && !field.name().empty()) {
        throw ddb::InvalidInputException(
            "input %s: its files have a column %s where its schema has %s", table.name,
            found->names[i], names[i]);
      }
      differs = differs || renamed || found->types[i] != types[i];
      list += (i == 0 ? "" : ", ") +
              Declared(Quoted(found->names[i]), found->types[i], types[i], *field.type()) + " AS " +
              Quoted(names[i]);
    }
  });
  return differs ? list : "";
}

}  // namespace

void MakeViews(Instance& instance, std::vector<Table> tables,
               const std::shared_ptr<ScanControl>& control) {
  std::vector<std::shared_ptr<const Source>> sources;
  std::vector<std::string> names;
  for (auto& table : tables) {
    if (table.files.empty()) {
      names.push_back(table.name);
      sources.push_back(std::make_shared<Source>(Source{std::move(table), control}));
      continue;
    }
    const std::string call = ParquetCall(table);
    MakeView(instance, table.name, ColumnList(table), call);
    const std::string casts = CastsToDeclared(instance, table);
    if (!casts.empty()) MakeView(instance, table.name, casts, call);
  }
  if (sources.empty()) return;
  RegisterSources(instance.connection(), std::move(sources));
  for (size_t i = 0; i < names.size(); ++i) {
    MakeView(instance, names[i], "*", std::string(kScanFunction) + "(" + std::to_string(i) + ")");
  }
}

}  // namespace sheaf::duckdb
