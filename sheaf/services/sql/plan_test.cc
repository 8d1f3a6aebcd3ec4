// PLAN  the spec: keys, types, parameters complete and no others · names of inputs
//       kRun is cheap and tells syntax errors · kSchema gives the schema when inputs are known
//       kinds: a wrong spec and a refused statement are INVALID, SQL itself FAILED, files FORBIDDEN
#include <gmock/gmock.h>

#include "sheaf/services/sql/fakes_test.h"
#include "sheaf/services/sql/spec.h"

namespace sheaf::sql {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using For = module::PlanRequest::For;

class PlanTest : public testing::SqlTest {
 protected:
  Error ErrorOf(const Json& spec) { return Plan(spec).error(); }
};

TEST_F(PlanTest, TheSpecIsChecked) {
  EXPECT_EQ(ErrorOf(Json::object()).kind, Kind::kInvalid);
  EXPECT_EQ(ErrorOf({{"sql", 1}}).kind, Kind::kInvalid);
  EXPECT_EQ(ErrorOf(Json::array()).kind, Kind::kInvalid);
  const auto unknown = ErrorOf({{"sql", "select 1"}, {"parms", Json::array()}});
  EXPECT_EQ(unknown.kind, Kind::kInvalid);
  EXPECT_THAT(unknown.message, HasSubstr("params"));
}

TEST_F(PlanTest, ParametersAreAListOrAnObjectOfPlainValues) {
  EXPECT_TRUE(
      Plan({{"sql", "select ?, ?, ?, ?, ?"}, {"params", {nullptr, true, 1, 1.5, "x"}}}).ok());
  EXPECT_TRUE(Plan({{"sql", "select $a, $b"}, {"params", {{"a", 1}, {"b", "x"}}}}).ok());
  EXPECT_TRUE(Plan({{"sql", "select $2, $1"}, {"params", {1, 2}}}).ok());
  EXPECT_TRUE(Plan({{"sql", "select 1"}, {"params", nullptr}}).ok());
  EXPECT_THAT(ErrorOf({{"sql", "select ?"}, {"params", 1}}).message, HasSubstr("a list"));
  EXPECT_THAT(ErrorOf({{"sql", "select ?, ?"}, {"params", {1, Json::array()}}}).message,
              StartsWith("spec.params[1]: "));
  EXPECT_THAT(ErrorOf({{"sql", "select $a"}, {"params", {{"a", Json::object()}}}}).message,
              StartsWith("spec.params.a: "));
}

TEST_F(PlanTest, ParametersAreCompleteAndNoOthers) {
  EXPECT_EQ(ErrorOf({{"sql", "select ?, ?"}, {"params", {1}}}).message,
            "spec.params: parameter number 2 has no value");
  EXPECT_EQ(ErrorOf({{"sql", "select $a"}}).message, "spec.params: parameter $a has no value");
  EXPECT_EQ(ErrorOf({{"sql", "select 1"}, {"params", {1}}}).message,
            "spec.params: the statement has no parameter number 1");
  EXPECT_EQ(ErrorOf({{"sql", "select $a"}, {"params", {{"a", 1}, {"b", 2}}}}).message,
            "spec.params: the statement has no parameter $b");
  EXPECT_EQ(ErrorOf({{"sql", "select $a"}, {"params", {{"a", 1}, {"A", 2}}}}).kind, Kind::kInvalid);
  EXPECT_EQ(ErrorOf({{"sql", "select $a"}, {"params", {{"a", 1}, {"b", 2}}}}).kind, Kind::kInvalid);
}

TEST_F(PlanTest, KindsTellWhoseFaultItIs) {
  EXPECT_EQ(ErrorOf({{"sql", "selec 1"}}).kind, Kind::kFailed);
  EXPECT_THAT(ErrorOf({{"sql", "selec 1"}}).message, HasSubstr("LINE 1: selec 1\n        ^"));
  EXPECT_EQ(ErrorOf({{"sql", "drop table x"}}).kind, Kind::kInvalid);
  EXPECT_EQ(ErrorOf({{"sql", "select 1; select 2"}}).kind, Kind::kInvalid);
  EXPECT_EQ(ErrorOf({{"sql", "from read_csv('x')"}}).kind, Kind::kForbidden);
}

TEST_F(PlanTest, DetailsAreJson) {
  const auto details = Json::parse(ErrorOf({{"sql", "select\n  1 2"}}).details);
  EXPECT_EQ(details["line"], 2);
  EXPECT_EQ(details["column"], 5);
  EXPECT_EQ(details["position"], 11);
}

TEST_F(PlanTest, NamesOfInputsAreChecked) {
  const auto error_with = [&](const std::string& a, const std::string& b) {
    return Plan({{"sql", "select 1"}}, {{a, {}}, {b, {}}}).error();
  };
  EXPECT_EQ(error_with("Orders", "orders").kind, Kind::kInvalid);
  EXPECT_THAT(error_with("Orders", "orders").message, HasSubstr("Orders and orders"));
  EXPECT_EQ(error_with("", "x").kind, Kind::kInvalid);
  EXPECT_EQ(error_with(std::string(256, 'x'), "y").kind, Kind::kInvalid);
  EXPECT_EQ(error_with(std::string("a\0b", 3), "y").kind, Kind::kInvalid);
  EXPECT_TRUE(Plan({{"sql", "select 1"}}, {{"Ä", {}}, {"ä", {}}}).ok());
}

TEST_F(PlanTest, ARunsPlanIsParsedOnly) {
  const auto plan = Plan({{"sql", "select nope from nowhere"}}).value();
  EXPECT_EQ(plan.schema, nullptr);
  EXPECT_TRUE(plan.fuses_parquet);
  EXPECT_TRUE(plan.sources.empty());
}

TEST_F(PlanTest, TheSchemaIsBoundWhenInputsAreKnown) {
  const auto orders = arrow::schema(
      {arrow::field("id", arrow::int32()), arrow::field("total", arrow::decimal128(12, 2))});
  const Json spec = {{"sql", "select id, sum(total) as t from orders where id > $1 group by id"},
                     {"params", {5}}};
  const auto plan = Plan(spec, {{"orders", {.schema = orders}}}, For::kSchema).value();
  ASSERT_NE(plan.schema, nullptr);
  EXPECT_EQ(plan.schema->ToString(), "id: int32\nt: decimal128(38, 2)");
  EXPECT_EQ(Plan(spec, {{"orders", {}}}, For::kSchema)->schema, nullptr);
  const auto error =
      Plan({{"sql", "select x from orders"}}, {{"orders", {.schema = orders}}}, For::kSchema)
          .error();
  EXPECT_EQ(error.kind, Kind::kFailed);
  EXPECT_THAT(error.message, HasSubstr("Binder Error"));
}

TEST_F(PlanTest, TypesThatCannotBeReadAreToldBeforeTheRun) {
  const auto schema = arrow::schema({arrow::field("h", arrow::float16())});
  const auto error = Plan({{"sql", "from t"}}, {{"t", {.schema = schema}}}).error();
  EXPECT_EQ(error.kind, Kind::kUnsupported);
  EXPECT_EQ(error.message, "input t, column h: halffloat cannot be read by SQL");
}

TEST(SpecTest, IntegersAreExactToSixtyFourBits) {
  const auto json = command::ParseJson(
      R"({"sql": "select ?, ?, ?", "params": [-9223372036854775808, 18446744073709551615, 2.0]})");
  const auto spec = Spec::Parse(json.value()).value();
  EXPECT_EQ(std::get<int64_t>(spec.values.at("1")), INT64_MIN);
  EXPECT_EQ(std::get<uint64_t>(spec.values.at("2")), UINT64_MAX);
  EXPECT_EQ(std::get<double>(spec.values.at("3")), 2.0);
}

}  // namespace
}  // namespace sheaf::sql
