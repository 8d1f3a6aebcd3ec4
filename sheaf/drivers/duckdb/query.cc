#include "sheaf/drivers/duckdb/query.h"

#include <arrow/c/bridge.h>
#include <arrow/record_batch.h>
#include <arrow/util/byte_size.h>

#include <algorithm>
#include <utility>

#include "duckdb/common/arrow/arrow_converter.hpp"
#include "duckdb/common/arrow/arrow_util.hpp"
#include "duckdb/function/table/arrow/arrow_duck_schema.hpp"
#include "duckdb/main/chunk_scan_state/query_result.hpp"
#include "duckdb/main/pending_query_result.hpp"
#include "duckdb/planner/expression/bound_parameter_data.hpp"
#include "duckdb/planner/planner.hpp"
#include "duckdb/storage/buffer_manager.hpp"
#include "sheaf/drivers/duckdb/first_error.h"
#include "sheaf/drivers/duckdb/instance.h"
#include "sheaf/drivers/duckdb/parquet_schema.h"
#include "sheaf/drivers/duckdb/source.h"
#include "sheaf/drivers/duckdb/types.h"
#include "sheaf/drivers/duckdb/views.h"

namespace sheaf::duckdb {
namespace {

using Parameters = ddb::case_insensitive_map_t<ddb::BoundParameterData>;

constexpr int64_t kBatchBytes = 2 << 20;
constexpr int64_t kBatchRowsFirst = 8'192;
constexpr int64_t kBatchRowsMax = 122'880;

ddb::Value ToDuckDb(const Value& value) {
  struct Visitor {
    ddb::Value operator()(std::monostate) const { return ddb::Value(); }
    ddb::Value operator()(bool v) const { return ddb::Value::BOOLEAN(v); }
    ddb::Value operator()(int64_t v) const {
      const bool small = v >= INT32_MIN && v <= INT32_MAX;  // As DuckDB types a literal.
      return small ? ddb::Value::INTEGER(static_cast<int32_t>(v)) : ddb::Value::BIGINT(v);
    }
    ddb::Value operator()(uint64_t v) const {
      return v <= INT64_MAX ? (*this)(static_cast<int64_t>(v)) : ddb::Value::UBIGINT(v);
    }
    ddb::Value operator()(double v) const { return ddb::Value::DOUBLE(v); }
    ddb::Value operator()(const std::string& v) const { return ddb::Value(v); }
  };
  return std::visit(Visitor{}, value);
}

Parameters ToDuckDb(const Values& values) {
  Parameters parameters;
  for (const auto& [name, value] : values) {
    parameters.emplace(name, ddb::BoundParameterData(ToDuckDb(value)));
  }
  return parameters;
}

std::shared_ptr<arrow::Schema> ToArrow(ddb::Connection& connection,
                                       const ddb::vector<ddb::LogicalType>& types,
                                       const ddb::vector<ddb::string>& names) {
  auto properties = connection.context->GetClientProperties();
  ArrowSchema exported{};
  ddb::ArrowConverter::ToArrowSchema(&exported, types, names, properties);
  auto imported = arrow::ImportSchema(&exported);
  if (!imported.ok()) throw ddb::InvalidInputException(imported.status().message());
  return std::move(imported).ValueUnsafe();
}

std::vector<std::string> FilesOf(const std::vector<Table>& tables) {
  std::vector<std::string> files;
  for (const auto& table : tables)
    files.insert(files.end(), table.files.begin(), table.files.end());
  return files;
}

std::string Listed(const std::vector<std::string>& names) {
  constexpr size_t kListedMax = 12;
  std::string list;
  for (size_t i = 0; i < std::min(names.size(), kListedMax); ++i) {
    list += (i == 0 ? "" : ", ") + names[i];
  }
  return names.size() > kListedMax ? list + ", …" : list;
}

// Paths of the machine in an error become names of files.
Error WithoutDirectories(Error error, const std::vector<std::string>& files) {
  for (const auto& file : files) {
    const size_t slash = file.rfind('/');
    if (slash == std::string::npos || slash == 0) continue;
    const std::string directory = file.substr(0, slash + 1);
    for (size_t at; (at = error.message.find(directory)) != std::string::npos;) {
      error.message.erase(at, directory.size());
    }
  }
  return error;
}

// Of files without a declared schema: what Arrow's own reader would make of them.
Status FillSchema(Table& table, const std::vector<std::string>& files) {
  if (table.schema != nullptr || table.files.empty()) return Done();
  const std::string& file = table.files.front();
  auto schema = ParquetSchema(file, table.columns);
  if (!schema.ok()) {
    return WithoutDirectories(
        Fail(Kind::kFailed, "input " + table.name + ": " + file + ": " + schema.status().message()),
        files);
  }
  table.schema = std::move(schema).ValueUnsafe();
  return Done();
}

}  // namespace

class Query::Impl {
 public:
  static Result<std::unique_ptr<Impl>> Make(Engine& engine, const Statement& statement,
                                            std::vector<Table> tables, const QueryLimits& limits) {
    auto impl = std::make_unique<Impl>(statement);
    for (const auto& table : tables) impl->names_.push_back(table.name);
    std::erase_if(tables, [&](const Table& table) { return !statement.Names(table.name); });
    impl->files_ = FilesOf(tables);
    impl->hidden_ = impl->files_;
    if (!limits.spill_directory.empty()) impl->hidden_.push_back(limits.spill_directory);
    for (auto& table : tables) {
      SHEAF_TRY(FillSchema(table, impl->hidden_));
      SHEAF_TRY(CheckTable(table));
    }
    SHEAF_ASSIGN(impl->instance_, engine.Take());
    SHEAF_TRY(impl->Guarded([&]() -> Status {
      impl->instance_->Configure(limits, impl->files_);
      MakeViews(*impl->instance_, std::move(tables), impl->control_);
      impl->instance_->Lock();
      impl->first_error_.Watch(*impl->connection().context);
      return Done();
    }));
    return impl;
  }

