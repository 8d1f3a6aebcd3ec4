#include "sheaf/drivers/duckdb/types.h"

#include <arrow/array.h>
#include <arrow/extension_type.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

namespace sheaf::duckdb {
namespace {

// The first type inside `type` that DuckDB cannot take; nullptr when there is none.
const arrow::DataType* Refused(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::HALF_FLOAT:
    case arrow::Type::DECIMAL256:
    case arrow::Type::DENSE_UNION:
    case arrow::Type::SPARSE_UNION:  // Slices of it come out wrong.
    case arrow::Type::INTERVAL_DAY_TIME: return &type;
    case arrow::Type::STRUCT:
      if (type.num_fields() == 0) return &type;
      break;
    case arrow::Type::DICTIONARY:
      return Refused(*static_cast<const arrow::DictionaryType&>(type).value_type());
    case arrow::Type::EXTENSION:
      return Refused(*static_cast<const arrow::ExtensionType&>(type).storage_type());
    default: break;
  }
  for (const auto& field : type.fields()) {
    if (const auto* found = Refused(*field->type())) return found;
  }
  return nullptr;
}

// Calls `visit` for a type and everything inside it until it returns true; whether it did.
template <typename Visit>
bool AnyInside(const ddb::LogicalType& type, const Visit& visit) {
  if (visit(type)) return true;
  switch (type.id()) {
    case ddb::LogicalTypeId::LIST:
    case ddb::LogicalTypeId::MAP: return AnyInside(ddb::ListType::GetChildType(type), visit);
    case ddb::LogicalTypeId::ARRAY: return AnyInside(ddb::ArrayType::GetChildType(type), visit);
    case ddb::LogicalTypeId::STRUCT:
    case ddb::LogicalTypeId::UNION:
      for (const auto& child : ddb::StructType::GetChildTypes(type)) {
        if (AnyInside(child.second, visit)) return true;
      }
      return false;
    default: return false;
  }
}

// What DuckDB makes and Arrow's plain types cannot carry whole.
bool HasNoArrowType(ddb::LogicalTypeId id) {
  switch (id) {
    case ddb::LogicalTypeId::UHUGEINT:
    case ddb::LogicalTypeId::BIT:
    case ddb::LogicalTypeId::BIGNUM:
    case ddb::LogicalTypeId::TIME_TZ:
    case ddb::LogicalTypeId::VARIANT:
    case ddb::LogicalTypeId::GEOMETRY:
    case ddb::LogicalTypeId::TYPE:
    case ddb::LogicalTypeId::POINTER: return true;
    default: return false;
  }
}

// Types of which some values have no place in Arrow: a HUGEINT of 39 digits, the time 24:00:00.
bool SomeValuesDoNotFit(ddb::LogicalTypeId id) {
  return id == ddb::LogicalTypeId::HUGEINT || id == ddb::LogicalTypeId::TIME ||
         id == ddb::LogicalTypeId::TIME_NS;
}

}  // namespace

Status CheckTable(const Table& table) {
  if (table.schema == nullptr) return Done();
  if (table.schema->num_fields() == 0) {
    return Fail(Kind::kUnsupported, "input " + table.name + " has no columns");
  }
  for (const auto& field : table.schema->fields()) {
    const auto* refused = Refused(*field->type());
    if (refused == nullptr) continue;
    return Fail(Kind::kUnsupported, "input " + table.name + ", column " + field->name() + ": " +
                                        refused->ToString() + " cannot be read by SQL");
  }
  return Done();
}

Status CheckResult(const ddb::vector<ddb::LogicalType>& types,
                   const ddb::vector<ddb::string>& names) {
  for (size_t i = 0; i < types.size(); ++i) {
    std::string refused;
    AnyInside(types[i], [&refused](const ddb::LogicalType& type) {
      if (HasNoArrowType(type.id())) refused = type.ToString();
      return !refused.empty();
    });
    if (refused.empty()) continue;
    return Fail(Kind::kUnsupported, "column " + names[i] + " of the result: " + refused +
                                        " has no Arrow type; cast it, to VARCHAR for instance");
  }
  return Done();
}

std::vector<int> ColumnsToCheck(const ddb::vector<ddb::LogicalType>& types) {
  std::vector<int> columns;
  for (size_t i = 0; i < types.size(); ++i) {
    const auto doubtful = [](const ddb::LogicalType& t) { return SomeValuesDoNotFit(t.id()); };
    if (AnyInside(types[i], doubtful)) columns.push_back(static_cast<int>(i));
  }
  return columns;
}

Status CheckValues(const arrow::RecordBatch& batch, const std::vector<int>& columns) {
  for (const int column : columns) {
    if (batch.column(column)->ValidateFull().ok()) continue;
    return Fail(Kind::kFailed, "column " + batch.column_name(column) +
                                   " of the result holds a value that " +
                                   batch.column(column)->type()->ToString() +
                                   " cannot; cast it, to VARCHAR for instance");
  }
  return Done();
}

}  // namespace sheaf::duckdb
