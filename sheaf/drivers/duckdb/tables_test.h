// Tables for tests out of JSON, and queries over them in one call.
#pragma once

#include <arrow/json/from_string.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sheaf/drivers/duckdb/duckdb.h"

namespace sheaf::duckdb::testing {

using Batches = std::vector<std::shared_ptr<arrow::RecordBatch>>;

inline std::shared_ptr<arrow::Array> Json(const std::shared_ptr<arrow::DataType>& type,
                                          const std::string& json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}

inline std::shared_ptr<arrow::RecordBatch> Column(const std::shared_ptr<arrow::Array>& array,
                                                  const std::string& name = "c") {
  return arrow::RecordBatch::Make(arrow::schema({arrow::field(name, array->type())}),
                                  array->length(), {array});
}

// A table over batches; counts its scans when asked to.
inline Table Over(std::string name, Batches batches,
                  std::shared_ptr<std::atomic<int>> scans = nullptr) {
  const auto schema = batches.at(0)->schema();
  int64_t rows = 0;
  for (const auto& batch : batches) rows += batch->num_rows();
  return {.name = std::move(name),
          .schema = schema,
          .rows = rows,
          .open = [batches = std::move(batches), schema, scans = std::move(scans)] {
            if (scans != nullptr) ++*scans;
            return arrow::RecordBatchReader::Make(batches, schema);
          }};
}

inline Table Ints(std::string name, const std::string& json) {
  return Over(std::move(name), {Column(Json(arrow::int64(), json))});
}

// 0, 1, … in batches of `batch_rows`.
inline Table Numbers(std::string name, int64_t rows, int64_t batch_rows = 10'000) {
  Batches batches;
  for (int64_t first = 0; first < rows; first += batch_rows) {
    arrow::Int64Builder builder;
    for (int64_t n = first; n < std::min(rows, first + batch_rows); ++n) {
      EXPECT_TRUE(builder.Append(n).ok());
    }
    batches.push_back(Column(builder.Finish().ValueOrDie(), "n"));
  }
  return Over(std::move(name), std::move(batches));
}

inline Engine& SharedEngine() {
  static auto engine = Engine::Open({.threads = 2, .spares_max = 1}).value();
  return *engine;
}

struct Answer {
  std::shared_ptr<arrow::Schema> schema;
  Batches batches;

  std::shared_ptr<arrow::Array> column(int index = 0) const {
    auto table = arrow::Table::FromRecordBatches(schema, batches).ValueOrDie();
    if (table->num_rows() == 0)
      return arrow::MakeEmptyArray(schema->field(index)->type()).ValueOrDie();
    return arrow::Concatenate(table->column(index)->chunks()).ValueOrDie();
  }
  int64_t rows() const {
    int64_t rows = 0;
    for (const auto& batch : batches) rows += batch->num_rows();
    return rows;
  }
};

inline Result<Answer> Ask(const std::string& sql, std::vector<Table> tables = {},
                          const Values& values = {}, const QueryLimits& limits = {}) {
  SHEAF_ASSIGN(const auto statement, Statement::Parse(sql));
  SHEAF_ASSIGN(const auto query,
               Query::Open(SharedEngine(), statement, values, std::move(tables), limits));
  Answer answer{.schema = query->schema()};
  for (;;) {
    SHEAF_ASSIGN(auto batch, query->Next());
    if (batch == nullptr) return answer;
    answer.batches.push_back(std::move(batch));
  }
}

// The one value of the answer, as Arrow prints it; an error as "error: …".
inline std::string One(const std::string& sql, std::vector<Table> tables = {},
                       const Values& values = {}) {
  auto answer = Ask(sql, std::move(tables), values);
  if (!answer.ok()) return "error: " + answer.error().message;
  if (answer->rows() != 1) return std::to_string(answer->rows()) + " rows";
  return answer->column()->GetScalar(0).ValueOrDie()->ToString();
}

}  // namespace sheaf::duckdb::testing
