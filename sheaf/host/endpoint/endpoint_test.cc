// PLAN  a command answers with tickets that read its flight · the second time it is a hit · one
//       round trip by a JSON ticket · an upload obeys its commit rule · errors carry their JSON
//       · a pollable call answers POLL and its task goes on · a forged ticket is refused
//       · CancelFlightInfo ends the run · a call that is cut off ends its interest
//       · before it is ready the endpoint says so
#include "sheaf/host/endpoint/endpoint.h"

#include <arrow/flight/api.h>
#include <gtest/gtest.h>

#include "sheaf/adapters/cluster/cluster.h"
#include "sheaf/host/tasks/fake_service_test.h"

namespace sheaf::endpoint {
namespace {

namespace fl = arrow::flight;
using namespace std::chrono_literals;

struct EndpointTest : testing::Test {
  EndpointTest() {
    Actions();
    EndpointOptions options;
    options.ticket_key = std::string(command::TicketBox::kKeyBytes, 'k');
    options.pollable_wait = 50ms;
    endpoint = Endpoint::Start(options, {.engine = house.engine,
                                         .actions = actions,
                                         .cluster = *cluster,
                                         .timers = timers,
                                         .log = house.log,
                                         .metrics = house.metrics}).value();
    endpoint->SetState(Endpoint::State::kReady);
    client = Connect();
  }
  ~EndpointTest() override {
    house.service.OpenGate("all");
    endpoint->Stop(2s);
  }

  void Actions() {
    cluster->membership().Join({.id = cluster->membership().self(), .name = "n"}).value();
  }
  std::unique_ptr<fl::FlightClient> Connect() {
    auto location = fl::Location::ForGrpcTcp("127.0.0.1", endpoint->port()).ValueOrDie();
    return fl::FlightClient::Connect(location).ValueOrDie();
  }
  static int64_t Rows(fl::FlightStreamReader& reader) {
    return reader.ToTable().ValueOrDie()->num_rows();
  }
  static Json Detail(const arrow::Status& status) {
    const auto detail = fl::FlightStatusDetail::UnwrapStatus(status);
    return detail == nullptr ? Json() : Json::parse(detail->extra_info());
  }

