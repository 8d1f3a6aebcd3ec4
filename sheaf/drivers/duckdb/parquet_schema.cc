#include "sheaf/drivers/duckdb/parquet_schema.h"

#include <arrow/io/file.h>
#include <arrow/type.h>
#include <parquet/arrow/schema.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>

#include <exception>
#include <utility>

namespace sheaf::duckdb {
namespace {

arrow::Result<std::shared_ptr<arrow::Schema>> WholeSchema(const std::string& path) {
  // Every exception of the library is a status here.
  try {
    ARROW_ASSIGN_OR_RAISE(auto file, arrow::io::ReadableFile::Open(path));
    const auto metadata = parquet::ParquetFileReader::Open(std::move(file))->metadata();
    std::shared_ptr<arrow::Schema> schema;
    ARROW_RETURN_NOT_OK(parquet::arrow::FromParquetSchema(
        metadata->schema(), parquet::default_arrow_reader_properties(),
        metadata->key_value_metadata(), &schema));
    return schema;
  } catch (const std::exception& thrown) {
    return arrow::Status::Invalid(thrown.what());
  }
}

}  // namespace

arrow::Result<std::shared_ptr<arrow::Schema>> ParquetSchema(
    const std::string& file, const std::vector<std::string>& columns) {
  ARROW_ASSIGN_OR_RAISE(auto whole, WholeSchema(file));
  if (columns.empty()) return whole;
  arrow::FieldVector fields;
  for (const auto& column : columns) {
    auto field = whole->GetFieldByName(column);
    if (field == nullptr) return arrow::Status::Invalid("no column, or several, named ", column);
    fields.push_back(std::move(field));
  }
  return arrow::schema(std::move(fields));
}

}  // namespace sheaf::duckdb
