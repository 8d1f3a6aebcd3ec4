#include "sheaf/apps/sheaf/row_sinks.h"

#include <arrow/api.h>
#include <arrow/ipc/writer.h>
#include <parquet/arrow/writer.h>

#include <utility>
#include <vector>

#include "sheaf/apps/sheaf/cells.h"
#include "sheaf/apps/sheaf/scalars.h"
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

// RFC 4180 with the least of quotes. An absent value is nothing, an empty text is "".
class CsvSink final : public RowSink {
 public:
  CsvSink(Out out, const arrow::Schema& schema) : out_(std::move(out)) {
    for (const auto& name : schema.field_names()) {
      if (!head_.empty()) head_ += ',';
      AppendCsvText(name, head_);
    }
    head_ += '\n';
  }
  arrow::Status Write(const arrow::RecordBatch& batch) override {
    std::string text = std::exchange(head_, {});
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      for (int i = 0; i < batch.num_columns(); ++i) {
        if (i > 0) text += ',';
        if (const auto cell = CellText(*batch.column(i), row)) AppendCsvText(*cell, text);
      }
      text += '\n';
    }
    return out_->Write(text);
  }
  arrow::Status End(const std::string&) override { return out_->Write(head_); }

 private:
  const Out out_;
  std::string head_;  // Until it is written.
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
    case Format::kCsv: return std::make_unique<CsvSink>(std::move(out), *schema);
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
