#include "sheaf/wire/records/arrow_schema.h"

#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>

#include <string>

namespace sheaf::records {
namespace {

std::shared_ptr<arrow::DataType> ArrowType(ColumnType type) {
  switch (type) {
    case ColumnType::kString: return arrow::utf8();
    case ColumnType::kBlob: return arrow::binary();
    case ColumnType::kBoolean: return arrow::boolean();
    case ColumnType::kInteger: return arrow::int32();
    case ColumnType::kLong: return arrow::int64();
    case ColumnType::kDouble: return arrow::float64();
    case ColumnType::kUuid: return arrow::fixed_size_binary(16);
  }
  __builtin_unreachable();
}

}  // namespace

std::shared_ptr<arrow::Schema> ArrowSchema(const Table& table, Columns which) {
  arrow::FieldVector fields;
  int key_place = 0;
  for (const Property& property : table.properties) {
    if (property.primary_key) ++key_place;
    if (!table.IsColumn(property)) continue;
    if (property.is_private && which == Columns::kPublic) continue;
    auto metadata = std::make_shared<arrow::KeyValueMetadata>();
    metadata->Append("pname", std::string(property.pname));
    if (property.primary_key) metadata->Append("key", std::to_string(key_place));
    if (property.type == ColumnType::kUuid) metadata->Append("type", "uuid");
    fields.push_back(arrow::field(std::string(property.column), ArrowType(property.type),
                                  !property.primary_key, std::move(metadata)));
  }
  return arrow::schema(std::move(fields),
                       arrow::key_value_metadata({"table"}, {std::string(table.name)}));
}

}  // namespace sheaf::records