  explicit Impl(const Statement& statement) : statement_(statement) {}
  ~Impl() {
    control_->Stop();
    scan_.reset();
    result_.reset();
  }

  Status Start(const Values& values) {
    return Guarded([&]() -> Status {
      auto parameters = ToDuckDb(values);
      auto pending = connection().PendingQuery(statement_.parsed().statement->Copy(), parameters,
                                               ddb::QueryResultOutputType::ALLOW_STREAMING);
      if (pending->HasError()) return Failure(pending->GetErrorObject());
      SHEAF_TRY(CheckResult(pending->types, pending->names));
      schema_ = ToArrow(connection(), pending->types, pending->names);
      doubtful_ = ColumnsToCheck(pending->types);
      pending_ = std::move(pending);
      return Done();
    });
  }

  Result<std::shared_ptr<arrow::Schema>> Bind(const Values& values) {
    std::shared_ptr<arrow::Schema> schema;
    SHEAF_TRY(Guarded([&]() -> Status {
      auto& context = *connection().context;
      Status status;
      context.RunFunctionInTransaction([&] {
        ddb::Planner planner(context);
        planner.parameter_data = ToDuckDb(values);
        planner.CreatePlan(statement_.parsed().statement->Copy());
        status = CheckResult(planner.types, planner.names);
        if (status.ok()) schema = ToArrow(connection(), planner.types, planner.names);
      });
      return status;
    }));
    return schema;
  }

  Result<std::shared_ptr<arrow::RecordBatch>> Next() {
    std::shared_ptr<arrow::RecordBatch> batch;
    SHEAF_TRY(Guarded([&]() -> Status {
      if (control_->stopped()) return Fail(Kind::kCancelled, "interrupted");
      if (result_ == nullptr) {
        result_ = pending_->Execute();
        pending_.reset();
        if (result_->HasError()) return Failure(result_->GetErrorObject());
        scan_ = ddb::make_uniq<ddb::QueryResultChunkScanState>(*result_);
      }
      return Fetch(batch);
    }));
    return batch;
  }

  void Interrupt() {
    control_->Stop();
    connection().Interrupt();
  }

  double progress() {
    const double percent = connection().GetQueryProgress();
    return percent < 0 ? -1 : std::min(percent / 100, 1.0);
  }

  Bytes memory_used() {
    auto& manager = ddb::BufferManager::GetBufferManager(instance_->database());
    return {static_cast<int64_t>(manager.GetUsedMemory())};
  }

  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }
  arrow::Status source_status() const { return control_->status(); }

 private:
  ddb::Connection& connection() { return instance_->connection(); }

