#include "sheaf/services/sql/spec.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <utility>

namespace sheaf::sql {
namespace {

Result<duckdb::Value> ValueOf(const Json& json, const std::string& where) {
  switch (json.type()) {
    case Json::value_t::null: return duckdb::Value(std::monostate());
    case Json::value_t::boolean: return duckdb::Value(json.get<bool>());
    case Json::value_t::number_integer: return duckdb::Value(json.get<int64_t>());
    case Json::value_t::number_unsigned: return duckdb::Value(json.get<uint64_t>());
    case Json::value_t::number_float: return duckdb::Value(json.get<double>());
    case Json::value_t::string: return duckdb::Value(json.get<std::string>());
    default:
      return Fail(Kind::kInvalid,
                  where + ": a parameter is null, a boolean, a number or a string, not " +
                      (json.is_array() ? "a list" : "an object"));
  }
}

Result<duckdb::Values> ValuesOf(const Json* params) {
  duckdb::Values values;
  if (params == nullptr || params->is_null()) return values;
  if (params->is_array()) {
    for (size_t i = 0; i < params->size(); ++i) {
      const std::string where = "spec.params[" + std::to_string(i) + "]";
      SHEAF_ASSIGN(auto value, ValueOf((*params)[i], where));
      values.emplace(std::to_string(i + 1), std::move(value));
    }
    return values;
  }
  if (params->is_object()) {
    for (const auto& [name, json] : params->items()) {
      SHEAF_ASSIGN(auto value, ValueOf(json, "spec.params." + name));
      values.emplace(name, std::move(value));
    }
    return values;
  }
  return Fail(Kind::kInvalid, "spec.params: a list (for ? and $1) or an object (for $name)");
}

std::string Lower(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x80) c = static_cast<char>(std::tolower(c));
  }
  return text;
}

std::string Spelt(const std::string& name) {
  const bool number =
      std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
  return number ? "number " + name : "$" + name;
}

// Names of parameters do not mind upper and lower case, as DuckDB sees it.
Status CheckComplete(const duckdb::Statement& statement, const duckdb::Values& values) {
  std::set<std::string> wanted;
  for (const auto& name : statement.parameters()) wanted.insert(Lower(name));
  std::set<std::string> given;
  for (const auto& [name, value] : values) {
    if (!given.insert(Lower(name)).second) {
      return Fail(Kind::kInvalid, "spec.params: $" + name + " is given twice");
    }
  }
  for (const auto& name : wanted) {
    if (given.count(name) == 0) {
      return Fail(Kind::kInvalid, "spec.params: parameter " + Spelt(name) + " has no value");
    }
  }
  for (const auto& name : given) {
    if (wanted.count(name) == 0) {
      return Fail(Kind::kInvalid, "spec.params: the statement has no parameter " + Spelt(name));
    }
  }
  return Done();
}

}  // namespace

Result<Spec> Spec::Parse(const Json& spec) {
  command::ObjectReader read(spec, "spec");
  SHEAF_TRY(read.Known({"sql", "params"}));
  SHEAF_ASSIGN(auto sql, read.RequiredString("sql"));
  SHEAF_ASSIGN(auto values, ValuesOf(read.Take("params")));
  SHEAF_ASSIGN(auto statement, duckdb::Statement::Parse(std::move(sql)));
  SHEAF_TRY(CheckComplete(statement, values));
  return Spec{std::move(statement), std::move(values)};
}

Status CheckTableNames(const std::vector<std::string>& names) {
  std::map<std::string, std::string> seen;
  for (const auto& name : names) {
    if (name.empty()) return Fail(Kind::kInvalid, "inputs: an input without a name");
    if (name.size() > kTableNameBytesMax) {
      return Fail(Kind::kInvalid, "inputs." + name.substr(0, 32) + "…: a name of more than " +
                                      std::to_string(kTableNameBytesMax) + " bytes");
    }
    if (name.find('\0') != std::string::npos) {
      return Fail(Kind::kInvalid, "inputs: a name with a NUL");
    }
    const auto [found, fresh] = seen.emplace(Lower(name), name);
    if (!fresh) {
      return Fail(Kind::kInvalid, "inputs: " + found->second + " and " + name +
                                      " are one name in SQL, which knows no upper and lower case");
    }
  }
  return Done();
}

}  // namespace sheaf::sql
