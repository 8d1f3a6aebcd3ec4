// How fast files become batches: one Parquet file, eight of them (two threads), a filter that
// statistics help, CSV and JSON. Rates count the bytes of the batches; the checksum their rows.
#include <arrow/api.h>
#include <arrow/compute/initialize.h>
#include <arrow/csv/writer.h>
#include <arrow/io/file.h>
#include <parquet/arrow/writer.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "sheaf/base/observe/memory_metrics.h"
#include "sheaf/services/files/find.h"
#include "sheaf/services/files/scan.h"

namespace sheaf::files {
namespace {

class CountingWriter final : public module::ResultWriter {
 public:
  Status Begin(Schema, uint32_t) override { return Done(); }
  Status Write(uint32_t, Batch batch) override {
    rows += batch->num_rows();
    bytes += columnar::TrueBytes(*batch).count;
    return Done();
  }
  std::atomic<int64_t> rows{0}, bytes{0};
};

std::shared_ptr<arrow::Table> Lines(int64_t first, int64_t count) {
  arrow::Int64Builder key, quantity;
  arrow::DoubleBuilder price;
  arrow::StringBuilder comment;
  for (int64_t n = first; n < first + count; ++n) {
    SHEAF_CHECK(key.Append(n).ok() && quantity.Append(n * 7919 % 50).ok());
    SHEAF_CHECK(price.Append(static_cast<double>(n * 104'729 % 100'000) / 100).ok());
    SHEAF_CHECK(comment.Append("carefully bold line " + std::to_string(n * 31 % 100'003)).ok());
  }
  const auto schema = arrow::schema(
      {arrow::field("key", arrow::int64()), arrow::field("quantity", arrow::int64()),
       arrow::field("price", arrow::float64()), arrow::field("comment", arrow::utf8())});
  return arrow::Table::Make(
      schema, {*key.Finish(), *quantity.Finish(), *price.Finish(), *comment.Finish()});
}

void WriteParquet(const std::string& path, const arrow::Table& table) {
  const auto file = arrow::io::FileOutputStream::Open(path).ValueOrDie();
  SHEAF_CHECK(parquet::arrow::WriteTable(table, arrow::default_memory_pool(), file, 100'000).ok());
  SHEAF_CHECK(file->Close().ok());
}

void WriteText(const std::string& directory, const arrow::Table& table) {
  const auto csv = arrow::io::FileOutputStream::Open(directory + "/t.csv").ValueOrDie();
  SHEAF_CHECK(arrow::csv::WriteCSV(table, arrow::csv::WriteOptions::Defaults(), csv.get()).ok());
  SHEAF_CHECK(csv->Close().ok());
  std::FILE* json = std::fopen((directory + "/t.json").c_str(), "w");
  SHEAF_CHECK(json != nullptr);
  for (int64_t n = 0; n < table.num_rows(); ++n) {
    std::fprintf(json, "{\"key\": %lld, \"quantity\": %lld, \"comment\": \"carefully bold\"}\n",
                 static_cast<long long>(n), static_cast<long long>(n * 7919 % 50));
  }
  SHEAF_CHECK(std::fclose(json) == 0);
}

void Measure(const char* name, const std::string& spec_text, const Roots& roots) {
  const Spec spec = ParseSpec(command::ParseJson(spec_text).value()).value();
  const Found found = FindFiles(spec, roots).value();
  time::SystemClock clock;
  observe::MemoryMetrics metrics;
  Probe probe(metrics);
  Executor helpers({.name = "files", .threads_max = 2});
  module::RunContext context;
  context.progress = [](double) {};
  CountingWriter writer;
  const auto start = std::chrono::steady_clock::now();
  const Status status = Scan(spec, found, writer, context, {clock, helpers, probe});
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  SHEAF_CHECK(status.ok());
  std::printf("files: %s: %.0f MB/s, %.3f s, checksum %lld\n", name,
              static_cast<double>(writer.bytes.load()) / took.count() / 1e6, took.count(),
              static_cast<long long>(writer.rows.load()));
}

}  // namespace
}  // namespace sheaf::files

int main() {
  using namespace sheaf::files;
  const char* size = std::getenv("SHEAF_BENCH_SIZE");
  const bool smoke = size != nullptr && std::string(size) == "smoke";
  const int64_t rows = smoke ? 20'000 : 2'000'000;
  SHEAF_CHECK(arrow::compute::Initialize().ok());
  std::string directory = (std::filesystem::temp_directory_path() / "sheaf_bench_XXXXXX").string();
  SHEAF_CHECK(::mkdtemp(directory.data()) != nullptr);
  const auto table = Lines(0, rows);
  WriteParquet(directory + "/one.parquet", *table);
  std::filesystem::create_directory(directory + "/eight");
  for (int64_t n = 0; n < 8; ++n) {
    WriteParquet(directory + "/eight/" + std::to_string(n) + ".parquet",
                 *Lines(n * rows / 8, rows / 8));
  }
  WriteText(directory, *table);
  const Roots roots = Roots::FromSetting(sheaf::Json(directory), "/").value();
  Measure("one parquet file", R"({"uri": "one.parquet"})", roots);
  Measure("eight parquet files", R"({"uri": "eight"})", roots);
  Measure("two columns", R"({"uri": "one.parquet", "columns": ["key", "price"]})", roots);
  Measure("filter, one row in a hundred",
          R"({"uri": "one.parquet", "filter": [["price", "<", 10]]})", roots);
  Measure("filter, one row group", R"({"uri": "one.parquet", "filter": [["key", "<", 50000]]})",
          roots);
  Measure("csv", R"({"uri": "t.csv"})", roots);
  Measure("json", R"({"uri": "t.json"})", roots);
  std::filesystem::remove_all(directory);
  return 0;
}
