// What the tests of this room share: a directory, a host, a writer that keeps everything.
#pragma once

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sheaf/base/async/async.h"
#include "sheaf/base/observe/memory_metrics.h"
#include "sheaf/base/observe/observe.h"
#include "sheaf/services/files/files.h"
#include "testkit/temporary.h"

namespace sheaf::files {

// A temporary directory with ways to put files into it.
class TempDir {
 public:
  TempDir();
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  // Writes a file, making its directories.
  std::string Write(const std::string& name, std::string_view text) const;

 private:
  testkit::TemporaryDirectory directory_;
  std::string path_;  // Canonical.
};

// A host that lends what the module asks for and nothing else.
class TestHost final : public module::Host {
 public:
  flights::Flights& flights() override;
  secrets::Secrets& secrets() override;
  Log& log() override { return log_; }
  observe::MemoryMetrics& metrics() override { return metrics_; }
  Clock& clock() override { return clock_; }
  Timers& timers() override { return timers_; }
  Executor& executor() override { return executor_; }
  std::shared_ptr<Account> account() override { return account_; }
  std::optional<Json> Setting(std::string_view key) const override;
  Result<std::string> OwnPath() override { return Fail(Kind::kForbidden, "no disk"); }

  ManualClock& manual() { return clock_; }
  std::map<std::string, Json> settings;

 private:
  observe::NullLog log_;
  observe::MemoryMetrics metrics_;
  ManualClock clock_;
  Timers timers_{clock_};
  Executor executor_{{.name = "test", .threads_max = 1}};
  std::shared_ptr<Account> account_ = Account::Root("test", {});
};

// Keeps what it is given; `on_write` may refuse or look.
class KeepingWriter final : public module::ResultWriter {
 public:
  Status Begin(Schema schema, uint32_t partitions) override;
  Status Write(uint32_t partition, Batch batch) override;

  Schema schema;
  std::vector<std::vector<Batch>> partitions;
  std::function<Status(uint32_t, const Batch&)> on_write;

 private:
  Mutex mutex_;
};

// The answer to a spec: its error, or what the writer was given.
struct Answer {
  Status status;
  Schema schema;
  std::vector<std::vector<Batch>> partitions;
  std::vector<double> progress;

  std::shared_ptr<arrow::Table> Table() const;  // Partitions one after another.
  std::shared_ptr<arrow::Table> Table(uint32_t partition) const;
  int64_t rows() const { return Table()->num_rows(); }
};

// A started module over one root, a temporary directory.
class FilesTest : public testing::Test {
 protected:
  void SetUp() override { Start(Json::array({dir_.path()})); }
  void TearDown() override;
  void Start(const Json& roots);

  module::Service& service() { return *module_->services().at(0); }
  Result<module::Plan> Plan(const std::string& spec,
                            module::PlanRequest::For purpose = module::PlanRequest::For::kRun);
  Result<module::Plan> PlanSchema(const std::string& spec) {
    return Plan(spec, module::PlanRequest::For::kSchema);
  }
  module::RunContext Context();
  // Plans and runs.
  Answer Ask(const std::string& spec);
  Answer Ask(const std::string& spec, const module::RunContext& context);
  Answer RunPlan(const module::Plan& plan, const module::RunContext& context);
  // The error of planning or running; fails the test when there is none.
  Error Refusal(const std::string& spec);

  enum class Timestamps : uint8_t { kInt64, kInt96 };
  std::string WriteParquet(const std::string& name, const std::shared_ptr<arrow::Table>& table,
                           int64_t rows_per_group = 1024,
                           Timestamps timestamps = Timestamps::kInt64);
  std::string WriteIpc(const std::string& name, const std::shared_ptr<arrow::Table>& table,
                       int64_t rows_per_batch = 1024);

  TempDir dir_;
  TestHost host_;
  std::unique_ptr<module::Module> module_;
  std::function<Status(uint32_t, const Batch&)> on_write_;
};

// A table from JSON rows: TableOf({{"a", arrow::int64()}}, R"([[1], [2]])") .
std::shared_ptr<arrow::Table> TableOf(arrow::FieldVector fields, const std::string& rows);

// Equal in schema (without metadata) and values; prints both when not.
void ExpectSame(const arrow::Table& actual, const arrow::Table& expected);

}  // namespace sheaf::files