  // Runs what may throw; nothing leaves but a Status.
  template <typename Function>
  Status Guarded(Function&& function) {
    try {
      return function();
    } catch (const std::exception& thrown) {
      return Failure(ddb::ErrorData(thrown));
    } catch (...) {
      return Fail(Kind::kInternal, "DuckDB threw something that is no exception");
    }
  }

  Error Failure(const ddb::ErrorData& reported) const {
    const auto& data = first_error_.Behind(reported);
    if (data.Type() != ddb::ExceptionType::CATALOG ||
        !data.RawMessage().starts_with("Table with")) {
      return WithoutDirectories(FromDuckDb(data, statement_.sql()), hidden_);
    }
    // DuckDB would propose tables of its catalog; what can be meant are inputs.
    std::string message = data.RawMessage().substr(0, data.RawMessage().find('\n'));
    message += names_.empty() ? " There are no inputs" : " The inputs are " + Listed(names_);
    return FromDuckDb(ddb::Exception(data.ExtraInfo(), data.Type(), message), statement_.sql());
  }

  Status Fetch(std::shared_ptr<arrow::RecordBatch>& batch) {
    ArrowArray array{};
    ddb::idx_t count = 0;
    ddb::ErrorData error;
    auto extensions =
        ddb::ArrowTypeExtensionData::GetExtensionTypes(*connection().context, result_->types);
    if (!ddb::ArrowUtil::TryFetchChunk(*scan_, result_->client_properties,
                                       static_cast<ddb::idx_t>(batch_rows_), &array, count, error,
                                       std::move(extensions))) {
      return Failure(error);
    }
    if (count == 0) return Done();
    auto imported = arrow::ImportRecordBatch(&array, schema_);
    if (!imported.ok()) {
      return Fail(Kind::kInternal,
                  "a batch of DuckDB is not Arrow: " + imported.status().message());
    }
    SHEAF_TRY(CheckValues(**imported, doubtful_));
    batch = std::move(imported).ValueUnsafe();
    const int64_t bytes = std::max<int64_t>(arrow::util::TotalBufferSize(*batch), 1);
    const int64_t fitting = std::max<int64_t>(kBatchBytes * batch->num_rows() / bytes, 1);
    batch_rows_ = std::clamp<int64_t>(fitting, 1, kBatchRowsMax);
    return Done();
  }

  const Statement statement_;
  std::vector<std::string> names_;  // Of all inputs, also those that the text does not name.
  std::vector<std::string> files_;
  std::vector<std::string> hidden_;  // Paths whose directories no error shows.
  const std::shared_ptr<ScanControl> control_ = std::make_shared<ScanControl>();
  FirstError first_error_;
  std::unique_ptr<Instance> instance_;  // Before what runs in it: dies after.
  std::shared_ptr<arrow::Schema> schema_;
  std::vector<int> doubtful_;  // Columns whose values are checked.
  ddb::unique_ptr<ddb::PendingQueryResult> pending_;
  ddb::unique_ptr<ddb::QueryResult> result_;
  ddb::unique_ptr<ddb::QueryResultChunkScanState> scan_;
  int64_t batch_rows_ = kBatchRowsFirst;
};

Query::Query(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Query::~Query() = default;

Result<std::unique_ptr<Query>> Query::Open(Engine& engine, const Statement& statement,
                                           const Values& values, std::vector<Table> tables,
                                           const QueryLimits& limits) {
  SHEAF_ASSIGN(auto impl, Impl::Make(engine, statement, std::move(tables), limits));
  SHEAF_TRY(impl->Start(values));
  return std::unique_ptr<Query>(new Query(std::move(impl)));
}

Result<std::shared_ptr<arrow::Schema>> Query::Bind(Engine& engine, const Statement& statement,
                                                   const Values& values, std::vector<Table> tables,
                                                   const QueryLimits& limits) {
  SHEAF_ASSIGN(auto impl, Impl::Make(engine, statement, std::move(tables), limits));
  return impl->Bind(values);
}

const std::shared_ptr<arrow::Schema>& Query::schema() const { return impl_->schema(); }
Result<std::shared_ptr<arrow::RecordBatch>> Query::Next() { return impl_->Next(); }
void Query::Interrupt() { impl_->Interrupt(); }
double Query::progress() const { return impl_->progress(); }
Bytes Query::memory_used() const { return impl_->memory_used(); }
arrow::Status Query::source_status() const { return impl_->source_status(); }

}  // namespace sheaf::duckdb
