#include "sheaf/drivers/duckdb/source.h"

#include <arrow/c/bridge.h>

#include <algorithm>
#include <map>
#include <utility>

#include "duckdb/catalog/catalog.hpp"
#include "duckdb/common/arrow/arrow_wrapper.hpp"
#include "duckdb/function/table/arrow.hpp"
#include "duckdb/parser/parsed_data/create_table_function_info.hpp"

namespace sheaf::duckdb {
namespace {

// One batch is the unit of parallelism: larger ones are cut.
constexpr int64_t kSliceRows = 1 << 18;
constexpr int64_t kRowsAssumed = 100'000;  // For the optimiser, where nobody knows.
constexpr int kFailed = 5;                 // EIO; the message travels beside it.

struct SourcesInfo final : ddb::TableFunctionInfo {
  std::vector<std::shared_ptr<const Source>> sources;
};

// The state of one scan, behind the C stream that DuckDB pulls.
//
// DuckDB calls one at a time; the mutex tells so to ThreadSanitizer, which cannot see into DuckDB.
class Cursor final {
 public:
  Cursor(std::shared_ptr<const Source> source, std::vector<int> columns)
      : source_(std::move(source)), columns_(std::move(columns)) {
    MutexLock lock(mutex_);
  }
  void End() { MutexLock lock(mutex_); }

  int Next(ArrowArray* out) {
    MutexLock lock(mutex_);
    out->release = nullptr;
    // Siblings go on asking until they hear of the first failure: nothing may come after it.
    if (failed_) return kFailed;
    const arrow::Status status = Step(out);
    if (status.ok()) return 0;
    failed_ = true;
    source_->control->Failed(status);
    message_ = status.message();
    return kFailed;
  }

  int Schema(ArrowSchema* out) {
    return arrow::ExportSchema(*source_->table.schema, out).ok() ? 0 : kFailed;
  }
  const char* message() const { return message_.c_str(); }

 private:
  arrow::Status Open() SHEAF_REQUIRES(mutex_) {
    ARROW_ASSIGN_OR_RAISE(reader_, source_->table.open());
    if (!reader_->schema()->Equals(*source_->table.schema, /*check_metadata=*/false)) {
      return arrow::Status::Invalid("table ", source_->table.name,
                                    ": its reader has another schema than was declared");
    }
    return arrow::Status::OK();
  }

  arrow::Status Step(ArrowArray* out) SHEAF_REQUIRES(mutex_) {
    if (source_->control->stopped()) return arrow::Status::Cancelled("interrupted");
    if (reader_ == nullptr) ARROW_RETURN_NOT_OK(Open());
    if (held_ == nullptr) {
      ARROW_RETURN_NOT_OK(reader_->ReadNext(&held_));
      if (held_ == nullptr) return arrow::Status::OK();
      ARROW_ASSIGN_OR_RAISE(held_, held_->SelectColumns(columns_));
      offset_ = 0;
    }
    if (held_->num_rows() - offset_ <= 2 * kSliceRows && offset_ == 0) {
      return arrow::ExportRecordBatch(*std::exchange(held_, nullptr), out);
    }
    const auto slice = held_->Slice(offset_, kSliceRows);
    offset_ += kSliceRows;
    if (offset_ >= held_->num_rows()) held_ = nullptr;
    return arrow::ExportRecordBatch(*slice, out);
  }

