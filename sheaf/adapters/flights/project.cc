#include "sheaf/adapters/flights/project.h"

#include <arrow/type.h>

#include <utility>

namespace sheaf::flights {
namespace {

class Projected final : public arrow::RecordBatchReader {
 public:
  Projected(std::shared_ptr<arrow::RecordBatchReader> reader, std::vector<int> indices,
            std::shared_ptr<arrow::Schema> schema)
      : reader_(std::move(reader)), indices_(std::move(indices)), schema_(std::move(schema)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    ARROW_RETURN_NOT_OK(reader_->ReadNext(batch));
    if (*batch == nullptr) return arrow::Status::OK();
    return (*batch)->SelectColumns(indices_).Value(batch);
  }
  arrow::Status Close() override { return reader_->Close(); }

 private:
  const std::shared_ptr<arrow::RecordBatchReader> reader_;
  const std::vector<int> indices_;
  const std::shared_ptr<arrow::Schema> schema_;
};

Error Absent(const std::string& column, const arrow::Schema& schema) {
  const auto names = schema.field_names();
  const std::vector<std::string_view> known(names.begin(), names.end());
  return Fail(Kind::kInvalid, core::UnknownWord("column", column, known));
}

}  // namespace

Result<std::shared_ptr<arrow::RecordBatchReader>> Project(
    std::shared_ptr<arrow::RecordBatchReader> reader, const std::vector<std::string>& columns) {
  if (columns.empty()) return reader;
  const auto schema = reader->schema();
  std::vector<int> indices;
  arrow::FieldVector fields;
  for (const std::string& column : columns) {
    const auto found = schema->GetAllFieldIndices(column);
    if (found.empty()) return Absent(column, *schema);
    if (found.size() > 1) {
      return Fail(Kind::kInvalid,
                  "column '" + column + "' is there " + std::to_string(found.size()) + " times");
    }
    indices.push_back(found.front());
    fields.push_back(schema->field(found.front()));
  }
  return std::make_shared<Projected>(std::move(reader), std::move(indices),
                                     arrow::schema(std::move(fields), schema->metadata()));
}

}  // namespace sheaf::flights
