// ORC, where Arrow was built with it.
#include "sheaf/services/files/reader.h"

#if __has_include(<arrow/adapters/orc/adapter.h>)
#include <arrow/adapters/orc/adapter.h>
#include <arrow/api.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "sheaf/services/files/errors.h"
#include "sheaf/wire/columnar/columnar.h"

namespace sheaf::files {
namespace {

constexpr int64_t kBatchRows = 8192;

class OrcReader final : public Reader {
 public:
  OrcReader(std::shared_ptr<SourceFile> file, ReadPlan plan)
      : file_(std::move(file)), plan_(std::move(plan)) {}

  Status Open() {
    auto head = file_->ReadAt(0, 3, true);
    if (!head.ok()) return ReadError(head.status(), *file_, plan_.name, "its start");
    if (std::string_view(**head) != "ORC") {
      return WrongFormat(plan_.name, "orc", "it does not begin with ORC");
    }
    return Guarded("the footer", [&]() -> Status {
      auto opened = arrow::adapters::orc::ORCFileReader::Open(file_, file_->context().pool.get());
      if (!opened.ok()) return ReadError(opened.status(), *file_, plan_.name, "the footer");
      reader_ = std::move(*opened);
      auto schema = reader_->ReadSchema();
      if (!schema.ok()) return ReadError(schema.status(), *file_, plan_.name, "the schema");
      if ((*schema)->num_fields() == 0) return BadText(plan_.name, "", "it has no columns");
      SHEAF_ASSIGN(schema_, CleanSchema(**schema, plan_.name));
      return Done();
    });
  }

  const Schema& schema() const override { return schema_; }
  int64_t rows() const override { return reader_->NumberOfRows(); }

  Status Select(const std::vector<int>& columns, const Filter&) override {
    std::vector<std::string> names;
    arrow::FieldVector fields;
    for (const int column : columns) {
      fields.push_back(schema_->field(column));
      names.push_back(fields.back()->name());
    }
    selected_ = arrow::schema(std::move(fields));
    return Guarded("its start", [&]() -> Status {
      auto opened = reader_->GetRecordBatchReader(kBatchRows, names);
      if (!opened.ok()) return ReadError(opened.status(), *file_, plan_.name, "its start");
      batches_ = std::move(*opened);
      return Done();
    });
  }

  Result<Batch> Next() override {
    Batch batch;
    const std::string where = "row " + std::to_string(rows_read_);
    const Status status = Guarded(where, [&]() -> Status {
      Batch read;
      const arrow::Status next = batches_->ReadNext(&read);
      if (!next.ok()) return ReadError(next, *file_, plan_.name, where);
      if (read == nullptr) return Done();
      std::vector<std::shared_ptr<arrow::Array>> columns;
      for (const auto& field : selected_->fields()) {
        auto column = read->GetColumnByName(field->name());
        if (column == nullptr || !column->type()->Equals(*field->type())) {
          return Damaged(plan_.name, where, "column '" + field->name() + "' is not there");
        }
        columns.push_back(std::move(column));
      }
      rows_read_ += read->num_rows();
      batch = arrow::RecordBatch::Make(selected_, read->num_rows(), std::move(columns));
      return Done();
    });
    if (!status.ok()) return status.error();
    return batch;
  }

  double done() const override {
    const int64_t all = reader_->NumberOfRows();
    return all <= 0 ? 1 : std::min(1.0, static_cast<double>(rows_read_) / static_cast<double>(all));
  }

 private:
  template <typename Call>
  Status Guarded(const std::string& where, const Call& call) const {
    try {
      return call();
    } catch (const std::bad_alloc&) {
      return Fail(Kind::kExhausted, "'" + plan_.name + "': no memory to read " + where);
    } catch (const std::exception& error) {
      return ReadError(arrow::Status::IOError(error.what()), *file_, plan_.name, where);
    }
  }

  const std::shared_ptr<SourceFile> file_;  // Shared with the ORC reader; holds the pool.
  const ReadPlan plan_;
  std::unique_ptr<arrow::adapters::orc::ORCFileReader> reader_;
  Schema schema_, selected_;
  int64_t rows_read_ = 0;
  std::shared_ptr<arrow::RecordBatchReader> batches_;  // Shared as Arrow makes them.
};

}  // namespace

Result<std::unique_ptr<Reader>> OpenOrc(const std::shared_ptr<SourceFile>& file,
                                        const ReadPlan& plan) {
  auto reader = std::make_unique<OrcReader>(file, plan);
  SHEAF_TRY(reader->Open());
  return std::unique_ptr<Reader>(std::move(reader));
}

}  // namespace sheaf::files

#else

namespace sheaf::files {

Result<std::unique_ptr<Reader>> OpenOrc(const std::shared_ptr<SourceFile>&, const ReadPlan&) {
  return Fail(Kind::kUnsupported, "this node was built without ORC");
}

}  // namespace sheaf::files

#endif