  time::SystemClock clock;
  Timers timers{clock};
  tasks::EngineHouse house;
  std::unique_ptr<cluster::Cluster> cluster =
      cluster::MakeMemoryCluster(core::NewId<core::NodeTag>(), clock);
  tasks::Actions actions{house.engine, *cluster};
  std::unique_ptr<Endpoint> endpoint;
  std::unique_ptr<fl::FlightClient> client;
};

const char* kSunk = R"({"service":"fake","sink":{"path":["t","a"],"tier":"memory"}})";

TEST_F(EndpointTest, ACommandAnswersWithTicketsAndTheSecondTimeItIsAHit) {
  house.service.OpenGate("all");
  auto info = client->GetFlightInfo(fl::FlightDescriptor::Command(kSunk)).ValueOrDie();
  ASSERT_EQ(info->endpoints().size(), 1u);
  EXPECT_EQ(Json::parse(info->app_metadata())["hit"], false);
  EXPECT_EQ(Rows(*client->DoGet(info->endpoints()[0].ticket).ValueOrDie()), 20);
  info = client->GetFlightInfo(fl::FlightDescriptor::Command(kSunk)).ValueOrDie();
  EXPECT_EQ(Json::parse(info->app_metadata())["hit"], true);
  EXPECT_EQ(info->total_records(), 20);
  EXPECT_EQ(Rows(*client->DoGet(info->endpoints()[0].ticket).ValueOrDie()), 20);
  EXPECT_EQ(house.service.runs, 1);
}

TEST_F(EndpointTest, AJsonTicketIsOneRoundTrip) {
  house.service.OpenGate("all");
  EXPECT_EQ(Rows(*client->DoGet(fl::Ticket{kSunk}).ValueOrDie()), 20);
  EXPECT_EQ(Rows(*client->DoGet(fl::Ticket{R"({"path":["t","a"]})"}).ValueOrDie()), 20);
  EXPECT_EQ(Rows(*client->DoGet(fl::Ticket{kSunk}).ValueOrDie()), 20);
}

TEST_F(EndpointTest, ErrorsCarryTheirJson) {
  const auto bad = client->GetFlightInfo(fl::FlightDescriptor::Command(R"({"servcie":"fake"})"));
  const Json detail = Detail(bad.status());
  EXPECT_EQ(detail["code"], "INVALID");
  EXPECT_NE(detail["message"].get<std::string>().find("did you mean 'service'"), std::string::npos);
  const auto gone = client->GetFlightInfo(fl::FlightDescriptor::Path({"no", "where"}));
  EXPECT_EQ(Detail(gone.status())["code"], "NOT_FOUND");
  const auto sql = client->GetFlightInfo(
      fl::FlightDescriptor::Command("\x0a\x10type.googleapis.com/arrow.flight.protocol.sql.X"));
  EXPECT_EQ(Detail(sql.status())["code"], "UNSUPPORTED");
}

TEST_F(EndpointTest, AForgedTicketIsRefused) {
  house.service.OpenGate("all");
  auto info = client->GetFlightInfo(fl::FlightDescriptor::Command(kSunk)).ValueOrDie();
  std::string ticket = info->endpoints()[0].ticket.ticket;
  ticket[ticket.size() / 2] = static_cast<char>(ticket[ticket.size() / 2] ^ 1);
  auto reader = client->DoGet(fl::Ticket{ticket});
  const auto status = reader.ok() ? (*reader)->Next().status() : reader.status();
  EXPECT_EQ(Detail(status)["code"], "INVALID_TICKET");
}

TEST_F(EndpointTest, APollableCallAnswersPollAndItsTaskGoesOn) {
  fl::FlightCallOptions options;
  options.headers = {{"sheaf-pollable", "true"}};
  const auto poll = client->GetFlightInfo(
      options, fl::FlightDescriptor::Command(R"({"service":"fake"})"));
  // The first small batch is held until the store's (manual) clock moves.
  const Json detail = Detail(poll.status());
  ASSERT_EQ(detail["code"], "POLL") << poll.status().ToString();
  const std::string task = detail["details"]["task"];
  house.service.OpenGate("all");
  auto info = client->GetFlightInfo(fl::FlightDescriptor::Command(
      Json{{"task", task}}.dump())).ValueOrDie();
  EXPECT_EQ(Rows(*client->DoGet(info->endpoints()[0].ticket).ValueOrDie()), 20);
}

TEST_F(EndpointTest, CancelFlightInfoEndsTheRun) {
  fl::FlightCallOptions options;
  options.headers = {{"sheaf-pollable", "true"}};
  const auto poll = client->GetFlightInfo(
      options, fl::FlightDescriptor::Command(R"({"service":"fake"})"));
  const std::string task = Detail(poll.status())["details"]["task"];
  house.clock.Advance(25ms);
  auto info = client->GetFlightInfo(fl::FlightDescriptor::Command(
      Json{{"task", task}}.dump())).ValueOrDie();
  auto cancelled = client->CancelFlightInfo(fl::CancelFlightInfoRequest{
      std::make_unique<fl::FlightInfo>(*info)}).ValueOrDie();
  EXPECT_EQ(cancelled.status, fl::CancelStatus::kCancelled);
  auto submission = house.engine.Join({task}, {}, tasks::Hold::kClaim);
  EXPECT_FALSE(submission.ok());
}

TEST_F(EndpointTest, AnUploadObeysItsCommitRule) {
  const auto put = [&](const std::string& rows, const std::string& metadata) {
    fl::FlightCallOptions options;
    if (!rows.empty()) options.headers.emplace_back("sheaf-rows", rows);
    if (!metadata.empty()) options.headers.emplace_back("sheaf-commit", "explicit");
    auto put = client->DoPut(options, fl::FlightDescriptor::Command(
                                          R"({"sink":{"path":["u","a"],"tier":"memory"}})"),
                             testkit::NumbersSchema()).ValueOrDie();
    EXPECT_TRUE(put.writer->WriteRecordBatch(*testkit::Numbers(0, 7)).ok());
    if (metadata.size() > 1) {
      EXPECT_TRUE(put.writer->WriteMetadata(arrow::Buffer::FromString(metadata)).ok());
    }
    (void)put.writer->DoneWriting();
    std::shared_ptr<arrow::Buffer> receipt;
    (void)put.reader->ReadMetadata(&receipt);
    const auto closed = put.writer->Close();
    return std::make_pair(closed, receipt == nullptr ? Json() : Json::parse(receipt->ToString()));
  };
  EXPECT_EQ(Detail(put("8", "").first)["code"], "INVALID");
  EXPECT_EQ(Detail(put("", "-").first)["code"], "CANCELLED");
  EXPECT_EQ(Detail(put("", R"({"abort":true})").first)["code"], "CANCELLED");
  EXPECT_FALSE(house.store->Lookup(Path::Make({"u", "a"}).value()).has_value());
  EXPECT_EQ(put("7", "").second["rows"], 7);
  EXPECT_EQ(put("", R"({"commit":{"rows":7}})").second["rows"], 7);
  EXPECT_EQ(put("", "").second["durable"], false);
}

TEST_F(EndpointTest, ACallThatIsCutOffEndsItsInterest) {
  fl::FlightCallOptions options;
  options.timeout = fl::TimeoutDuration{0.2};
  const auto late = client->GetFlightInfo(
      options, fl::FlightDescriptor::Command(R"({"service":"fake","spec":{"n":1}})"));
  EXPECT_FALSE(late.ok());
  for (int i = 0; i < 500 && house.engine.active() > 0; ++i) Event().WaitFor(10ms);
  EXPECT_EQ(house.engine.active(), 0u);
}

TEST_F(EndpointTest, BeforeItIsReadyTheEndpointSaysSo) {
  endpoint->SetState(Endpoint::State::kStarting);
  const auto early = client->GetFlightInfo(fl::FlightDescriptor::Command(kSunk));
  EXPECT_EQ(Detail(early.status())["code"], "NOT_READY");
}

TEST_F(EndpointTest, ActionsAreListedAndUnknownOnesNamed) {
  EXPECT_GE(client->ListActions().ValueOrDie().size(), 15u);
  auto results = client->DoAction(fl::Action{"ListTask", nullptr});
  const auto status = results.ok() ? (*results)->Next().status() : results.status();
  EXPECT_NE(status.ToString().find("did you mean 'ListTasks'"), std::string::npos);
}

}  // namespace
}  // namespace sheaf::endpoint
