// PLAN  a command runs and its rows come · its failure comes as itself · a sink is hit the second
//       time, and `never`, `only`, `if_exists` and `if_fresh` do as they say · a nested sink is
//       reused · equal commands share one run · cancel, drop, deadline and CancelTask stop a run ·
//       a long run tells progress · GetSchema and Explain run nothing · unknown words are named

#include <gmock/gmock.h>

#include "sheaf/ports/flights/contract/flights_contract.h"

namespace sheaf::flights::contract {
namespace {

using std::chrono::milliseconds;

TEST_P(FlightsContract, CommandRunsAndItsRowsCome) {
  auto stream = Run(Scripted({{"rows", 10}}));
  ASSERT_TRUE(stream.ok()) << stream.error().message;
  EXPECT_EQ(stream->metadata["hit"], false);
  EXPECT_TRUE(stream->metadata["task"].is_string());
  EXPECT_TRUE(stream->metadata["identity"].is_string());
  EXPECT_TRUE(stream->reader->schema()->Equals(*ScriptedSchema()));
  EXPECT_EQ(Rows(std::move(stream)).value(), 10);
  EXPECT_EQ(service_.runs(), 1);
}

TEST_P(FlightsContract, WithoutProgressTheSameRowsCome) {
  auto stream = flights().Get({.what = Asked(Scripted({{"rows", 10}}))}, {});
  ASSERT_TRUE(stream.ok()) << stream.error().message;
  EXPECT_EQ(stream->metadata.contains("task"), GetParam().metadata_without_progress);
  EXPECT_EQ(Rows(std::move(stream)).value(), 10);
}

TEST_P(FlightsContract, RunOfNoRowsHasItsSchema) {
  auto stream = Run(Scripted({{"rows", 0}}));
  ASSERT_TRUE(stream.ok()) << stream.error().message;
  EXPECT_TRUE(stream->reader->schema()->Equals(*ScriptedSchema()));
  EXPECT_EQ(Rows(std::move(stream)).value(), 0);
}

TEST_P(FlightsContract, FailureOfARunComesAsItself) {
  const auto rows = Rows(Run(Scripted({{"rows", 5}, {"fail", "out of ideas"}}, "t")));
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.error().kind, Kind::kFailed);
  EXPECT_THAT(rows.error().message, ::testing::HasSubstr("out of ideas"));
  EXPECT_EQ(ReadPath("t").error().kind, Kind::kNotFound);
}

TEST_P(FlightsContract, SinkIsHitTheSecondTime) {
  const Json command = Scripted({{"rows", 10}}, "t");
  EXPECT_EQ(Rows(Run(command)).value(), 10);
  auto again = Run(command);
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(again->metadata["hit"], true);
  EXPECT_EQ(Rows(std::move(again)).value(), 10);
  EXPECT_EQ((*ReadPath("t"))->num_rows(), 10);
  EXPECT_EQ(service_.runs(), 1);
}

TEST_P(FlightsContract, OtherIdentityReplacesUnlessTheNameDecides) {
  EXPECT_EQ(Rows(Run(Scripted({{"rows", 10}}, "t"))).value(), 10);
  const Json other{{"rows", 7}};
  EXPECT_EQ(Rows(Run(Scripted(other, "t", {{"reuse", "if_exists"}}))).value(), 10);
  EXPECT_EQ(service_.runs(), 1);
  EXPECT_EQ(Rows(Run(Scripted(other, "t"))).value(), 7);
  EXPECT_EQ((*ReadPath("t"))->num_rows(), 7);
  EXPECT_EQ(service_.runs(), 2);
}

TEST_P(FlightsContract, NeverRunsAnewAndOnlyNeverRuns) {
  const Json spec{{"rows", 10}};
  EXPECT_EQ(Rows(Run(Scripted(spec, "t", {{"reuse", "only"}}))).error().kind, Kind::kNotFound);
  EXPECT_EQ(service_.runs(), 0);
  for (int run = 1; run <= 2; ++run) {
    EXPECT_EQ(Rows(Run(Scripted(spec, "t", {{"reuse", "never"}}))).value(), 10);
    EXPECT_EQ(service_.runs(), run);
  }
  EXPECT_EQ(Rows(Run(Scripted(spec, "t", {{"reuse", "only"}}))).value(), 10);
  EXPECT_EQ(service_.runs(), 2);
}

TEST_P(FlightsContract, FreshIsWhatItsSourcesSay) {
  const Json command = Scripted({{"rows", 10}}, "t", {{"reuse", "if_fresh"}});
  service_.SetToken("v1");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(Rows(Run(command)).value(), 10);
  EXPECT_EQ(service_.runs(), 1);
  service_.SetToken("v2");
  EXPECT_EQ(Rows(Run(command)).value(), 10);
  EXPECT_EQ(service_.runs(), 2);
  service_.SetToken("");  // A source without a token is never fresh.
  for (int i = 0; i < 2; ++i) EXPECT_EQ(Rows(Run(command)).value(), 10);
  EXPECT_EQ(service_.runs(), 4);
}

TEST_P(FlightsContract, UploadIsNeverReplacedByAHitThatItIsNot) {
  ASSERT_TRUE(PutRows(SinkAt("t"), 3).ok());
  EXPECT_EQ(Rows(Run(Scripted({{"rows", 10}}, "t"))).error().kind, Kind::kConflict);
  EXPECT_EQ((*ReadPath("t"))->num_rows(), 3);
}

TEST_P(FlightsContract, InputsAreReadAndTheirSinksReused) {
  ASSERT_TRUE(PutRows(SinkAt("up"), 4).ok());
  Json command{{"service", "scripted"}, {"spec", {{"tag", 1}}}};
  command["inputs"] = {{"a", {{"path", At("up").ToJson()}}},
                       {"b", Scripted({{"rows", 6}}, "nested")}};
  EXPECT_EQ(Rows(Run(command)).value(), 10);
  EXPECT_EQ(service_.runs(), 2);
  EXPECT_EQ((*ReadPath("nested"))->num_rows(), 6);
  command["spec"]["tag"] = 2;  // Another command over the same inputs.
  EXPECT_EQ(Rows(Run(command)).value(), 10);
  EXPECT_EQ(service_.runs(), 3);
}

TEST_P(FlightsContract, EqualCommandsShareOneRun) {
  const Json command = Scripted({{"rows", 10}, {"hold", true}});
  auto first = Run(command);
  ASSERT_TRUE(first.ok()) << first.error().message;
  auto second = Run(command);
  ASSERT_TRUE(second.ok()) << second.error().message;
  EXPECT_EQ(first->metadata["task"], second->metadata["task"]);
  service_.Release();
  EXPECT_EQ(Rows(std::move(first)).value(), 10);
  EXPECT_EQ(Rows(std::move(second)).value(), 10);
  EXPECT_EQ(service_.runs(), 1);
}

TEST_P(FlightsContract, CancelStopsTheRunAndSaysWhy) {
  CancelSource source;
  auto stream = Run(Scripted({{"rows", 10}, {"hold", true}}, "t"), {.cancel = source.token()});
  ASSERT_TRUE(stream.ok()) << stream.error().message;
  source.Cancel(Fail(Kind::kCancelled, "enough"));
  const auto rows = Rows(std::move(stream));
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.error().kind, Kind::kCancelled);
  EXPECT_TRUE(service_.WaitForCancelled(1));
  EXPECT_EQ(ReadPath("t").error().kind, Kind::kNotFound);
}

