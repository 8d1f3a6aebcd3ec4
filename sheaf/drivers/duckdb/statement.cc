#include "sheaf/drivers/duckdb/statement.h"

#include <algorithm>
#include <array>
#include <utility>

#include "duckdb/common/enums/statement_type.hpp"
#include "duckdb/parser/expression/function_expression.hpp"
#include "duckdb/parser/expression/subquery_expression.hpp"
#include "duckdb/parser/parsed_data/load_info.hpp"
#include "duckdb/parser/parsed_expression_iterator.hpp"
#include "duckdb/parser/parser.hpp"
#include "duckdb/parser/statement/explain_statement.hpp"
#include "duckdb/parser/statement/load_statement.hpp"
#include "duckdb/parser/statement/select_statement.hpp"
#include "duckdb/parser/tableref/basetableref.hpp"
#include "duckdb/parser/tableref/pivotref.hpp"
#include "duckdb/parser/tableref/showref.hpp"
#include "duckdb/parser/tableref/table_function_ref.hpp"
#include "sheaf/drivers/duckdb/errors.h"
#include "sheaf/drivers/duckdb/foreign.h"

namespace sheaf::duckdb {
namespace {

// Everything else reaches for files, settings, logs, secrets, other SQL texts or raw pointers.
constexpr std::array<std::string_view, 17> kTableFunctions = {"duckdb_functions",
                                                              "duckdb_keywords",
                                                              "duckdb_types",
                                                              "generate_series",
                                                              "histogram",
                                                              "histogram_values",
                                                              "icu_calendar_names",
                                                              "json_each",
                                                              "json_tree",
                                                              "pg_timezone_names",
                                                              "pragma_version",
                                                              "range",
                                                              "repeat",
                                                              "repeat_row",
                                                              "summary",
                                                              "test_all_types",
                                                              "unnest"};

constexpr std::array<std::string_view, 3> kScalarFunctionsRefused = {
    "current_setting", "json_serialize_plan", "write_log"};

constexpr std::string_view kAllowed =
    "allowed is one SELECT (or WITH, VALUES, FROM, TABLE), or EXPLAIN of one";

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return c < 0x80 ? static_cast<char>(std::tolower(c)) : c; });
  return lower;
}

// Visits every query, table and expression of a statement, however deep; remembers the tables that
// are named and the first function that may not be called.
class Walker {
 public:
  void Visit(ddb::QueryNode& node) {
    ddb::ParsedExpressionIterator::EnumerateQueryNodeChildren(
        node, [this](ddb::unique_ptr<ddb::ParsedExpression>& child) { Visit(*child); },
        [this](ddb::TableRef& ref) { Visit(ref); });
  }

  std::string refused;  // The function's name; empty when there is none.
  std::optional<size_t> position;
  std::set<std::string> tables;  // In lower case.

 private:
  void Visit(ddb::ParsedExpression& expression) {
    switch (expression.GetExpressionClass()) {
      case ddb::ExpressionClass::SUBQUERY:
        Visit(*expression.Cast<ddb::SubqueryExpression>().subquery->node);
        break;
      case ddb::ExpressionClass::FUNCTION: {
        const auto& function = expression.Cast<ddb::FunctionExpression>();
        if (!ScalarFunctionAllowed(function.function_name)) {
          Refuse(function.function_name, function.GetQueryLocation());
        }
        break;
      }
      default: break;
    }
    ddb::ParsedExpressionIterator::EnumerateChildren(
        expression, [this](ddb::unique_ptr<ddb::ParsedExpression>& child) { Visit(*child); });
  }

  void Visit(ddb::TableRef& ref) {
    switch (ref.type) {
      case ddb::TableReferenceType::TABLE_FUNCTION: {
        const auto& call = ref.Cast<ddb::TableFunctionRef>();
        const auto& function = call.function->Cast<ddb::FunctionExpression>();
        // Macros over tables take their names as columns: `histogram(t, a)`.
        for (const auto& argument : function.children) tables.insert(Lower(argument->GetName()));
        if (!TableFunctionAllowed(function.function_name)) {
          Refuse(function.function_name, call.query_location);
        }
        break;
      }
      case ddb::TableReferenceType::BASE_TABLE:
        tables.insert(Lower(ref.Cast<ddb::BaseTableRef>().table_name));
        break;
      case ddb::TableReferenceType::SHOW_REF: {
        auto& show = ref.Cast<ddb::ShowRef>();
        tables.insert(Lower(show.table_name));
        if (show.query) Visit(*show.query);
        break;
      }
      case ddb::TableReferenceType::PIVOT:
        for (auto& pivot : ref.Cast<ddb::PivotRef>().pivots) {
          for (auto& expression : pivot.pivot_expressions) Visit(*expression);
          if (pivot.subquery) Visit(*pivot.subquery);
        }
        break;
      default: break;
    }
  }

