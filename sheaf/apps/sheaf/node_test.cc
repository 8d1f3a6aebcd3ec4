// PLAN  an embedded node answers and opens no port · what is kept outlives a node, tickets' key
//       too; what is temporary goes with it · each way not to start has its stage · modules are
//       checked without a node · a node that serves can be asked over Flight and drains · it starts
//       on each back end of persistence

#include "sheaf/apps/sheaf/node.h"

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "sheaf/adapters/flights/flights.h"
#include "sheaf/apps/sheaf/built_in.h"
#include "testkit/postgres.h"

namespace sheaf::app {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using ::testing::HasSubstr;

class NodeTest : public ::testing::Test {
 protected:
  NodeTest() : folder_(fs::path(::testing::TempDir()) / ("sheaf-node-" + core::RandomHex(8))) {
    fs::create_directories(folder_ / "data");
  }
  ~NodeTest() override { fs::remove_all(folder_); }

  NodeOptions Options(NodeOptions::Mode mode, std::vector<std::string> more = {}) const {
    settings::Sources sources;
    sources.flags = {"state.dir=" + (folder_ / "state").string(), "flight.listen=127.0.0.1:0",
                     "http.listen=127.0.0.1:0", "log.level=error"};
    for (auto& flag : more) sources.flags.push_back(std::move(flag));
    return {.config = settings::Config::Read(sources), .mode = mode};
  }
  static std::unique_ptr<Node> Running(NodeOptions options) {
    Started started = StartNode(std::move(options));
    EXPECT_FALSE(started.failed) << started.failed->error.message;
    return std::move(started.node);
  }
  static StartStage StageOf(NodeOptions options, const std::string& word) {
    const Started started = StartNode(std::move(options));
    EXPECT_TRUE(started.failed.has_value());
    if (!started.failed) return StartStage::kSettings;
    EXPECT_THAT(started.failed->error.message, HasSubstr(word));
    return started.failed->stage;
  }
  static Result<std::shared_ptr<arrow::Table>> Query(flights::Flights& flights,
                                                     const std::string& json) {
    SHEAF_ASSIGN(auto command, Command::Parse(json));
    SHEAF_ASSIGN(auto stream, flights.Get({.what = std::move(command)}, {}));
    return columnar::FromArrow(stream.reader->ToTable());
  }

  const fs::path folder_;
};

constexpr const char* kSunk =
    R"({"service": "sql", "spec": {"sql": "select 6 * 7 as n"}, "sink": {"path": ["t", "a"]}})";

constexpr const char* kWorks = R"({"service": "sheaf", "spec": {"table": "job_history"}})";

TEST_F(NodeTest, EmbeddedNodeAnswersAndOpensNoPort) {
  std::ofstream(folder_ / "data" / "n.csv") << "n\n1\n2\n";
  NodeOptions options = Options(NodeOptions::Mode::kEmbedded);
  options.roots = {(folder_ / "data").string()};
  const auto node = Running(std::move(options));
  ASSERT_NE(node, nullptr);
  EXPECT_TRUE(node->flight_uri().empty());
  EXPECT_TRUE(node->http_uri().empty());
  const auto table = Query(node->flights(), R"({"service": "sql",
    "inputs": {"n": {"service": "files", "spec": {"uri": "n.csv"}}},
    "spec": {"sql": "select count(*) as c from n"}})");
  ASSERT_TRUE(table.ok()) << table.error().message;
  EXPECT_EQ((*table)->column(0)->ToString(), "[\n  [\n    2\n  ]\n]");
}

