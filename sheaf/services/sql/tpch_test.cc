// PLAN  each of the 22 TPC-H queries has the same answer over fused Parquet files (DuckDB's reader)
//       as over batches of the same rows (Arrow's) · and the schema that a plan promised
#include "sheaf/services/sql/tpch_test.h"

#include "testkit/temporary.h"

namespace sheaf::sql {
namespace {

using testing::FakeWriter;
using testing::Inputs;

class TpchTest : public testing::SqlTest {
 protected:
  std::shared_ptr<arrow::Table> Answer(const std::string& sql, const Inputs& inputs) {
    FakeWriter writer;
    const auto status = Run({{"sql", sql}}, inputs, writer, Context());
    EXPECT_TRUE(status.ok()) << status.error().message;
    return status.ok() ? writer.table() : nullptr;
  }

  Schema Promised(const std::string& sql, const Inputs& inputs) {
    std::map<std::string, module::PlanInput> plan_inputs;
    for (const auto& [name, input] : inputs) {
      plan_inputs[name] = {.schema = input.schema, .parquet = input.parquet};
    }
    const auto plan = Plan({{"sql", sql}}, plan_inputs, module::PlanRequest::For::kSchema);
    EXPECT_TRUE(plan.ok()) << plan.error().message;
    return plan.ok() ? plan->schema : nullptr;
  }

  const testkit::TemporaryDirectory scratch_;
  const testing::TpchInputs inputs_ = testing::OpenTpch(testing::TpchDirectory(scratch_.path()));
};

TEST_F(TpchTest, FusedFilesAndBatchesGiveTheSameAnswers) {
  const auto queries = testing::TpchQueries();
  for (size_t i = 0; i < queries.size(); ++i) {
    SCOPED_TRACE("query " + std::to_string(i + 1));
    const auto fused = Answer(queries[i], inputs_.files);
    const auto batches = Answer(queries[i], inputs_.memory);
    ASSERT_NE(fused, nullptr);
    ASSERT_NE(batches, nullptr);
    EXPECT_TRUE(fused->Equals(*batches)) << fused->ToString() << batches->ToString();
  }
}

TEST_F(TpchTest, PlansPromiseTheSchemaOfTheRun) {
  for (const auto& sql : testing::TpchQueries()) {
    const auto promised = Promised(sql, inputs_.files);
    ASSERT_NE(promised, nullptr) << sql;
    EXPECT_TRUE(promised->Equals(*Promised(sql, inputs_.memory))) << sql;
    EXPECT_TRUE(promised->Equals(*Answer(sql, inputs_.files)->schema())) << sql;
  }
}

}  // namespace
}  // namespace sheaf::sql
