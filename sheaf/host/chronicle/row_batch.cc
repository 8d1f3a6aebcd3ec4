#include "sheaf/host/chronicle/row_batch.h"

#include <arrow/builder.h>
#include <arrow/record_batch.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sheaf::chronicle {
namespace {

using records::ColumnType;
using records::Row;

template <typename Builder, typename Value, typename Append>
Result<std::shared_ptr<arrow::Array>> Column(Builder builder, std::span<const Row> rows,
                                             size_t place, Append append) {
  arrow::Status status = builder.Reserve(static_cast<int64_t>(rows.size()));
  for (const Row& row : rows) {
    if (!status.ok()) break;
    const auto* value = std::get_if<Value>(&row.values[place]);
    status = value == nullptr ? builder.AppendNull() : append(builder, *value);
  }
  std::shared_ptr<arrow::Array> array;
  if (status.ok()) status = builder.Finish(&array);
  if (!status.ok()) return columnar::FromArrow(status);
  return array;
}

Result<std::shared_ptr<arrow::Array>> ColumnOf(ColumnType type, std::span<const Row> rows,
                                               size_t place) {
  const auto plain = [](auto& builder, const auto& value) { return builder.Append(value); };
  switch (type) {
    case ColumnType::kString:
      return Column<arrow::StringBuilder, std::string>(arrow::StringBuilder(), rows, place, plain);
    case ColumnType::kBlob:
      return Column<arrow::BinaryBuilder, records::Blob>(
          arrow::BinaryBuilder(), rows, place,
          [](auto& builder, const auto& blob) { return builder.Append(blob.bytes); });
    case ColumnType::kBoolean:
      return Column<arrow::BooleanBuilder, bool>(arrow::BooleanBuilder(), rows, place, plain);
    case ColumnType::kInteger:
      return Column<arrow::Int32Builder, int32_t>(arrow::Int32Builder(), rows, place, plain);
    case ColumnType::kLong:
      return Column<arrow::Int64Builder, int64_t>(arrow::Int64Builder(), rows, place, plain);
    case ColumnType::kDouble:
      return Column<arrow::DoubleBuilder, double>(arrow::DoubleBuilder(), rows, place, plain);
    case ColumnType::kUuid:
      return Column<arrow::FixedSizeBinaryBuilder, records::Uuid>(
          arrow::FixedSizeBinaryBuilder(arrow::fixed_size_binary(16)), rows, place,
          [](auto& builder, const auto& uuid) { return builder.Append(uuid.bytes.data()); });
  }
  __builtin_unreachable();
}

}  // namespace

Result<Batch> BatchOf(const records::Table& table, const Schema& schema,
                      std::span<const Row> rows) {
  std::vector<std::shared_ptr<arrow::Array>> columns;
  for (size_t place = 0; place < table.columns(); ++place) {
    const records::Property& property = table.ColumnAt(place);
    if (property.is_private) continue;
    SHEAF_ASSIGN(auto column, ColumnOf(property.type, rows, place));
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(schema, static_cast<int64_t>(rows.size()), std::move(columns));
}

}  // namespace sheaf::chronicle
