#include "sheaf/services/files/fixture_test.h"

#include <arrow/io/api.h>
#include <arrow/ipc/api.h>
#include <arrow/json/from_string.h>
#include <parquet/arrow/writer.h>

#include <fstream>
#include <utility>

namespace sheaf::files {

TempDir::TempDir() : path_(std::filesystem::canonical(directory_.path()).string()) {}

std::string TempDir::Write(const std::string& name, std::string_view text) const {
  const std::string path = *this / name;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  SHEAF_CHECK(file.good());
  return path;
}

flights::Flights& TestHost::flights() {
  SHEAF_CHECK(!"this module asks for no flights");
  __builtin_unreachable();
}
secrets::Secrets& TestHost::secrets() {
  SHEAF_CHECK(!"this module asks for no secrets");
  __builtin_unreachable();
}

std::optional<Json> TestHost::Setting(std::string_view key) const {
  const auto found = settings.find(std::string(key));
  return found == settings.end() ? std::nullopt : std::optional<Json>(found->second);
}

Status KeepingWriter::Begin(Schema begun, uint32_t count) {
  SHEAF_CHECK(schema == nullptr && begun != nullptr && count > 0);
  schema = std::move(begun);
  partitions.resize(count);
  return Done();
}

Status KeepingWriter::Write(uint32_t partition, Batch batch) {
  if (on_write) SHEAF_TRY(on_write(partition, batch));
  SHEAF_CHECK(schema != nullptr && batch->schema()->Equals(*schema, /*check_metadata=*/true));
  MutexLock lock(mutex_);
  partitions.at(partition).push_back(std::move(batch));
  return Done();
}

std::shared_ptr<arrow::Table> Answer::Table() const {
  std::vector<Batch> batches;
  for (const auto& partition : partitions) {
    batches.insert(batches.end(), partition.begin(), partition.end());
  }
  return arrow::Table::FromRecordBatches(schema, batches).ValueOrDie();
}

std::shared_ptr<arrow::Table> Answer::Table(uint32_t partition) const {
  return arrow::Table::FromRecordBatches(schema, partitions.at(partition)).ValueOrDie();
}

void FilesTest::Start(const Json& roots) {
  if (module_ != nullptr) module_->Stop();
  host_.settings.clear();
  if (!roots.is_null()) host_.settings["roots"] = roots;
  module_ = MakeFilesModule();
  const Status started = module_->Start(host_);
  ASSERT_TRUE(started.ok()) << started.error().message;
}

void FilesTest::TearDown() {
  if (module_ != nullptr) module_->Stop();
  EXPECT_EQ(host_.account()->used().count, 0);
}

Result<module::Plan> FilesTest::Plan(const std::string& spec, module::PlanRequest::For purpose) {
  SHEAF_ASSIGN(const Json json, command::ParseJson(spec));
  return service().MakePlan({json, {}, "anonymous", purpose});
}

module::RunContext FilesTest::Context() {
  module::RunContext context;
  context.progress = [](double) {};
  context.account = host_.account();
  return context;
}

Answer FilesTest::Ask(const std::string& spec) { return Ask(spec, Context()); }

Answer FilesTest::Ask(const std::string& spec, const module::RunContext& context) {
  const auto plan = Plan(spec);
  if (!plan.ok()) return {plan.error(), nullptr, {}, {}};
  return RunPlan(*plan, context);
}

Answer FilesTest::RunPlan(const module::Plan& plan, const module::RunContext& context) {
  KeepingWriter writer;
  writer.on_write = on_write_;
  Answer answer;
  module::RunContext own = context;
  own.progress = [&](double share) { answer.progress.push_back(share); };
  answer.status = service().Run(plan, {}, writer, own);
  answer.schema = writer.schema;
  answer.partitions = std::move(writer.partitions);
  return answer;
}

Error FilesTest::Refusal(const std::string& spec) {
  const Answer answer = Ask(spec);
  if (!answer.status.ok()) return answer.status.error();
  ADD_FAILURE() << "no error from " << spec;
  return Fail(Kind::kInternal, "no error");
}

std::string FilesTest::WriteParquet(const std::string& name,
                                    const std::shared_ptr<arrow::Table>& table,
                                    int64_t rows_per_group, Timestamps timestamps) {
  const std::string path = dir_.Write(name, "");
  auto file = arrow::io::FileOutputStream::Open(path).ValueOrDie();
  parquet::ArrowWriterProperties::Builder properties;
  properties.store_schema();
  if (timestamps == Timestamps::kInt96) properties.enable_deprecated_int96_timestamps();
  const auto status =
      parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), file, rows_per_group,
                                 parquet::default_writer_properties(), properties.build());
  SHEAF_CHECK(status.ok() && file->Close().ok());
  return path;
}

std::string FilesTest::WriteIpc(const std::string& name, const std::shared_ptr<arrow::Table>& table,
                                int64_t rows_per_batch) {
  const std::string path = dir_.Write(name, "");
  auto file = arrow::io::FileOutputStream::Open(path).ValueOrDie();
  auto writer = arrow::ipc::MakeFileWriter(file, table->schema()).ValueOrDie();
  SHEAF_CHECK(writer->WriteTable(*table, rows_per_batch).ok() && writer->Close().ok());
  SHEAF_CHECK(file->Close().ok());
  return path;
}

std::shared_ptr<arrow::Table> TableOf(arrow::FieldVector fields, const std::string& rows) {
  auto type = arrow::struct_(fields);
  auto array = arrow::json::ArrayFromJSONString(type, rows).ValueOrDie();
  auto batch = arrow::RecordBatch::FromStructArray(array).ValueOrDie();
  auto schema = arrow::schema(std::move(fields));
  return arrow::Table::Make(schema, batch->columns());
}

void ExpectSame(const arrow::Table& actual, const arrow::Table& expected) {
  EXPECT_TRUE(actual.schema()->Equals(*expected.schema(), false))
      << "got " << actual.schema()->ToString() << "\nwant " << expected.schema()->ToString();
  EXPECT_EQ(actual.num_rows(), expected.num_rows());
  EXPECT_TRUE(actual.Equals(expected, arrow::EqualOptions::Defaults().nans_equal(true)))
      << "got " << actual.ToString() << "\nwant " << expected.ToString();
}

}  // namespace sheaf::files
