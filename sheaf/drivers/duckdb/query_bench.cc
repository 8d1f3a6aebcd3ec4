// What a Query costs beside plain DuckDB in one process: the 22 TPC-H queries over the same Parquet
// files and over the same Arrow batches, and results streamed out.
//
// SHEAF_BENCH_SIZE=smoke runs each once at the sample's scale; SHEAF_TPCH names another directory.
// Answers of both ways are compared, so a ratio is never one of wrong answers.
#include <arrow/c/bridge.h>
#include <arrow/io/file.h>
#include <arrow/table.h>
#include <parquet/arrow/reader.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "duckdb/common/arrow/result_arrow_wrapper.hpp"
#include "sheaf/drivers/duckdb/duckdb.h"
#include "sheaf/drivers/duckdb/foreign.h"

namespace sheaf::duckdb {
namespace {

constexpr const char* kTables[] = {"customer", "lineitem", "nation", "orders",
                                   "part",     "partsupp", "region", "supplier"};

double Seconds() {
  using Clock = std::chrono::steady_clock;
  return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
}

std::string Root() {
  const char* root = std::getenv("SHEAF_SOURCE_DIR");
  return root == nullptr ? "." : root;
}

std::string Data() {
  const char* data = std::getenv("SHEAF_TPCH");
  return data == nullptr ? std::filesystem::absolute(Root() + "/.deps/tpch/sf0.1").string() : data;
}

std::vector<std::string> Queries() {
  std::vector<std::string> queries;
  for (int i = 1; i <= 22; ++i) {
    char name[32];
    std::snprintf(name, sizeof name, "q%02d.sql", i);
    std::ifstream file(Root() + "/sheaf/services/sql/tpch/" + name);
    queries.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return queries;
}

std::shared_ptr<arrow::Table> Load(const std::string& name) {
  auto file = arrow::io::ReadableFile::Open(Data() + "/" + name + ".parquet").ValueOrDie();
  auto reader = parquet::arrow::OpenFile(file, arrow::default_memory_pool()).ValueOrDie();
  std::shared_ptr<arrow::Table> table;
  return reader->ReadTable().ValueOrDie();
}

using Batches = std::vector<std::shared_ptr<arrow::RecordBatch>>;

Table MemoryTable(const std::string& name, const std::shared_ptr<arrow::Table>& data) {
  auto batches = std::make_shared<Batches>();
  arrow::TableBatchReader reader(*data);
  reader.set_chunksize(122'880);
  *batches = reader.ToRecordBatches().ValueOrDie();
  return {.name = name,
          .schema = data->schema(),
          .rows = data->num_rows(),
          .open = [batches, schema = data->schema()] {
            return arrow::RecordBatchReader::Make(*batches, schema);
          }};
}

std::shared_ptr<arrow::Table> Collect(std::shared_ptr<arrow::Schema> schema,
                                      const Batches& batches) {
  return arrow::Table::FromRecordBatches(std::move(schema), batches).ValueOrDie();
}

std::shared_ptr<arrow::Table> Ours(Engine& engine, const std::string& sql,
                                   const std::vector<Table>& tables) {
  auto statement = Statement::Parse(sql).value();
  auto query = Query::Open(engine, statement, {}, tables, {.memory_max = 4_GiB}).value();
  Batches batches;
  while (auto batch = query->Next().value()) batches.push_back(std::move(batch));
  return Collect(query->schema(), batches);
}

std::shared_ptr<arrow::Table> Plain(ddb::Connection& connection, const std::string& sql) {
  auto result = connection.SendQuery(sql);
  if (result->HasError()) result->ThrowError();
  auto* stream = new ddb::ResultArrowArrayStreamWrapper(std::move(result), 122'880);
  auto reader = arrow::ImportRecordBatchReader(&stream->stream).ValueOrDie();
  return reader->ToTable().ValueOrDie();
}

struct Sum {
  double plain = 0;
  double ours = 0;
};

// Runs both ways alternately and keeps the better time of each query.
Sum Compare(const char* title, int rounds, Engine& engine, const std::vector<Table>& tables,
            ddb::Connection& connection) {
  Sum sum;
  const auto queries = Queries();
  for (size_t i = 0; i < queries.size(); ++i) {
    double plain = 1e9, ours = 1e9;
    for (int round = 0; round < rounds; ++round) {
      const double start = Seconds();
      const auto expected = Plain(connection, queries[i]);
      const double middle = Seconds();
      engine.Refill();
      const double again = Seconds();
      const auto actual = Ours(engine, queries[i], tables);
      const double end = Seconds();
      plain = std::min(plain, middle - start);
      ours = std::min(ours, end - again);
      if (!actual->Equals(*expected)) {
        std::printf("query %zu: another answer\n", i + 1);
        std::exit(1);
      }
    }
    std::printf("  q%02zu plain %7.1f ms  ours %7.1f ms\n", i + 1, plain * 1e3, ours * 1e3);
    sum.plain += plain;
    sum.ours += ours;
  }
  std::printf("%s: plain %.3f s, ours %.3f s, ratio %.2f\n", title, sum.plain, sum.ours,
              sum.ours / sum.plain);
  return sum;
}

void Stream(const char* title, Engine& engine, const std::string& sql,
            const std::vector<Table>& tables) {
  auto statement = Statement::Parse(sql).value();
  const double start = Seconds();
  auto query = Query::Open(engine, statement, {}, tables, {.memory_max = 4_GiB}).value();
  int64_t rows = 0, batches = 0;
  while (auto batch = query->Next().value()) {
    rows += batch->num_rows();
    ++batches;
  }
  const double seconds = Seconds() - start;
  std::printf("%s: %ld rows, %ld batches, %.2f M rows/s\n", title, static_cast<long>(rows),
              static_cast<long>(batches), static_cast<double>(rows) / seconds / 1e6);
}

int Main() {
  const char* size = std::getenv("SHEAF_BENCH_SIZE");
  const int rounds = size != nullptr && std::string(size) == "smoke" ? 1 : 5;
  if (!std::filesystem::exists(Data() + "/lineitem.parquet")) {
    std::printf("no sample data in %s: run tools/sample_data\n", Data().c_str());
    return rounds == 1 ? 0 : 1;
  }
  auto engine = Engine::Open({.threads = 2}).value();
  std::vector<Table> files, memory;
  ddb::DuckDB database(nullptr);
  ddb::Connection over_files(database), over_memory(database);
  over_files.Query("SET threads = 2");
  for (const char* name : kTables) {
    const std::string path = Data() + "/" + name + ".parquet";
    files.push_back({.name = name, .files = {path}});
    memory.push_back(MemoryTable(name, Load(name)));
    over_files.Query("CREATE VIEW " + std::string(name) + " AS FROM read_parquet('" + path + "')");
  }
  Compare("Parquet", rounds, *engine, files, over_files);
  // The same batches as native tables: the best that DuckDB can do.
  ddb::DuckDB native(nullptr);
  ddb::Connection tables(native);
  tables.Query("SET threads = 2");
  for (const char* name : kTables) {
    tables.Query("CREATE TABLE " + std::string(name) + " AS FROM read_parquet('" + Data() + "/" +
                 name + ".parquet')");
  }
  Compare("memory against native tables", rounds, *engine, memory, tables);
  Stream("numbers out", *engine, "select l_orderkey, l_partkey, l_quantity from lineitem", memory);
  Stream("all columns out", *engine, "select * from lineitem", memory);
  const double start = Seconds();
  for (int i = 0; i < 20; ++i) Ours(*engine, "select 1", {});
  std::printf("select 1 without spare instances: %.1f ms\n", (Seconds() - start) / 20 * 1e3);
  return 0;
}

}  // namespace
}  // namespace sheaf::duckdb

int main() { return sheaf::duckdb::Main(); }