TEST_P(FlightsContract, RunStopsWithItsLastReader) {
  const Json command = Scripted({{"rows", 10}, {"hold", true}});
  auto first = Run(command);
  auto second = Run(command);
  ASSERT_TRUE(first.ok() && second.ok());
  first->reader.reset();
  EXPECT_EQ(service_.cancelled(), 0);
  second->reader.reset();
  EXPECT_TRUE(service_.WaitForCancelled(1));
}

TEST_P(FlightsContract, DeadlineStopsTheRun) {
  const time::SystemClock clock;
  const Context context{.deadline = Deadline::After(clock, milliseconds(300))};
  const auto rows = Rows(Run(Scripted({{"rows", 10}, {"hold", true}}), context));
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.error().kind, Kind::kDeadline) << rows.error().message;
  EXPECT_TRUE(service_.WaitForCancelled(1));
}

TEST_P(FlightsContract, TaskCanBeSeenAndCancelled) {
  auto stream = Run(Scripted({{"rows", 10}, {"hold", true}}));
  ASSERT_TRUE(stream.ok()) << stream.error().message;
  const Json task{{"task", stream->metadata["task"]}};
  const auto tasks = flights().Do("ListTasks", Json::object(), {});
  ASSERT_TRUE(tasks.ok()) << tasks.error().message;
  ASSERT_EQ(tasks->size(), 1u);
  EXPECT_EQ(tasks->front()["task"], task["task"]);
  EXPECT_EQ(tasks->front()["service"], "scripted");
  const auto seen = flights().Do("GetTask", task, {});
  ASSERT_TRUE(seen.ok()) << seen.error().message;
  EXPECT_EQ(seen->front()["state"], "executing");
  const auto cancelled = flights().Do("CancelTask", task, {});
  EXPECT_TRUE(cancelled.ok()) << cancelled.error().message;
  EXPECT_EQ(Rows(std::move(stream)).error().kind, Kind::kCancelled);
  EXPECT_TRUE(service_.WaitForCancelled(1));
  EXPECT_EQ(flights().Do("GetTask", {{"task", "nobody"}}, {}).error().kind, Kind::kNotFound);
}