  void Refuse(const std::string& name, ddb::optional_idx place) {
    if (!refused.empty()) return;
    refused = name;
    if (place.IsValid()) position = place.GetIndex();
  }
};

// As it was written: DuckDB calls INSTALL a LOAD.
std::string NameOf(const ddb::SQLStatement& statement) {
  if (statement.type == ddb::StatementType::LOAD_STATEMENT &&
      statement.Cast<ddb::LoadStatement>().info->load_type != ddb::LoadType::LOAD) {
    return "INSTALL";
  }
  return ddb::StatementTypeToString(statement.type);
}

Error RefuseType(const ddb::SQLStatement& statement) {
  const ddb::StatementType type = statement.type;
  if (type == ddb::StatementType::MULTI_STATEMENT) {
    return Fail(Kind::kInvalid,
                "sql: a PIVOT must list its values (PIVOT … ON column IN (…)): without them it is "
                "several statements");
  }
  return Fail(Kind::kInvalid,
              "sql: " + NameOf(statement) + " statements are refused; " + std::string(kAllowed));
}

Result<ddb::SelectStatement*> SelectOf(ddb::SQLStatement& statement, Statement::What& what) {
  ddb::SQLStatement* inner = &statement;
  what = Statement::What::kSelect;
  if (statement.type == ddb::StatementType::EXPLAIN_STATEMENT) {
    auto& explain = statement.Cast<ddb::ExplainStatement>();
    what = explain.explain_type == ddb::ExplainType::EXPLAIN_ANALYZE
               ? Statement::What::kExplainAnalyze
               : Statement::What::kExplain;
    inner = explain.stmt.get();
  }
  if (inner->type != ddb::StatementType::SELECT_STATEMENT) return RefuseType(*inner);
  return &inner->Cast<ddb::SelectStatement>();
}

}  // namespace

bool TableFunctionAllowed(std::string_view name) {
  return std::binary_search(kTableFunctions.begin(), kTableFunctions.end(), Lower(name));
}

bool ScalarFunctionAllowed(std::string_view name) {
  const std::string lower = Lower(name);
  return std::find(kScalarFunctionsRefused.begin(), kScalarFunctionsRefused.end(), lower) ==
         kScalarFunctionsRefused.end();
}

bool Statement::Names(std::string_view table) const { return tables_.count(Lower(table)) > 0; }

std::string Quoted(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

Result<Statement> Statement::Parse(std::string sql) {
  if (sql.size() > kSqlBytesMax) {
    return Fail(Kind::kInvalid, "sql: longer than " + core::ToText(Bytes{kSqlBytesMax}));
  }
  if (const size_t at = sql.find('\0'); at != std::string::npos) {
    return Fail(Kind::kInvalid, "sql: a NUL at byte " + std::to_string(at));
  }
  try {
    ddb::Parser parser;
    parser.ParseQuery(sql);
    if (parser.statements.empty()) {
      return Fail(Kind::kInvalid, "sql: no statement; " + std::string(kAllowed));
    }
    if (parser.statements.size() > 1) {
      return Fail(Kind::kInvalid, "sql: " + std::to_string(parser.statements.size()) +
                                      " statements; " + std::string(kAllowed));
    }
    Statement result;
    auto parsed = std::make_shared<Parsed>();
    parsed->statement = std::move(parser.statements.front());
    SHEAF_ASSIGN(auto* select, SelectOf(*parsed->statement, result.what_));
    Walker walker;
    walker.Visit(*select->node);
    if (!walker.refused.empty()) {
      return SqlError(Kind::kForbidden,
                      "Permission Error: the function " + walker.refused +
                          " cannot be called here: SQL reaches its inputs and nothing else",
                      sql, walker.position);
    }
    for (const auto& [name, index] : parsed->statement->named_param_map) {
      result.parameters_.push_back(name);
    }
    std::sort(result.parameters_.begin(), result.parameters_.end());
    parsed->statement->query.clear();  // Errors then carry positions; the caret is drawn here.
    result.tables_ = std::move(walker.tables);
    result.sql_ = std::move(sql);
    result.parsed_ = std::move(parsed);
    return result;
  } catch (const ddb::NotImplementedException& thrown) {
    return Fail(Kind::kInvalid, "sql: a part of this statement is refused (" +
                                    ddb::ErrorData(thrown).RawMessage() + "); " +
                                    std::string(kAllowed));
  } catch (const std::exception& thrown) {
    return FromDuckDb(thrown, sql);
  }
}

}  // namespace sheaf::duckdb
