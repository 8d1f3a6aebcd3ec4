// A host, inputs and a writer for tests of the service.
#pragma once

#include <arrow/json/from_string.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sheaf/ports/module/module.h"
#include "sheaf/services/sql/service.h"
#include "sheaf/services/sql/sql.h"

namespace sheaf::sql::testing {

inline std::shared_ptr<arrow::Array> Array(const std::shared_ptr<arrow::DataType>& type,
                                           const std::string& json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}

inline Batch IntsBatch(int64_t first, int64_t rows, const std::string& name = "n") {
  arrow::Int64Builder builder;
  for (int64_t n = first; n < first + rows; ++n) EXPECT_TRUE(builder.Append(n).ok());
  const auto array = builder.Finish().ValueOrDie();
  return arrow::RecordBatch::Make(arrow::schema({arrow::field(name, arrow::int64())}), rows,
                                  {array});
}

inline module::RunInput InputOf(std::vector<Batch> batches) {
  const auto schema = batches.at(0)->schema();
  int64_t rows = 0;
  for (const auto& batch : batches) rows += batch->num_rows();
  return {.schema = schema,
          .rows = rows,
          .open = [batches = std::move(batches),
                   schema]() -> Result<std::shared_ptr<arrow::RecordBatchReader>> {
            return columnar::FromArrow(arrow::RecordBatchReader::Make(batches, schema));
          }};
}

// 0, 1, … in column n.
inline module::RunInput Numbers(int64_t rows, int64_t batch_rows = 50'000) {
  std::vector<Batch> batches;
  for (int64_t first = 0; first < rows; first += batch_rows) {
    batches.push_back(IntsBatch(first, std::min(batch_rows, rows - first)));
  }
  return InputOf(std::move(batches));
}

class FakeHost final : public module::Host {
 public:
  FakeHost() : timers_(clock_), executor_({.name = "test"}) {}

  flights::Flights& flights() override { std::abort(); }
  secrets::Secrets& secrets() override { std::abort(); }
  Log& log() override { return log_; }
  Metrics& metrics() override { return metrics_; }
  Clock& clock() override { return clock_; }
  Timers& timers() override { return timers_; }
  Executor& executor() override { return executor_; }
  std::shared_ptr<Account> account() override { return account_; }
  std::optional<Json> Setting(std::string_view key) const override {
    const auto found = settings.find(std::string(key));
    if (found == settings.end()) return std::nullopt;
    return found->second;
  }
  Result<std::string> OwnPath() override {
    if (own_path.empty()) return Fail(Kind::kForbidden, "this node keeps nothing on a disk");
    return own_path;
  }

  std::map<std::string, Json> settings;
  std::string own_path;
  observe::MemoryMetrics& memory_metrics() { return metrics_; }

 private:
  observe::NullLog log_;
  observe::MemoryMetrics metrics_;
  time::SystemClock clock_;
  Timers timers_;
  Executor executor_;
  std::shared_ptr<Account> account_ = Account::Root("sql", {});
};

// Keeps what is written. `on_write` is asked before each batch.
class FakeWriter final : public module::ResultWriter {
 public:
  Status Begin(Schema schema, uint32_t partitions) override {
    EXPECT_EQ(schema_, nullptr) << "Begin twice";
    EXPECT_EQ(partitions, 1u);
    schema_ = std::move(schema);
    return Done();
  }
  Status Write(uint32_t partition, Batch batch) override {
    EXPECT_NE(schema_, nullptr) << "Write before Begin";
    EXPECT_EQ(partition, 0u);
    if (on_write) SHEAF_TRY(on_write());
    rows_ += batch->num_rows();
    if (keep) batches_.push_back(std::move(batch));
    return Done();
  }

  const Schema& schema() const { return schema_; }
  const std::vector<Batch>& batches() const { return batches_; }
  int64_t rows() const { return rows_; }
  std::shared_ptr<arrow::Table> table() const {
    return arrow::Table::FromRecordBatches(schema_, batches_).ValueOrDie();
  }
  // The one value, as Arrow prints it.
  std::string One() const {
    if (rows_ != 1) return std::to_string(rows_) + " rows";
    return table()->column(0)->GetScalar(0).ValueOrDie()->ToString();
  }

  std::function<Status()> on_write;
  bool keep = true;

 private:
  Schema schema_;
  std::vector<Batch> batches_;
  int64_t rows_ = 0;
};

using Inputs = std::map<std::string, module::RunInput>;

// A started module; one command in one call.
class SqlTest : public ::testing::Test {
 protected:
  void SetUp() override { Start({}); }

  // `settings` over those that keep tests small.
  void Start(std::map<std::string, Json> settings) {
    if (module_ != nullptr) module_->Stop();
    settings.emplace("threads", 2);
    host_.settings = std::move(settings);
    module_ = MakeSqlModule();
    const auto started = module_->Start(host_);
    ASSERT_TRUE(started.ok()) << started.error().message;
  }
  void TearDown() override { module_->Stop(); }

  module::Service& service() { return *module_->services().at(0); }

  static module::RunContext Context(CancelToken cancel = {}) {
    return {.cancel = std::move(cancel), .progress = [](double) {}, .account = nullptr};
  }

  Status Run(const Json& spec, const Inputs& inputs, FakeWriter& writer,
             const module::RunContext& context) {
    std::map<std::string, module::PlanInput> plan_inputs;
    for (const auto& [name, input] : inputs) {
      plan_inputs[name] = {.schema = input.schema, .parquet = input.parquet};
    }
    SHEAF_ASSIGN(const auto plan, service().MakePlan({.spec = spec, .inputs = plan_inputs}));
    return service().Run(plan, inputs, writer, context);
  }
  // The one value of the answer, or "KIND: message".
  std::string AskSpec(const Json& spec, const Inputs& inputs = {}) {
    FakeWriter writer;
    const auto status = Run(spec, inputs, writer, Context());
    if (status.ok()) return writer.One();
    return std::string(core::KindName(status.error().kind)) + ": " + status.error().message;
  }
  std::string Ask(const std::string& sql, const Inputs& inputs = {}) {
    return AskSpec(Json{{"sql", sql}}, inputs);
  }
  Result<module::Plan> Plan(const Json& spec, std::map<std::string, module::PlanInput> inputs = {},
                            module::PlanRequest::For purpose = module::PlanRequest::For::kRun) {
    return service().MakePlan({.spec = spec, .inputs = std::move(inputs), .purpose = purpose});
  }
  double Metric(const std::string& series) { return host_.memory_metrics().Value(series); }

  FakeHost host_;
  std::unique_ptr<module::Module> module_;
};

}  // namespace sheaf::sql::testing