TEST_F(NodeTest, WhatIsKeptOutlivesTheNode) {
  const auto kept = folder_ / "state" / "node.json";
  std::string identity;
  for (int start = 0; start < 2; ++start) {
    const auto node = Running(Options(NodeOptions::Mode::kEmbedded));
    ASSERT_NE(node, nullptr);
    const auto listed = node->flights().List(Path(), Path(), 100, {});
    ASSERT_TRUE(listed.ok()) << listed.error().message;
    EXPECT_EQ(std::count_if(listed->begin(), listed->end(),
                            [](const auto& one) { return !one.metadata.contains("own"); }),
              start);
    ASSERT_TRUE(Query(node->flights(), kSunk).ok());
    std::ifstream file(kept);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    if (start == 1) {
      EXPECT_EQ(text, identity);
    }
    identity = text;
  }
  EXPECT_EQ(fs::status(kept).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(fs::status(folder_ / "state").permissions(), fs::perms::owner_all);
}

TEST_F(NodeTest, ANodeStartsOnEachBackEndAndAgain) {
  time::SystemClock clock;
  std::vector<std::string> backends{"none", "memory:", "file:work", "sqlite:work.db"};
  if (testkit::Postgres::Missing().empty()) {
    backends.push_back(testkit::Postgres::Shared().FreshUrl());
  }
  for (const std::string& backend : backends) {
    SCOPED_TRACE(backend);
    for (int start = 0; start < 2; ++start) {
      const auto node =
          Running(Options(NodeOptions::Mode::kServe, {"persistence.backend=" + backend}));
      ASSERT_NE(node, nullptr);
      const auto remote = flights::OpenRemote(node->flight_uri(), clock).value();
      ASSERT_TRUE(Query(*remote, kSunk).ok());
      const auto health = remote->Do("HealthCheck", Json::object(), {}).value();
      EXPECT_EQ(health.front()["persistence"]["state"], backend == "none" ? "disabled" : "ok");
      const auto works = Query(*remote, kWorks);
      ASSERT_TRUE(works.ok()) << works.error().message;
      node->Stop(seconds(5));
    }
    fs::remove_all(folder_ / "state");
  }
}

TEST_F(NodeTest, WhatIsTemporaryGoesWithTheNode) {
  NodeOptions options = Options(NodeOptions::Mode::kEmbedded);
  options.state = NodeOptions::State::kTemporary;
  auto node = Running(std::move(options));
  ASSERT_NE(node, nullptr);
  ASSERT_TRUE(Query(node->flights(), kSunk).ok());
  EXPECT_FALSE(fs::exists(folder_ / "state"));
}

TEST_F(NodeTest, EachWayNotToStartHasItsStage) {
  using Mode = NodeOptions::Mode;
  EXPECT_EQ(StageOf(Options(Mode::kServe, {"flight.lisen=x"}), "flight.listen"),
            StartStage::kSettings);
  EXPECT_EQ(StageOf(Options(Mode::kServe, {"modules.enabled=files,sqll"}), "'sql'"),
            StartStage::kSettings);
  const auto node = Running(Options(Mode::kServe));
  ASSERT_NE(node, nullptr);
  EXPECT_EQ(StageOf(Options(Mode::kServe), "in use"), StartStage::kState);
  const std::string taken = node->flight_uri().substr(sizeof("grpc://") - 1);
  EXPECT_EQ(StageOf(Options(Mode::kServe, {"flight.listen=" + taken,
                                           "state.dir=" + (folder_ / "other").string()}),
                    taken),
            StartStage::kListen);
  std::ofstream(folder_ / "file") << "no directory";
  EXPECT_EQ(StageOf(Options(Mode::kServe, {"state.dir=" + (folder_ / "file").string()}), "file"),
            StartStage::kState);
}

TEST_F(NodeTest, ModulesAreCheckedWithoutANode) {
  const auto check = [&](const std::string& enabled) {
    return CheckModules(
        Options(NodeOptions::Mode::kServe, {"modules.enabled=" + enabled}).config.settings());
  };
  EXPECT_TRUE(check("sql,files").ok());
  const auto unknown = check("files,sqll");
  ASSERT_FALSE(unknown.ok());
  EXPECT_THAT(unknown.error().message, HasSubstr("'sql'"));
  EXPECT_FALSE(fs::exists(folder_ / "state"));
}

TEST_F(NodeTest, DamagedIdentityIsAStateThatIsDamaged) {
  fs::create_directories(folder_ / "state");
  std::ofstream(folder_ / "state" / "node.json") << R"({"id": "x", "ticket_key": "00"})";
  EXPECT_EQ(StageOf(Options(NodeOptions::Mode::kServe), "node.json"), StartStage::kState);
}

TEST_F(NodeTest, ServingNodeIsAskedOverFlightAndDrains) {
  const auto node = Running(Options(NodeOptions::Mode::kServe));
  ASSERT_NE(node, nullptr);
  time::SystemClock clock;
  const auto remote = flights::OpenRemote(node->flight_uri(), clock).value();
  const auto table = Query(*remote, kSunk);
  ASSERT_TRUE(table.ok()) << table.error().message;
  auto health = remote->Do("HealthCheck", Json::object(), {});
  ASSERT_TRUE(health.ok()) << health.error().message;
  EXPECT_EQ(health->front()["ready"], true);
  EXPECT_EQ(health->front()["flights"], 1);
  EXPECT_EQ(health->front()["modules"].size(), 2u);
  node->Stop(seconds(2));
  EXPECT_FALSE(remote->Do("HealthCheck", Json::object(), {}).ok());
}

}  // namespace
}  // namespace sheaf::app
