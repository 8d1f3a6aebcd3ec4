// The TPC-H tables and queries for tests and benches: the sample data when it is there, else a few
// rows of each table, as Parquet files and as batches of the same rows.
#pragma once

#include <arrow/io/file.h>
#include <arrow/table.h>
#include <gtest/gtest.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/writer.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sheaf/services/sql/fakes_test.h"

namespace sheaf::sql::testing {

inline std::string SourceDirectory() {
  const char* root = std::getenv("SHEAF_SOURCE_DIR");
  return root == nullptr ? "." : root;
}

inline std::vector<std::string> TpchQueries() {
  std::vector<std::string> queries;
  for (int i = 1; i <= 22; ++i) {
    const std::string number = (i < 10 ? "0" : "") + std::to_string(i);
    std::ifstream file(SourceDirectory() + "/sheaf/services/sql/tpch/q" + number + ".sql");
    queries.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return queries;
}

// Column names and types of a table, one letter a type: i int64, d decimal(15, 2), t text, D date.
struct TinyTable {
  const char* name;
  std::vector<std::pair<const char*, char>> columns;
};

inline std::vector<TinyTable> TinyTables() {
  return {
      {"region", {{"r_regionkey", 'i'}, {"r_name", 't'}, {"r_comment", 't'}}},
      {"nation", {{"n_nationkey", 'i'}, {"n_name", 't'}, {"n_regionkey", 'i'}, {"n_comment", 't'}}},
      {"supplier",
       {{"s_suppkey", 'i'},
        {"s_name", 't'},
        {"s_address", 't'},
        {"s_nationkey", 'i'},
        {"s_phone", 't'},
        {"s_acctbal", 'd'},
        {"s_comment", 't'}}},
      {"customer",
       {{"c_custkey", 'i'},
        {"c_name", 't'},
        {"c_address", 't'},
        {"c_nationkey", 'i'},
        {"c_phone", 't'},
        {"c_acctbal", 'd'},
        {"c_mktsegment", 't'},
        {"c_comment", 't'}}},
      {"part",
       {{"p_partkey", 'i'},
        {"p_name", 't'},
        {"p_mfgr", 't'},
        {"p_brand", 't'},
        {"p_type", 't'},
        {"p_size", 'i'},
        {"p_container", 't'},
        {"p_retailprice", 'd'},
        {"p_comment", 't'}}},
      {"partsupp",
       {{"ps_partkey", 'i'},
        {"ps_suppkey", 'i'},
        {"ps_availqty", 'i'},
        {"ps_supplycost", 'd'},
        {"ps_comment", 't'}}},
      {"orders",
       {{"o_orderkey", 'i'},
        {"o_custkey", 'i'},
        {"o_orderstatus", 't'},
        {"o_totalprice", 'd'},
        {"o_orderdate", 'D'},
        {"o_orderpriority", 't'},
        {"o_clerk", 't'},
        {"o_shippriority", 'i'},
        {"o_comment", 't'}}},
      {"lineitem",
       {{"l_orderkey", 'i'},
        {"l_partkey", 'i'},
        {"l_suppkey", 'i'},
        {"l_linenumber", 'i'},
        {"l_quantity", 'd'},
        {"l_extendedprice", 'd'},
        {"l_discount", 'd'},
        {"l_tax", 'd'},
        {"l_returnflag", 't'},
        {"l_linestatus", 't'},
        {"l_shipdate", 'D'},
        {"l_commitdate", 'D'},
        {"l_receiptdate", 'D'},
        {"l_shipinstruct", 't'},
        {"l_shipmode", 't'},
        {"l_comment", 't'}}},
  };
}

inline std::shared_ptr<arrow::Table> TinyData(const TinyTable& table) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const auto& [name, letter] : table.columns) {
    const auto type = letter == 'i'   ? arrow::int64()
                      : letter == 'd' ? arrow::decimal128(15, 2)
                      : letter == 't' ? arrow::utf8()
                                      : arrow::date32();
    const char* json = letter == 'i'   ? "[0, 1, 2]"
                       : letter == 'd' ? R"(["0.05", "10.00", "300.25"])"
                       : letter == 't' ? R"(["FRANCE", "13-GERMANY", "R"])"
                                       : "[8400, 9000, 9500]";
    fields.push_back(arrow::field(name, type));
    arrays.push_back(Array(type, json));
  }
  return arrow::Table::Make(arrow::schema(fields), arrays);
}

// Where the eight files are; written below `scratch` when there is no sample.
inline std::string TpchDirectory(const std::string& scratch) {
  if (const char* given = std::getenv("SHEAF_TPCH")) return given;
  const std::string sample = SourceDirectory() + "/.deps/tpch/sf0.1";
  if (std::filesystem::exists(sample + "/lineitem.parquet")) {
    return std::filesystem::canonical(sample).string();
  }
  for (const auto& table : TinyTables()) {
    const std::string path = scratch + "/" + table.name + ".parquet";
    auto file = arrow::io::FileOutputStream::Open(path).ValueOrDie();
    EXPECT_TRUE(
        parquet::arrow::WriteTable(*TinyData(table), arrow::default_memory_pool(), file, 1000)
            .ok());
    EXPECT_TRUE(file->Close().ok());
  }
  return scratch;
}

struct TpchInputs {
  Inputs files;   // Fused.
  Inputs memory;  // Batches of the same rows.
};

inline TpchInputs OpenTpch(const std::string& directory) {
  TpchInputs inputs;
  for (const auto& tiny : TinyTables()) {
    const std::string path = directory + "/" + tiny.name + ".parquet";
    auto file = arrow::io::ReadableFile::Open(path).ValueOrDie();
    auto reader = parquet::arrow::OpenFile(file, arrow::default_memory_pool()).ValueOrDie();
    const auto table = reader->ReadTable().ValueOrDie();
    arrow::TableBatchReader batches(*table);
    batches.set_chunksize(122'880);
    inputs.memory[tiny.name] = InputOf(batches.ToRecordBatches().ValueOrDie());
    inputs.files[tiny.name] = {.schema = table->schema(),
                               .rows = table->num_rows(),
                               .parquet = module::LocalParquet{.files = {path}}};
  }
  return inputs;
}

}  // namespace sheaf::sql::testing
