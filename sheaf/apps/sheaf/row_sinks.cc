#include "sheaf/apps/sheaf/row_sinks.h"

#include <arrow/api.h>
#include <arrow/csv/writer.h>
#include <arrow/ipc/writer.h>
#include <parquet/arrow/writer.h>

#include <utility>
#include <vector>

#include "sheaf/apps/sheaf/cells.h"
#include "sheaf/apps/sheaf/table.h"
#include "sheaf/wire/columnar/columnar.h"

namespace sheaf::app {
namespace {

using Out = std::shared_ptr<arrow::io::OutputStream>;

class NoSink final : public RowSink {
 public:
  arrow::Status Write(const arrow::RecordBatch&) override { return arrow::Status::OK(); }
  arrow::Status End(const std::string&) override { return arrow::Status::OK(); }
};

// Keeps the first rows; what comes after them is only counted.
class TableSink final : public RowSink {
 public:
  TableSink(const OutputOptions& options, Out out, const arrow::Schema& schema)
      : rows_max_(options.rows_max), width_(options.width), out_(std::move(out)) {
    for (const auto& field : schema.fields()) {
      columns_.push_back({field->name(), IsNumber(*field->type()) ? Align::kRight : Align::kLeft});
    }
  }
  arrow::Status Write(const arrow::RecordBatch& batch) override {
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      if (static_cast<int64_t>(rows_.size()) >= rows_max_) return arrow::Status::OK();
      auto& cells = rows_.emplace_back();
      for (const auto& column : batch.columns()) {
        cells.push_back(CellText(*column, row).value_or("NULL"));
      }
    }
    return arrow::Status::OK();
  }
  arrow::Status End(const std::string& footer) override {
    std::string text = FormatTable(columns_, rows_, {.width = width_});
    if (!footer.empty()) text += footer + "\n";
    return out_->Write(text);
  }

 private:
  const int64_t rows_max_;
  const size_t width_;
  const Out out_;
  std::vector<TableColumn> columns_;
  std::vector<std::vector<std::string>> rows_;
};

class JsonSink final : public RowSink {
 public:
  enum class Shape : uint8_t { kArray, kLines };
  JsonSink(Shape shape, Out out) : shape_(shape), out_(std::move(out)) {}

  arrow::Status Write(const arrow::RecordBatch& batch) override {
    std::string text;
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      if (shape_ == Shape::kArray) text += rows_ == 0 ? "[\n" : ",\n";
      AppendRow(batch, row, text);
      if (shape_ == Shape::kLines) text += "\n";
      ++rows_;
    }
    return out_->Write(text);
  }
  arrow::Status End(const std::string&) override {
    if (shape_ == Shape::kLines) return arrow::Status::OK();
    return out_->Write(rows_ == 0 ? "[]\n" : "\n]\n");
  }

 private:
  static void AppendRow(const arrow::RecordBatch& batch, int64_t row, std::string& text) {
    text += '{';
    for (int i = 0; i < batch.num_columns(); ++i) {
      if (i > 0) text += ',';
      AppendJsonText(batch.schema()->field(i)->name(), text);
      text += ':';
      AppendJson(*batch.column(i), row, text);
    }
    text += '}';
  }
  const Shape shape_;
  const Out out_;
  int64_t rows_ = 0;
};

// CSV has words for text, numbers and booleans; the rest becomes text first.
bool CsvKnows(const arrow::DataType& type) {
  return arrow::is_integer(type.id()) || type.id() == arrow::Type::DOUBLE ||
         type.id() == arrow::Type::FLOAT || type.id() == arrow::Type::BOOL ||
         type.id() == arrow::Type::STRING || type.id() == arrow::Type::LARGE_STRING;
}

arrow::Result<std::shared_ptr<arrow::Array>> AsText(const arrow::Array& array) {
  arrow::StringBuilder builder;
  for (int64_t row = 0; row < array.length(); ++row) {
    const auto text = CellText(array, row);
    ARROW_RETURN_NOT_OK(text ? builder.Append(*text) : builder.AppendNull());
  }
  return builder.Finish();
}