  const std::shared_ptr<const Source> source_;  // Shared: a scan may outlive its function.
  const std::vector<int> columns_;
  Mutex mutex_;
  std::shared_ptr<arrow::RecordBatchReader> reader_ SHEAF_GUARDED_BY(mutex_);
  std::shared_ptr<arrow::RecordBatch> held_ SHEAF_GUARDED_BY(mutex_);
  int64_t offset_ SHEAF_GUARDED_BY(mutex_) = 0;
  bool failed_ SHEAF_GUARDED_BY(mutex_) = false;
  std::string message_;  // Written by the first Next that failed, read after it.
};

Cursor& CursorOf(ArrowArrayStream* stream) { return *static_cast<Cursor*>(stream->private_data); }

void Release(ArrowArrayStream* stream) {
  CursorOf(stream).End();
  delete static_cast<Cursor*>(stream->private_data);
  stream->private_data = nullptr;
  stream->release = nullptr;
}

ddb::unique_ptr<ddb::ArrowArrayStreamWrapper> Produce(uintptr_t factory,
                                                      ddb::ArrowStreamParameters& parameters) {
  const auto& source = *reinterpret_cast<const std::shared_ptr<const Source>*>(factory);
  // The columns in the order of the scan; a row id has none.
  const auto& wanted = parameters.projected_columns.filter_to_col;
  const std::map<ddb::idx_t, ddb::idx_t> ordered(wanted.begin(), wanted.end());
  std::vector<int> columns;
  for (const auto& [place, column] : ordered) columns.push_back(static_cast<int>(column));
  auto wrapper = ddb::make_uniq<ddb::ArrowArrayStreamWrapper>();
  auto& stream = wrapper->arrow_array_stream;
  stream.get_schema = [](ArrowArrayStream* s, ArrowSchema* out) { return CursorOf(s).Schema(out); };
  stream.get_next = [](ArrowArrayStream* s, ArrowArray* out) { return CursorOf(s).Next(out); };
  stream.get_last_error = [](ArrowArrayStream* s) { return CursorOf(s).message(); };
  stream.release = Release;
  stream.private_data = new Cursor(source, std::move(columns));
  return wrapper;
}

void Populate(ddb::ClientContext& context, const arrow::Schema& schema, ArrowSchema& exported,
              ddb::ArrowTableSchema& table) {
  const arrow::Status status = arrow::ExportSchema(schema, &exported);
  if (!status.ok()) throw ddb::InvalidInputException(status.message());
  ddb::ArrowTableFunction::PopulateArrowTableSchema(context, table, exported);
}

ddb::unique_ptr<ddb::FunctionData> BindScan(ddb::ClientContext& context,
                                            ddb::TableFunctionBindInput& input,
                                            ddb::vector<ddb::LogicalType>& types,
                                            ddb::vector<ddb::string>& names) {
  const auto& info = input.info->Cast<SourcesInfo>();
  const auto index = input.inputs.at(0).GetValue<int64_t>();
  if (index < 0 || static_cast<size_t>(index) >= info.sources.size())
    throw ddb::BinderException("no such input");
  const auto& source = info.sources[static_cast<size_t>(index)];
  auto data =
      ddb::make_uniq<ddb::ArrowScanFunctionData>(Produce, reinterpret_cast<uintptr_t>(&source));
  Populate(context, *source->table.schema, data->schema_root.arrow_schema, data->arrow_table);
  names = data->arrow_table.GetNames();
  types = data->arrow_table.GetTypes();
  data->all_types = types;
  return data;
}

const Source& SourceOf(const ddb::FunctionData* data) {
  const auto& scan = data->Cast<ddb::ArrowScanFunctionData>();
  return **reinterpret_cast<const std::shared_ptr<const Source>*>(scan.stream_factory_ptr);
}

ddb::unique_ptr<ddb::NodeStatistics> Cardinality(ddb::ClientContext&,
                                                 const ddb::FunctionData* data) {
  const int64_t rows = SourceOf(data).table.rows;
  if (rows < 0) return ddb::make_uniq<ddb::NodeStatistics>(kRowsAssumed);
  return ddb::make_uniq<ddb::NodeStatistics>(rows, rows);
}

double ScanProgress(ddb::ClientContext&, const ddb::FunctionData* data,
                    const ddb::GlobalTableFunctionState*) {
  const auto& scan = data->Cast<ddb::ArrowScanFunctionData>();
  const int64_t rows = SourceOf(data).table.rows;
  if (rows < 0) return -1;
  if (rows == 0) return 100;
  return std::min(100.0,
                  100.0 * static_cast<double>(scan.lines_read.load()) / static_cast<double>(rows));
}

ddb::OperatorPartitionData PartitionData(ddb::ClientContext&,
                                         ddb::TableFunctionGetPartitionInput& input) {
  if (input.partition_info.RequiresPartitionColumns()) {
    throw ddb::InternalException("an input has no partition columns");
  }
  return ddb::OperatorPartitionData(
      input.local_state->Cast<ddb::ArrowScanLocalState>().batch_index);
}

ddb::InsertionOrderPreservingMap<ddb::string> Describe(ddb::TableFunctionToStringInput& input) {
  ddb::InsertionOrderPreservingMap<ddb::string> text;
  text["Input"] = SourceOf(input.bind_data.get()).table.name;
  return text;
}

}  // namespace

void ScanControl::Failed(const arrow::Status& status) {
  MutexLock lock(mutex_);
  if (first_.ok()) first_ = status;
}

arrow::Status ScanControl::status() const {
  MutexLock lock(mutex_);
  return first_;
}

void ColumnsOf(ddb::ClientContext& context, const arrow::Schema& schema,
               ddb::vector<ddb::LogicalType>& types, ddb::vector<ddb::string>& names) {
  ddb::ArrowSchemaWrapper exported;
  ddb::ArrowTableSchema table;
  Populate(context, schema, exported.arrow_schema, table);
  names = table.GetNames();
  types = table.GetTypes();
}

void RegisterSources(ddb::Connection& connection,
                     std::vector<std::shared_ptr<const Source>> sources) {
  using Parts = ddb::ArrowTableFunction;
  ddb::TableFunction function(kScanFunction, {ddb::LogicalType::BIGINT}, Parts::ArrowScanFunction,
                              BindScan, Parts::ArrowScanInitGlobal, Parts::ArrowScanInitLocal);
  function.projection_pushdown = true;
  function.filter_pushdown = false;
  function.filter_prune = false;
  function.cardinality = Cardinality;
  function.table_scan_progress = ScanProgress;
  function.get_partition_data = PartitionData;
  function.to_string = Describe;
  auto info = ddb::make_shared_ptr<SourcesInfo>();
  info->sources = std::move(sources);
  function.function_info = std::move(info);
  ddb::CreateTableFunctionInfo create(function);
  auto& context = *connection.context;
  context.RunFunctionInTransaction(
      [&] { ddb::Catalog::GetSystemCatalog(context).CreateTableFunction(context, create); });
}

}  // namespace sheaf::duckdb
