#include "sheaf/drivers/duckdb/parquet_filters.h"

#include <atomic>
#include <map>

#include "duckdb/common/multi_file/multi_file_states.hpp"
#include "duckdb/common/type_visitor.hpp"

namespace sheaf::duckdb {
namespace {

bool MayFilter(const ddb::FunctionData& bound, ddb::idx_t column) {
  const auto& types = bound.Cast<ddb::MultiFileBindData>().types;
  return column >= types.size() ||
         !ddb::TypeVisitor::Contains(types[column], [](const ddb::LogicalType& type) {
           return type.id() == ddb::LogicalTypeId::FLOAT || type.id() == ddb::LogicalTypeId::DOUBLE;
         });
}

// DuckDB's own; the same in every instance, so whoever sets it sets it to the same.
std::atomic<ddb::table_function_init_global_t> begin_reading{nullptr};

// Joins and "order by … limit" send filters at run time without asking MayFilter. They only spare
// work (who sends them checks again), so they may be dropped.
ddb::unique_ptr<ddb::GlobalTableFunctionState> BeginReading(ddb::ClientContext& context,
                                                            ddb::TableFunctionInitInput& input) {
  if (input.filters) {
    std::erase_if(input.filters->filters, [&input](const auto& filter) {
      return !MayFilter(*input.bind_data, input.column_ids[filter.first]);
    });
  }
  return begin_reading.load()(context, input);
}

}  // namespace

void KeepFloatsOut(ddb::TableFunction& read_parquet) {
  read_parquet.supports_pushdown_type = MayFilter;
  if (read_parquet.init_global != BeginReading) begin_reading.store(read_parquet.init_global);
  read_parquet.init_global = BeginReading;
}

}  // namespace sheaf::duckdb
