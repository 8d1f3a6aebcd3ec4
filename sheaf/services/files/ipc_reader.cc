// Arrow IPC: the file format and the stream format, told apart by their first bytes.
#include <arrow/api.h>
#include <arrow/ipc/api.h>

#include <algorithm>
#include <utility>

#include "sheaf/services/files/errors.h"
#include "sheaf/services/files/ipc_footer.h"
#include "sheaf/services/files/reader.h"
#include "sheaf/wire/columnar/columnar.h"

namespace sheaf::files {
namespace {

constexpr int64_t kRowsOfBatchMax = int64_t{1} << 31;

class IpcReader final : public Reader {
 public:
  IpcReader(std::shared_ptr<SourceFile> file, ReadPlan plan)
      : file_(std::move(file)), plan_(std::move(plan)) {
    options_.memory_pool = file_->context().pool.get();
    options_.use_threads = false;
    options_.ensure_alignment = arrow::ipc::Alignment::kDataTypeSpecificAlignment;
  }

  Status Open() {
    auto head = file_->ReadAt(0, 8, true);
    if (!head.ok()) return Wrong(head.status(), "its start");
    const std::string_view magic(**head);
    if (magic.starts_with("FEA1")) {
      return Fail(Kind::kUnsupported, "'" + plan_.name + "' is a Feather file of version 1");
    }
    is_file_ = magic.starts_with("ARROW1");
    SHEAF_TRY(OpenReaders());
    const auto& schema = is_file_ ? batches_->schema() : stream_->schema();
    if (schema->num_fields() == 0) return BadText(plan_.name, "", "it has no columns");
    SHEAF_ASSIGN(schema_, CleanSchema(*schema, plan_.name));
    return Done();
  }

  const Schema& schema() const override { return schema_; }

  Status Select(const std::vector<int>& columns, const Filter&) override {
    arrow::FieldVector fields;
    for (const int column : columns) fields.push_back(schema_->field(column));
    selected_ = arrow::schema(std::move(fields));
    options_.included_fields = columns;
    std::sort(options_.included_fields.begin(), options_.included_fields.end());
    return OpenReaders();
  }

  Result<Batch> Next() override {
    Batch read;
    if (is_file_) {
      if (next_ == batches_->num_record_batches()) return Batch();
      const IpcBlock& block = blocks_[static_cast<size_t>(next_)];
      SHEAF_TRY(CheckIpcMessage(*file_, block, plan_.name, "batch " + std::to_string(next_)));
      auto batch = batches_->ReadRecordBatch(next_++);
      if (!batch.ok()) return Wrong(batch.status(), Where());
      read = std::move(*batch);
    } else {
      const arrow::Status status = stream_->ReadNext(&read);
      ++next_;
      if (!status.ok()) return Wrong(status, Where());
    }
    if (read == nullptr) return Batch();
    if (read->num_rows() < 0 || read->num_rows() > kRowsOfBatchMax) {
      return Fail(Kind::kExhausted, "'" + plan_.name + "' at " + Where() + ": " +
                                        std::to_string(read->num_rows()) + " rows in one batch");
    }
    std::vector<std::shared_ptr<arrow::Array>> columns;
    for (const auto& field : selected_->fields()) {
      auto column = read->GetColumnByName(field->name());
      if (column == nullptr || !column->type()->Equals(*field->type())) {
        return Damaged(plan_.name, Where(), "column '" + field->name() + "' is not there");
      }
      columns.push_back(std::move(column));
    }
    return arrow::RecordBatch::Make(selected_, read->num_rows(), std::move(columns));
  }

  double done() const override {
    if (is_file_) {
      const int count = batches_->num_record_batches();
      return count == 0 ? 1 : static_cast<double>(next_) / count;
    }
    const auto at = file_->Tell();
    return at.ok() ? std::min(1.0, static_cast<double>(*at) / static_cast<double>(file_->size()))
                   : 1;
  }

 private:
  std::string Where() const { return "batch " + std::to_string(std::max(next_ - 1, 0)); }

  Error Wrong(const arrow::Status& status, const std::string& where) const {
    return ReadError(status, *file_, plan_.name, where);
  }

  Status OpenReaders() {
    if (is_file_) {
      auto opened = arrow::ipc::RecordBatchFileReader::Open(file_, options_);
      if (!opened.ok()) return Wrong(opened.status(), "the footer");
      batches_ = std::move(*opened);
      SHEAF_ASSIGN(blocks_, ReadIpcBlocks(*file_, plan_.name));
      if (static_cast<int>(blocks_.size()) != batches_->num_record_batches()) {
        return Damaged(plan_.name, "the footer", "it is malformed");
      }
      return Done();
    }
    const arrow::Status sought = file_->Seek(0);
    if (!sought.ok()) return Wrong(sought, "its start");
    auto opened = arrow::ipc::RecordBatchStreamReader::Open(file_, options_);
    if (!opened.ok()) {
      if (opened.status().IsOutOfMemory() || opened.status().IsCancelled()) {
        return Wrong(opened.status(), "the schema");
      }
      if (Status reason = file_->context().Check(); !reason.ok()) return reason;
      return WrongFormat(plan_.name, "arrow", opened.status().message());
    }
    stream_ = std::move(*opened);
    return Done();
  }

  const std::shared_ptr<SourceFile> file_;  // Shared with Arrow's readers; holds the pool.
  const ReadPlan plan_;
  arrow::ipc::IpcReadOptions options_ = arrow::ipc::IpcReadOptions::Defaults();
  bool is_file_ = false;
  Schema schema_, selected_;
  int next_ = 0;
  std::vector<IpcBlock> blocks_;
  std::shared_ptr<arrow::ipc::RecordBatchFileReader> batches_;  // Shared as Arrow makes them.
  std::shared_ptr<arrow::ipc::RecordBatchStreamReader> stream_;
};

}  // namespace

Result<std::unique_ptr<Reader>> OpenIpc(const std::shared_ptr<SourceFile>& file,
                                        const ReadPlan& plan) {
  auto reader = std::make_unique<IpcReader>(file, plan);
  SHEAF_TRY(reader->Open());
  return std::unique_ptr<Reader>(std::move(reader));
}

}  // namespace sheaf::files
