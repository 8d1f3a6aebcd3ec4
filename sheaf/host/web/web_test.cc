// PLAN  live, ready and metrics say what is · ready tells its reasons · lists come in pages by key,
//       whole and once · errors are the wire's with their status · unknown routes, methods and
//       parameters are helped · the document describes every route · a full executor is
//       backpressure · requests are counted
#include "sheaf/host/web/web.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <thread>

#include "sheaf/adapters/cluster/cluster.h"

namespace sheaf::web {
namespace {

using namespace std::chrono_literals;

class ListedFlights final : public flights::Flights {
 public:
  std::vector<flights::Listed> listed;
  std::vector<Json> tasks;
  std::optional<Error> failure;
  flights::Context context;  // Of the last call.

  Result<flights::Stream> Get(const flights::GetRequest&, const flights::Context&) override {
    return Fail(Kind::kUnsupported, "not here");
  }
  Result<Schema> GetSchema(const flights::What&, const flights::Context&) override {
    return Fail(Kind::kUnsupported, "not here");
  }
  Result<flights::PutReceipt> Put(const Sink&, arrow::RecordBatchReader&,
                                  const flights::Context&) override {
    return Fail(Kind::kUnsupported, "not here");
  }
  Result<std::vector<Json>> Do(std::string_view action, const Json& body,
                               const flights::Context& from) override {
    context = from;
    EXPECT_EQ(action, "ListTasks");
    EXPECT_EQ(body, Json::object());
    if (failure) return *failure;
    return tasks;
  }
  Result<std::vector<flights::Listed>> List(const Path& prefix, const Path& after, size_t limit,
                                            const flights::Context& from) override {
    context = from;
    if (failure) return *failure;
    std::vector<flights::Listed> page;
    for (const auto& one : listed) {
      if (!prefix.empty() && !one.path.StartsWith(prefix)) continue;
      if (!after.empty() && one.path <= after) continue;
      if (page.size() < limit) page.push_back(one);
    }
    return page;
  }
};

class WebTest : public testing::Test {
 protected:
  void SetUp() override {
    EXPECT_TRUE(cluster_->membership()
                    .Join({.id = {"node0"}, .name = "first", .version = "1.2.3"})
                    .ok());
    WebOptions options;
    options.version = "1.2.3";
    auto web = StartWeb(options, {.flights = flights_,
                                  .cluster = *cluster_,
                                  .executor = executor_,
                                  .log = log_,
                                  .metrics = metrics_,
                                  .clock = clock_,
                                  .health = [this] { return health_; },
                                  .ready = [this] { return ready_.load(); }});
    ASSERT_TRUE(web.ok()) << web.error().message;
    web_ = std::move(*web);
  }
  http::Response Ask(const std::string& target, const std::string& method = "GET") {
    auto got = http::Fetch("http://127.0.0.1:" + std::to_string(web_->port()) + target,
                           {.method = method, .limit = 20s});
    EXPECT_TRUE(got.ok()) << got.error().message;
    return got.ok() ? *got : http::Response{.status = 0};
  }
  Json AskJson(const std::string& target, int status = 200) {
    const auto response = Ask(target);
    EXPECT_EQ(response.status, status) << response.body;
    EXPECT_EQ(response.content_type, "application/json");
    return Json::parse(response.body);
  }
  void AddFlight(std::vector<std::string> parts) {
    flights_.listed.push_back({.path = *Path::Make(std::move(parts)),
                               .schema = arrow::schema({arrow::field("x", arrow::int64())}),
                               .rows = 3,
                               .bytes = 24,
                               .metadata = {{"generation", 7}, {"tier", "disk"}}});
  }

