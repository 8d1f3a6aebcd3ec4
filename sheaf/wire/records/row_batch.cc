#include "sheaf/wire/records/row_batch.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sheaf::records {
namespace {

template <typename Builder, typename Is, typename Append>
Result<std::shared_ptr<arrow::Array>> MakeColumn(Builder builder, std::span<const Row> rows,
                                                 size_t place, Append append) {
  arrow::Status status = builder.Reserve(static_cast<int64_t>(rows.size()));
  for (const Row& row : rows) {
    if (!status.ok()) break;
    const auto* value = std::get_if<Is>(&row.values[place]);
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
      return MakeColumn<arrow::StringBuilder, std::string>(arrow::StringBuilder(), rows, place,
                                                           plain);
    case ColumnType::kBlob:
      return MakeColumn<arrow::BinaryBuilder, Blob>(
          arrow::BinaryBuilder(), rows, place,
          [](auto& builder, const auto& blob) { return builder.Append(blob.bytes); });
    case ColumnType::kBoolean:
      return MakeColumn<arrow::BooleanBuilder, bool>(arrow::BooleanBuilder(), rows, place, plain);
    case ColumnType::kInteger:
      return MakeColumn<arrow::Int32Builder, int32_t>(arrow::Int32Builder(), rows, place, plain);
    case ColumnType::kLong:
      return MakeColumn<arrow::Int64Builder, int64_t>(arrow::Int64Builder(), rows, place, plain);
    case ColumnType::kDouble:
      return MakeColumn<arrow::DoubleBuilder, double>(arrow::DoubleBuilder(), rows, place, plain);
    case ColumnType::kUuid:
      return MakeColumn<arrow::FixedSizeBinaryBuilder, Uuid>(
          arrow::FixedSizeBinaryBuilder(arrow::fixed_size_binary(16)), rows, place,
          [](auto& builder, const auto& uuid) { return builder.Append(uuid.bytes.data()); });
  }
  __builtin_unreachable();
}

Value ValueAt(const arrow::Array& array, ColumnType type, int64_t i) {
  if (array.IsNull(i)) return Absent{};
  switch (type) {
    case ColumnType::kString:
      return std::string(static_cast<const arrow::StringArray&>(array).GetView(i));
    case ColumnType::kBlob:
      return Blob{std::string(static_cast<const arrow::BinaryArray&>(array).GetView(i))};
    case ColumnType::kBoolean: return static_cast<const arrow::BooleanArray&>(array).Value(i);
    case ColumnType::kInteger: return static_cast<const arrow::Int32Array&>(array).Value(i);
    case ColumnType::kLong: return static_cast<const arrow::Int64Array&>(array).Value(i);
    case ColumnType::kDouble: return static_cast<const arrow::DoubleArray&>(array).Value(i);
    case ColumnType::kUuid: {
      Uuid uuid;
      std::memcpy(uuid.bytes.data(),
                  static_cast<const arrow::FixedSizeBinaryArray&>(array).GetValue(i),
                  uuid.bytes.size());
      return uuid;
    }
  }
  __builtin_unreachable();
}

}  // namespace

Result<Batch> BatchOf(const Table& table, const Schema& schema, std::span<const Row> rows,
                      Columns which) {
  std::vector<std::shared_ptr<arrow::Array>> columns;
  for (size_t place = 0; place < table.columns(); ++place) {
    const Property& property = table.ColumnAt(place);
    if (property.is_private && which == Columns::kPublic) continue;
    SHEAF_ASSIGN(auto column, ColumnOf(property.type, rows, place));
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(schema, static_cast<int64_t>(rows.size()), std::move(columns));
}

Result<Batch> BatchOf(const Table& table, std::span<const Row> rows, Columns which) {
  return BatchOf(table, ArrowSchema(table, which), rows, which);
}

Result<std::vector<Row>> RowsOf(const Table& table, const arrow::RecordBatch& batch) {
  const auto wrong = [&](std::string_view what) {
    return Fail(Kind::kCorrupt, std::string(table.name) + ": " + std::string(what));
  };
  if (auto whole = columnar::ValidateForeign(batch); !whole.ok()) {
    return wrong(whole.error().message);
  }
  const auto wanted = ArrowSchema(table, Columns::kAll);
  for (const auto& field : batch.schema()->fields()) {
    const auto known = wanted->GetFieldByName(field->name());
    if (known == nullptr) return wrong("it has no column '" + field->name() + "'");
    if (batch.schema()->GetAllFieldIndices(field->name()).size() > 1) {
      return wrong("column '" + field->name() + "' is there twice");
    }
    if (!known->type()->Equals(field->type())) {
      return wrong("column '" + field->name() + "' is " + field->type()->ToString() + ", not " +
                   known->type()->ToString());
    }
  }
  std::vector<Row> rows(static_cast<size_t>(batch.num_rows()), Row(table));
  for (size_t place = 0; place < table.columns(); ++place) {
    const Property& property = table.ColumnAt(place);
    const auto column = batch.GetColumnByName(std::string(property.column));
    if (column == nullptr) continue;
    for (size_t i = 0; i < rows.size(); ++i) {
      rows[i].values[place] = ValueAt(*column, property.type, static_cast<int64_t>(i));
    }
  }
  for (const Row& row : rows) {
    if (auto fits = row.Check(); !fits.ok()) return wrong(fits.error().message);
  }
  return rows;
}

}  // namespace sheaf::records
