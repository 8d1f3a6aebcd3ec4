// PLAN  a service that is no target of DoPut says so by name
#include "sheaf/ports/module/module.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

namespace sheaf::module {
namespace {

class ReadOnlyService final : public Service {
 public:
  std::string_view name() const override { return "readonly"; }
  Result<Plan> MakePlan(const PlanRequest&) override { return Plan(); }
  Status Run(const Plan&, const std::map<std::string, RunInput>&, ResultWriter&,
             const RunContext&) override {
    return Done();
  }
};

TEST(ServiceTest, OneThatIsNoTargetOfDoPutSaysSoByName) {
  ReadOnlyService service;
  auto reader = *arrow::RecordBatchReader::Make({}, arrow::schema({}));
  const auto put = service.Put(Json::object(), *reader, {});
  ASSERT_FALSE(put.ok());
  EXPECT_EQ(put.error().kind, Kind::kUnsupported);
  EXPECT_NE(put.error().message.find("'readonly'"), std::string::npos);
}

}  // namespace
}  // namespace sheaf::module