  ManualClock clock_;
  observe::NullLog log_;
  observe::MemoryMetrics metrics_;
  std::unique_ptr<cluster::Cluster> cluster_ = cluster::MakeMemoryCluster({"node0"}, clock_);
  ListedFlights flights_;
  Json health_ = {{"state", "ready"}, {"modules", Json::array()}};
  std::atomic<bool> ready_{true};
  Executor executor_{{.name = "web", .threads_max = 1, .queue_max = 1}};
  std::unique_ptr<Web> web_;
};

TEST_F(WebTest, LiveIsAlwaysTrue) {
  ready_ = false;
  EXPECT_EQ(AskJson("/live"), (Json{{"live", true}}));
}

TEST_F(WebTest, ReadyIs200Or503WithItsReasons) {
  EXPECT_EQ(AskJson("/ready")["ready"], true);
  ready_ = false;
  health_ = {{"state", "draining"},
             {"modules",
              {{{"name", "sql"}, {"state", "not_ready"}, {"reason", "no memory"}},
               {{"name", "files"}, {"state", "ready"}}}}};
  const Json answer = AskJson("/ready", 503);
  EXPECT_EQ(answer["ready"], false);
  EXPECT_EQ(answer["reasons"], Json::array({"module sql: no memory", "the node is draining"}));
  EXPECT_EQ(answer["modules"].size(), 2u);
}

TEST_F(WebTest, MetricsAreText) {
  metrics_.MakeCounter("sheaf_something_total", "x", {}).Add(4);
  const auto response = Ask("/metrics");
  EXPECT_TRUE(response.content_type.starts_with("text/plain; version=0.0.4"));
  EXPECT_NE(response.body.find("sheaf_something_total 4"), std::string::npos);
}

TEST_F(WebTest, TheNodeTellsItself) {
  const Json node = AskJson("/api/v1/node");
  EXPECT_EQ(node["id"], "node0");
  EXPECT_EQ(node["name"], "first");
  EXPECT_EQ(node["state"], "starting");
  EXPECT_EQ(node["health"], health_);
}

TEST_F(WebTest, TasksComeInPagesByTheirIds) {
  for (const auto* id : {"c", "a", "e", "b", "d"}) flights_.tasks.push_back({{"task", id}});
  const Json first = AskJson("/api/v1/tasks?limit=2");
  EXPECT_EQ(first["items"], Json::parse(R"([{"task":"a"},{"task":"b"}])"));
  EXPECT_EQ(first["next"], "b");
  const Json last = AskJson("/api/v1/tasks?limit=3&after=b");
  EXPECT_EQ(last["items"].size(), 3u);
  EXPECT_TRUE(last["next"].is_null());
  EXPECT_EQ(flights_.context.principal, "anonymous");
  EXPECT_FALSE(flights_.context.deadline.never());
}

TEST_F(WebTest, FlightsComeInPagesInPathOrder) {
  for (int i = 0; i < 7; ++i) AddFlight({"raw", "t" + std::to_string(i)});
  AddFlight({"zoo", "with space/and \"quote\""});
  std::vector<Json> paths;
  std::string after;
  for (int page = 0; page < 10; ++page) {
    std::string escaped;
    for (const char c : after) {
      static constexpr std::string_view kHex = "0123456789ABCDEF";
      escaped += '%';
      escaped += kHex[static_cast<uint8_t>(c) >> 4];
      escaped += kHex[static_cast<uint8_t>(c) & 15];
    }
    const Json answer =
        AskJson("/api/v1/flights?limit=3" + (after.empty() ? "" : "&after=" + escaped));
    for (const Json& item : answer["items"]) paths.push_back(item["path"]);
    if (answer["next"].is_null()) break;
    after = answer["next"];
  }
  ASSERT_EQ(paths.size(), 8u);
  EXPECT_EQ(paths[0], Json::parse(R"(["raw","t0"])"));
  EXPECT_EQ(paths[7][1], "with space/and \"quote\"");
}

TEST_F(WebTest, AFlightTellsItsColumnsAndIsFoundByPrefix) {
  AddFlight({"raw", "a"});
  AddFlight({"other", "b"});
  for (const auto* prefix : {"raw", "raw/a", "%5B%22raw%22%5D"}) {
    const Json answer = AskJson("/api/v1/flights?prefix=" + std::string(prefix));
    ASSERT_EQ(answer["items"].size(), 1u) << prefix;
    const Json& item = answer["items"][0];
    EXPECT_EQ(item["generation"], 7);
    EXPECT_EQ(item["rows"], 3);
    EXPECT_EQ(item["columns"][0]["name"], "x");
    EXPECT_EQ(item["columns"][0]["type"], "int64");
  }
  EXPECT_EQ(AskJson("/api/v1/flights?prefix=raw//a", 400)["code"], "INVALID");
  EXPECT_EQ(AskJson("/api/v1/flights?prefix=%5B1%5D", 400)["code"], "INVALID");
}

TEST_F(WebTest, ServicesTellTheirNodes) {
  ASSERT_TRUE(cluster_->services().Offer("sql").ok());
  ASSERT_TRUE(cluster_->services().Offer("files").ok());
  const Json answer = AskJson("/api/v1/services?limit=1");
  EXPECT_EQ(answer["items"], Json::parse(R"([{"nodes":["node0"],"service":"files"}])"));
  EXPECT_EQ(AskJson("/api/v1/services?after=files")["items"][0]["service"], "sql");
}

TEST_F(WebTest, ErrorsAreTheWiresWithTheirStatus) {
  flights_.failure = Fail(Kind::kBackpressure, "full", R"({"after_ms":250})");
  const Json error = AskJson("/api/v1/tasks", 503);
  EXPECT_EQ(error["code"], "BACKPRESSURE");
  EXPECT_EQ(error["after_ms"], 250);
  flights_.failure = Fail(Kind::kForbidden, "not yours");
  EXPECT_EQ(AskJson("/api/v1/flights", 403)["number"], 401);
}

TEST_F(WebTest, AnUnknownRouteIsHelpedWithTheNearestAndAll) {
  const Json error = AskJson("/api/v1/task", 404);
  EXPECT_EQ(error["code"], "NOT_FOUND");
  EXPECT_NE(error["message"].get<std::string>().find("/api/v1/tasks"), std::string::npos);
  EXPECT_EQ(error["details"]["routes"].size(), 8u);
  EXPECT_EQ(AskJson("/x%20y%0A", 404)["code"], "NOT_FOUND");
}

TEST_F(WebTest, OnlyReadingIsAllowed) {
  for (const auto* method : {"POST", "PUT", "DELETE", "OPTIONS", "BREW"}) {
    const auto response = Ask("/api/v1/tasks", method);
    EXPECT_EQ(response.status, 405) << method;
    EXPECT_EQ(response.headers.at("allow"), "GET, HEAD");
    EXPECT_EQ(Json::parse(response.body)["code"], "UNSUPPORTED");
  }
  EXPECT_EQ(Ask("/api/v1/tasks", "HEAD").status, 200);
}

TEST_F(WebTest, ParametersAreCheckedAndHelped) {
  for (const auto* bad : {"limit=0", "limit=1001", "limit=x", "limit=", "limit=1x", "limti=3"}) {
    const Json error = AskJson("/api/v1/tasks?" + std::string(bad), 400);
    EXPECT_NE(error["message"].get<std::string>().find("limit"), std::string::npos) << error;
  }
  EXPECT_EQ(AskJson("/live?x=1", 400)["code"], "INVALID");
  EXPECT_EQ(AskJson("/live?x=%zz", 400)["code"], "INVALID");
}

TEST_F(WebTest, TheDocumentDescribesEveryRoute) {
  const Json document = AskJson("/api/v1/openapi.json");
  EXPECT_EQ(document["openapi"], "3.0.3");
  EXPECT_EQ(document["info"]["version"], "1.2.3");
  const Json routes = AskJson("/nothing", 404)["details"]["routes"];
  for (const auto& route : routes) {
    const Json& operation = document["paths"][route.get<std::string>()]["get"];
    EXPECT_TRUE(operation["operationId"].is_string()) << route;
    EXPECT_TRUE(operation["responses"].contains("200")) << route;
  }
  EXPECT_EQ(document["paths"].size(), routes.size());
  EXPECT_TRUE(document["paths"]["/ready"]["get"]["responses"].contains("503"));
  const Json& limit = document["paths"]["/api/v1/tasks"]["get"]["parameters"][0];
  EXPECT_EQ(limit["schema"]["maximum"], 1000);
}

TEST_F(WebTest, AFullExecutorIsBackpressureAndHealthStillAnswers) {
  Event go, inside;
  ASSERT_TRUE(executor_.TryPost([&] {
    inside.Set();
    go.Wait();
  }));
  inside.Wait();
  ASSERT_TRUE(executor_.TryPost([] {}));
  EXPECT_EQ(AskJson("/api/v1/tasks", 503)["code"], "BACKPRESSURE");
  EXPECT_EQ(AskJson("/ready")["ready"], true);
  go.Set();
  executor_.Stop();  // Its thread is out of `go` before that dies.
}

TEST_F(WebTest, RequestsAreCountedByRouteAndUnknownOnesTogether) {
  Ask("/live");
  Ask("/live");
  Ask("/one");
  Ask("/two");
  web_->Stop(10s);
  EXPECT_EQ(metrics_.Value(R"(sheaf_http_requests_total{route="/live",status="2xx"})"), 2);
  EXPECT_EQ(metrics_.Value(R"(sheaf_http_requests_total{route="other",status="4xx"})"), 2);
  EXPECT_EQ(metrics_.Value(R"(sheaf_http_request_seconds{route="/live"})"), 2);
}

}  // namespace
}  // namespace sheaf::web
