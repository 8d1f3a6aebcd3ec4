#include "sheaf/services/sql/guarded_inputs.h"

#include <arrow/record_batch.h>

#include <utility>

namespace sheaf::sql {
namespace {

constexpr size_t kFilesTextMax = 200;

arrow::Status Over() { return arrow::Status::Cancelled("the run is over"); }

}  // namespace

// A key to a reader in the registry, in the shape of a reader.
class GuardedInputs::Reader final : public arrow::RecordBatchReader {
 public:
  Reader(std::shared_ptr<GuardedInputs> inputs, uint64_t id, Schema schema)
      : inputs_(std::move(inputs)), id_(id), schema_(std::move(schema)) {}
  ~Reader() override { inputs_->Drop(id_); }

  Schema schema() const override { return schema_; }
  arrow::Status ReadNext(Batch* batch) override { return inputs_->Read(id_, batch); }

 private:
  const std::shared_ptr<GuardedInputs> inputs_;  // Shared with the run.
  const uint64_t id_;
  const Schema schema_;
};

GuardedInputs::GuardedInputs(const std::map<std::string, module::RunInput>& inputs)
    : inputs_(inputs) {}

std::vector<duckdb::Table> GuardedInputs::Tables() {
  std::vector<duckdb::Table> tables;
  for (const auto& [name, input] : inputs_) {
    duckdb::Table table{.name = name, .schema = input.schema, .rows = input.rows};
    if (input.parquet) {
      table.files = input.parquet->files;
      table.columns = input.parquet->columns;
    } else {
      table.open = [self = shared_from_this(), name = name] { return self->Open(name); };
    }
    tables.push_back(std::move(table));
  }
  return tables;
}

Error GuardedInputs::Placed(Error error) {
  const auto pass = gate_.Enter();
  if (!pass) return error;
  // An error of the statement has a position; one without may be of a file that DuckDB reads.
  if (error.kind != Kind::kFailed || !error.details.empty()) return error;
  std::string files;
  for (const auto& [name, input] : inputs_) {
    if (!input.parquet) continue;
    for (const auto& file : input.parquet->files) {
      if (files.size() > kFilesTextMax) break;
      files += (files.empty() ? "inputs." : ", inputs.") + name + " '" +
               file.substr(file.find_last_of('/') + 1) + "'";
    }
  }
  if (!files.empty()) error.message += " (while it read " + files + ")";
  return error;
}

void GuardedInputs::Close() {
  gate_.Close();
  Readers readers;
  {
    MutexLock lock(mutex_);
    readers.swap(readers_);
  }
  readers.clear();
  inputs_.clear();
}

arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> GuardedInputs::Open(
    const std::string& name) {
  const auto pass = gate_.Enter();
  if (!pass) return Over();
  auto opened = inputs_.at(name).open();
  if (!opened.ok()) {
    return columnar::ToArrow(std::move(opened).error().In("input " + name));
  }
  auto schema = (*opened)->schema();
  uint64_t id = 0;
  {
    MutexLock lock(mutex_);
    id = next_id_++;
    readers_.emplace(id, std::move(opened).value());
  }
  return std::make_shared<Reader>(shared_from_this(), id, std::move(schema));
}

arrow::Status GuardedInputs::Read(uint64_t id, std::shared_ptr<arrow::RecordBatch>* out) {
  const auto pass = gate_.Enter();
  if (!pass) return Over();
  std::shared_ptr<arrow::RecordBatchReader> reader;
  {
    MutexLock lock(mutex_);
    const auto found = readers_.find(id);
    if (found == readers_.end()) return Over();
    reader = found->second;
  }
  return reader->ReadNext(out);
}

void GuardedInputs::Drop(uint64_t id) {
  const auto pass = gate_.Enter();
  if (!pass) return;
  std::shared_ptr<arrow::RecordBatchReader> reader;
  MutexLock lock(mutex_);
  const auto found = readers_.find(id);
  if (found == readers_.end()) return;
  reader = std::move(found->second);
  readers_.erase(found);
}

}  // namespace sheaf::sql