TEST_P(FlightsContract, FinishedTaskCanBeReadAgain) {
  auto stream = Run(Scripted({{"rows", 10}}));
  ASSERT_TRUE(stream.ok()) << stream.error().message;
  const TaskId task{stream->metadata["task"].get<std::string>()};
  EXPECT_EQ(Rows(std::move(stream)).value(), 10);
  EXPECT_EQ(Rows(Get(command::TaskRef{task})).value(), 10);
  EXPECT_EQ(service_.runs(), 1);
  EXPECT_EQ(Read(Get(command::TaskRef{{"nobody"}})).error().kind, Kind::kNotFound);
}

TEST_P(FlightsContract, SchemaAndExplainRunNothing) {
  const Json command = Scripted({{"rows", 10}}, "t");
  auto schema = flights().GetSchema(Asked(command), {});
  ASSERT_TRUE(schema.ok()) << schema.error().message;
  EXPECT_TRUE((*schema)->Equals(*ScriptedSchema()));
  auto plan = flights().Do("Explain", {{"command", command}}, {});
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_EQ(plan->front()["outcome"], "planned");
  EXPECT_EQ(plan->front()["estimate"]["rows"], 10);
  EXPECT_EQ(service_.runs(), 0);
  ASSERT_TRUE(Rows(Run(command)).ok());
  plan = flights().Do("Explain", {{"command", command}}, {});
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_EQ(plan->front()["outcome"], "hit");
  schema = flights().GetSchema(command::PathRef{At("t"), {}}, {});
  ASSERT_TRUE(schema.ok()) << schema.error().message;
  EXPECT_TRUE((*schema)->Equals(*ScriptedSchema()));
}

TEST_P(FlightsContract, UnknownWordsAreNamed) {
  const auto service = Run({{"service", "scriptd"}});
  ASSERT_FALSE(service.ok());
  EXPECT_EQ(service.error().kind, Kind::kUnknownService);
  EXPECT_THAT(service.error().message, ::testing::HasSubstr("scripted"));
  const auto key = Run(Scripted({{"rowz", 10}}));
  ASSERT_FALSE(key.ok());
  EXPECT_EQ(key.error().kind, Kind::kInvalid);
  EXPECT_THAT(key.error().message, ::testing::HasSubstr("rows"));
  EXPECT_FALSE(flights().Do("Dance", Json::object(), {}).ok());
}

}  // namespace
}  // namespace sheaf::flights::contract