class CsvSink final : public RowSink {
 public:
  static Result<std::unique_ptr<RowSink>> Open(Out out, const arrow::Schema& schema) {
    auto sink = std::make_unique<CsvSink>();
    arrow::FieldVector fields;
    for (const auto& field : schema.fields()) {
      fields.push_back(CsvKnows(*field->type()) ? field : field->WithType(arrow::utf8()));
    }
    sink->schema_ = arrow::schema(std::move(fields));
    auto options = arrow::csv::WriteOptions::Defaults();
    options.quoting_style = arrow::csv::QuotingStyle::Needed;
    options.quoting_header = arrow::csv::QuotingStyle::None;
    for (const auto& name : schema.field_names()) {
      // Arrow would quote every name.
      if (name.find_first_of(",\"\r\n") == std::string::npos) continue;
      options.quoting_header = arrow::csv::QuotingStyle::Needed;
    }
    SHEAF_ARROW_ASSIGN(sink->writer_, Kind::kFailed,
                       arrow::csv::MakeCSVWriter(std::move(out), sink->schema_, options));
    return std::unique_ptr<RowSink>(std::move(sink));
  }
  arrow::Status Write(const arrow::RecordBatch& batch) override {
    arrow::ArrayVector columns;
    for (const auto& column : batch.columns()) {
      if (CsvKnows(*column->type())) {
        columns.push_back(column);
        continue;
      }
      ARROW_ASSIGN_OR_RAISE(auto text, AsText(*column));
      columns.push_back(std::move(text));
    }
    return writer_->WriteRecordBatch(
        *arrow::RecordBatch::Make(schema_, batch.num_rows(), std::move(columns)));
  }
  arrow::Status End(const std::string&) override { return writer_->Close(); }

 private:
  std::shared_ptr<arrow::Schema> schema_;
  std::shared_ptr<arrow::ipc::RecordBatchWriter> writer_;
};

class IpcSink final : public RowSink {
 public:
  explicit IpcSink(std::shared_ptr<arrow::ipc::RecordBatchWriter> writer)
      : writer_(std::move(writer)) {}
  arrow::Status Write(const arrow::RecordBatch& batch) override {
    return writer_->WriteRecordBatch(batch);
  }
  arrow::Status End(const std::string&) override { return writer_->Close(); }

 private:
  const std::shared_ptr<arrow::ipc::RecordBatchWriter> writer_;
};

class ParquetSink final : public RowSink {
 public:
  explicit ParquetSink(std::unique_ptr<parquet::arrow::FileWriter> writer)
      : writer_(std::move(writer)) {}
  arrow::Status Write(const arrow::RecordBatch& batch) override {
    return writer_->WriteRecordBatch(batch);
  }
  arrow::Status End(const std::string&) override { return writer_->Close(); }

 private:
  const std::unique_ptr<parquet::arrow::FileWriter> writer_;
};

Result<std::unique_ptr<RowSink>> OpenIpc(Out out, bool piped,
                                         const std::shared_ptr<arrow::Schema>& schema) {
  auto made = piped ? arrow::ipc::MakeStreamWriter(std::move(out), schema)
                    : arrow::ipc::MakeFileWriter(std::move(out), schema);
  SHEAF_ARROW_ASSIGN(auto writer, Kind::kFailed, std::move(made));
  return std::make_unique<IpcSink>(std::move(writer));
}

Result<std::unique_ptr<RowSink>> OpenParquet(Out out, const arrow::Schema& schema) {
  const auto properties =
      parquet::WriterProperties::Builder().compression(parquet::Compression::ZSTD)->build();
  // Types that Parquet has not (a dictionary's order, time zones) come back as they were.
  const auto arrow_properties = parquet::ArrowWriterProperties::Builder().store_schema()->build();
  SHEAF_ARROW_ASSIGN(
      auto writer, Kind::kFailed,
      parquet::arrow::FileWriter::Open(schema, arrow::default_memory_pool(), std::move(out),
                                       properties, arrow_properties));
  return std::make_unique<ParquetSink>(std::move(writer));
}

}  // namespace

Result<std::unique_ptr<RowSink>> MakeRowSink(const OutputOptions& options, Out out, bool piped,
                                             std::shared_ptr<arrow::Schema> schema) {
  switch (options.format) {
    case Format::kTable: return std::make_unique<TableSink>(options, std::move(out), *schema);
    case Format::kCsv: return CsvSink::Open(std::move(out), *schema);
    case Format::kJson: return std::make_unique<JsonSink>(JsonSink::Shape::kArray, std::move(out));
    case Format::kNdjson:
      return std::make_unique<JsonSink>(JsonSink::Shape::kLines, std::move(out));
    case Format::kArrow: return OpenIpc(std::move(out), piped, schema);
    case Format::kParquet: return OpenParquet(std::move(out), *schema);
    case Format::kNone: return std::make_unique<NoSink>();
  }
  __builtin_unreachable();
}

}  // namespace sheaf::app
