// PLAN  a cancel and a deadline reach the token with their reasons · an answer that never comes is
//       kInternal · streams are destroyed however they end · an upload hears End or Abort whenever
//       its client leaves, also before it was opened · first messages are checked · silent and
//       deaf clients are ended, and hear why when they wake up · what is no message is refused ·
//       received bytes are charged, waited for and given back · a stop answers until the old calls
//       are over, and ends all · trailers stay small
#include <gtest/gtest.h>

#include "sheaf/drivers/flight/core.h"
#include "sheaf/drivers/flight/echo_handler_test.h"
#include "sheaf/drivers/flight/raw_client_test.h"

namespace sheaf::flight {
namespace {

using namespace std::chrono_literals;
using ::grpc::StatusCode;

std::string Command(const std::string& command) {
  pb::FlightDescriptor descriptor;
  descriptor.set_type(pb::FlightDescriptor::CMD);
  descriptor.set_cmd(command);
  return descriptor.SerializeAsString();
}

std::string Ticket(const std::string& bytes) { return Field(1, bytes); }

class LifecycleTest : public ::testing::Test {
 protected:
  LifecycleTest() {
    options_.translate = TranslateForTests;
    const auto batch = NumbersBatch(1000);
    messages_ = MessagesOf(batch->schema(), {batch, batch, batch}, "x");
  }
  void Start(Clock* clock = nullptr) {
    timers_ = std::make_unique<Timers>(clock == nullptr ? system_ : *clock);
    handler_ = std::make_unique<EchoHandler>(*timers_);
    server_ = Server::Start(options_, *handler_, *timers_).value();
    channel_ = OwnChannel(server_->port());
  }
  void TearDown() override {
    server_.reset();
    EXPECT_EQ(handler_->gets.alive, 0);
    EXPECT_EQ(handler_->puts.alive, 0);
    EXPECT_EQ(handler_->puts.ended + handler_->puts.aborted, handler_->puts.opened);
  }
  ::grpc::Status Ask(const std::string& method, const std::string& message) {
    return RawCall(channel_, method).Run({message});
  }
  bool AllGone() {
    return Eventually([&] { return server_->counts().calls == 0; });
  }
  // A DoGet whose client reads nothing for longer than `idle_write`.
  void LeaveUnread(RawCall& call) {
    call.Write(Ticket("bulk:100000"));
    call.HalfClose();
    EXPECT_TRUE(Eventually([&] { return handler_->gets.alive == 1; }));
    Pause(100ms);  // Until gRPC's window is full.
    manual_.Advance(301s);
  }
  // The messages of an upload, under another path.
  std::vector<std::string> Upload(const std::string& path) {
    const auto batch = NumbersBatch(1000);
    return MessagesOf(batch->schema(), {batch, batch, batch}, path);
  }

  time::SystemClock system_;
  ManualClock manual_;
  ServerOptions options_;
  std::unique_ptr<Timers> timers_;
  std::unique_ptr<EchoHandler> handler_;
  std::unique_ptr<Server> server_;
  std::shared_ptr<::grpc::Channel> channel_;
  std::vector<std::string> messages_;
};

TEST_F(LifecycleTest, CancelReachesTheToken) {
  Start();
  for (const char* method : {"GetFlightInfo", "DoGet"}) {
    RawCall call(channel_, method);
    call.Write(*method == 'G' ? Command("wait") : Ticket("wait"));
    call.HalfClose();
    ASSERT_TRUE(Eventually([&] { return server_->counts().calls == 1; }));
    call.Cancel();
    ASSERT_TRUE(Eventually([&] { return handler_->LastCancel().has_value(); }));
    EXPECT_EQ(handler_->LastCancel()->kind, Kind::kCancelled);
    EXPECT_TRUE(AllGone());
  }
}

TEST_F(LifecycleTest, DeadlineReachesTheTokenAsSuch) {
  Start();
  for (const auto timeout : {100ms, 700ms, 1300ms}) {
    RawCall call(channel_, "GetFlightInfo", timeout);
    call.Write(Command("wait"));
    call.HalfClose();
    EXPECT_FALSE(call.Read());
    EXPECT_EQ(call.Finish().error_code(), StatusCode::DEADLINE_EXCEEDED);
    EXPECT_TRUE(AllGone());
    ASSERT_TRUE(handler_->LastCancel().has_value());
    EXPECT_EQ(handler_->LastCancel()->kind, Kind::kDeadline) << timeout.count();
  }
}

TEST_F(LifecycleTest, ForgottenAnswerIsInternal) {
  Start();
  const auto status = Ask("GetFlightInfo", Command("forget"));
  EXPECT_EQ(status.error_code(), StatusCode::INTERNAL);
  EXPECT_TRUE(AllGone());
}

TEST_F(LifecycleTest, AbandonedStreamIsDestroyed) {
  Start();
  for (const char* ticket : {"bulk:100000", "bulk:1?hang", "bulk:100000?pending"}) {
    RawCall call(channel_, "DoGet");
    call.Write(Ticket(ticket));
    call.HalfClose();
    EXPECT_TRUE(call.Read());
    EXPECT_TRUE(call.Read());
    EXPECT_EQ(handler_->gets.alive, 1);
    EXPECT_EQ(server_->counts().streams, 1);
    call.Cancel();
    EXPECT_TRUE(AllGone());
    EXPECT_EQ(handler_->gets.alive, 0);
  }
}

TEST_F(LifecycleTest, CancelsRaceWithBatchesAndWakes) {
  Start();
  const int rounds = 300;
  for (int round = 0; round < rounds; ++round) {
    RawCall call(channel_, "DoGet");
    call.Write(Ticket(round % 2 == 0 ? "bulk:5?pending" : "bulk:2"));
    call.HalfClose();
    for (int reads = round % 5; reads > 0; --reads) call.Read();
    if (round % 3 == 0) Pause(std::chrono::microseconds(round % 400));
    call.Cancel();
  }
  EXPECT_TRUE(AllGone());
}

TEST_F(LifecycleTest, RequestThatIsNoTicketIsInvalid) {
  Start();
  EXPECT_EQ(Ask("DoGet", "\xff\xff").error_code(), StatusCode::INVALID_ARGUMENT);
}

TEST_F(LifecycleTest, FirstMessageMustHoldDescriptorAndSchema) {
  Start();
  const auto invalid = [&](const std::vector<std::string>& messages, std::string_view part) {
    const auto status = RawCall(channel_, "DoPut").Run(messages);
    EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
    EXPECT_NE(status.error_message().find(part), std::string::npos) << status.error_message();
  };
  const std::string descriptor = Field(1, Command("c"));
  invalid({}, "schema");
  invalid({""}, "descriptor");
  invalid({descriptor}, "schema");
  invalid({descriptor + Field(3, "metadata")}, "schema");
  invalid({descriptor + messages_[1]}, "schema");
  invalid({Field(1, "\xff\xff\xff") + messages_[0].substr(7)}, "");
  invalid({messages_[1]}, "descriptor");
  EXPECT_EQ(handler_->puts.opened, 0);
}

TEST_F(LifecycleTest, BadMessageAbortsTheUpload) {
  Start();
  auto broken = messages_;
  broken[2].resize(broken[2].size() - 9);
  EXPECT_EQ(RawCall(channel_, "DoPut").Run(broken).error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_TRUE(AllGone());
  EXPECT_EQ(handler_->puts.aborted, 1);
  EXPECT_EQ(handler_->LastAbort()->kind, Kind::kInvalid);
}

TEST_F(LifecycleTest, ClientThatLeavesBeforeItsUploadOpensIsAborted) {
  Start();
  for (int round = 0; round < 5; ++round) {
    RawCall call(channel_, "DoPut");
    for (const auto& message : Upload("late")) call.Write(message);
    ASSERT_TRUE(Eventually([&] { return handler_->puts.opened == round + 1; }));
    call.Cancel();
    ASSERT_TRUE(Eventually([&] { return handler_->puts.aborted == round + 1; }));
  }
  EXPECT_TRUE(AllGone());
}

TEST_F(LifecycleTest, UploadsThatBlockDoNotOutliveTheirClients) {
  options_.put_threads_max = 4;
  Start();
  {
    std::vector<std::unique_ptr<RawCall>> calls;
    for (int i = 0; i < 8; ++i) {  // More than there are threads.
      calls.push_back(std::make_unique<RawCall>(channel_, "DoPut"));
      for (const auto& message : Upload("stall")) calls.back()->Write(message);
    }
    ASSERT_TRUE(Eventually([&] { return handler_->puts.opened == 8; }));
    EXPECT_TRUE(Ask("GetFlightInfo", Command("q")).ok());
    for (auto& call : calls) call->Cancel();
    EXPECT_TRUE(AllGone());
  }
  EXPECT_EQ(handler_->puts.aborted, 8);
}

TEST_F(LifecycleTest, SilentUploadIsEnded) {
  options_.idle_read = 300s;
  Start(&manual_);
  RawCall call(channel_, "DoPut");
  call.Write(messages_[0]);
  call.Write(messages_[1]);
  ASSERT_TRUE(Eventually([&] { return handler_->puts.opened == 1; }));
  manual_.Advance(299s);
  Pause(20ms);
  EXPECT_EQ(handler_->puts.alive, 1);
  call.Write(messages_[2]);  // A sign of life.
  Pause(20ms);
  manual_.Advance(299s);
  Pause(20ms);
  EXPECT_EQ(handler_->puts.alive, 1);
  manual_.Advance(2s);
  EXPECT_FALSE(call.Read());
  EXPECT_EQ(call.Finish().error_code(), StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(AllGone());
  EXPECT_EQ(handler_->LastAbort()->kind, Kind::kDeadline);
}

TEST_F(LifecycleTest, DeafReaderIsEnded) {
  options_.idle_write = 300s;
  Start(&manual_);
  RawCall call(channel_, "DoGet");
  LeaveUnread(call);
  EXPECT_TRUE(Eventually([&] { return handler_->gets.alive == 0; }));  // Given back at once.
  EXPECT_EQ(server_->counts().calls, 1);  // Its status waits behind what is not read.
  manual_.Advance(kLastWord + 1s);
  EXPECT_TRUE(AllGone());
}

TEST_F(LifecycleTest, DeafReaderThatWakesUpHearsWhy) {
  options_.idle_write = 300s;
  Start(&manual_);
  RawCall call(channel_, "DoGet");
  LeaveUnread(call);
  ASSERT_TRUE(Eventually([&] { return handler_->gets.alive == 0; }));
  while (call.Read()) {
  }
  const auto status = call.Finish();
  EXPECT_EQ(status.error_code(), StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(status.error_message(), kUnread);
  EXPECT_TRUE(AllGone());
}

TEST_F(LifecycleTest, StreamWithNothingToSendIsNotIdle) {
  Start(&manual_);
  RawCall call(channel_, "DoGet");
  call.Write(Ticket("bulk:1?hang"));
  call.HalfClose();
  EXPECT_TRUE(call.Read());
  EXPECT_TRUE(call.Read());
  ASSERT_TRUE(Eventually([&] { return handler_->gets.hanging == 1; }));  // The write is over, too.
  manual_.Advance(3600s);
  Pause(50ms);
  EXPECT_EQ(handler_->gets.alive, 1);
}

TEST_F(LifecycleTest, ReceivedBytesAreChargedAndGivenBack) {
  options_.account = Account::Root("received", 64_MiB);
  Start();
  EXPECT_TRUE(RawCall(channel_, "DoPut").Run(messages_).ok());
  EXPECT_TRUE(AllGone());
  EXPECT_GE(options_.account->peak(), Bytes{static_cast<int64_t>(messages_[1].size())});
  EXPECT_EQ(options_.account->used(), 0_B);
}

TEST_F(LifecycleTest, MessageThatNeverFitsTheBudgetIsExhausted) {
  options_.account = Account::Root("received", 8_KiB);
  Start();
  const auto status = RawCall(channel_, "DoPut").Run(messages_);
  EXPECT_EQ(status.error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(AllGone());
  EXPECT_EQ(handler_->LastAbort()->kind, Kind::kExhausted);
  EXPECT_EQ(options_.account->used(), 0_B);
}

TEST_F(LifecycleTest, MessageWaitsForRoomInTheBudget) {
  options_.account = Account::Root("received", 1_MiB);
  Start();
  options_.account->Charge(1_MiB);
  RawCall call(channel_, "DoPut");
  for (const auto& message : messages_) call.Write(message);
  call.HalfClose();
  Pause(100ms);
  EXPECT_EQ(handler_->puts.ended, 0);
  options_.account->Release(1_MiB);
  EXPECT_TRUE(call.Read());
  EXPECT_TRUE(call.Finish().ok());
  EXPECT_EQ(handler_->puts.ended, 1);
}

TEST_F(LifecycleTest, MessageThatWaitsTooLongForRoomIsExhausted) {
  options_.account = Account::Root("received", 1_MiB);
  options_.charge_wait = 50ms;
  Start();
  options_.account->Charge(1_MiB);
  EXPECT_EQ(RawCall(channel_, "DoPut").Run(messages_).error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(AllGone());
}

TEST_F(LifecycleTest, MessageAboveTheCapIsRefused) {
  options_.receive_bytes_max = 20_KiB;
  Start();
  EXPECT_EQ(RawCall(channel_, "DoPut").Run(messages_).error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(AllGone());
  EXPECT_EQ(handler_->puts.ended, 0);
}

TEST_F(LifecycleTest, StopLetsCallsEndAndThenEndsThem) {
  Start();
  RawCall quick(channel_, "DoGet");
  quick.Write(Ticket("bulk:30?pending"));
  quick.HalfClose();
  RawCall endless(channel_, "DoGet");
  endless.Write(Ticket("bulk:1?hang"));
  endless.HalfClose();
  RawCall upload(channel_, "DoPut");
  upload.Write(messages_[0]);
  RawCall waiting(channel_, "GetFlightInfo");
  waiting.Write(Command("wait"));
  waiting.HalfClose();
  ASSERT_TRUE(Eventually([&] { return server_->counts().calls == 4; }));
  ASSERT_TRUE(Eventually([&] { return handler_->puts.opened == 1; }));
  std::thread stop([&] { server_->Stop(500ms); });
  const auto end = [](RawCall& call) {
    while (call.Read()) {
    }
    return call.Finish().error_code();
  };
  EXPECT_EQ(end(quick), StatusCode::OK);
  EXPECT_EQ(end(endless), StatusCode::UNAVAILABLE);
  EXPECT_EQ(end(upload), StatusCode::UNAVAILABLE);
  EXPECT_EQ(end(waiting), StatusCode::UNAVAILABLE);
  stop.join();
  EXPECT_EQ(handler_->LastAbort()->kind, Kind::kShuttingDown);
  EXPECT_EQ(handler_->LastCancel()->kind, Kind::kShuttingDown);
  EXPECT_EQ(server_->counts().calls, 0);
}

TEST_F(LifecycleTest, NewCallsAreAnsweredWhileAStopWaitsForOldOnes) {
  Start();
  RawCall old(channel_, "DoGet");
  old.Write(Ticket("bulk:1?hang"));
  old.HalfClose();
  ASSERT_TRUE(Eventually([&] { return handler_->gets.hanging == 1; }));
  std::thread stop([&] { server_->Stop(60s); });
  for (int call = 0; call < 20; ++call) {
    EXPECT_EQ(Ask("GetFlightInfo", Command("fail:forbidden: later")).error_code(),
              StatusCode::PERMISSION_DENIED);
    Pause(5ms);
  }
  EXPECT_EQ(RawCall(OwnChannel(server_->port()), "GetFlightInfo").Run({Command("q")}).error_code(),
            StatusCode::OK);
  old.Cancel();
  stop.join();  // Long before its grace is over.
}

TEST_F(LifecycleTest, RequestThatIsNoMessageIsInvalidAndSigned) {
  options_.sign = [](Error error, const CallPtr& call) {
    error.message += " (" + std::string(call->method()) + ")";
    return error;
  };
  Start();
  pb::FlightDescriptor path;
  path.set_type(pb::FlightDescriptor::PATH);
  path.add_path("?");
  std::string broken = path.SerializeAsString();
  broken.back() = '\xff';  // No UTF-8.
  for (const char* method : {"GetFlightInfo", "PollFlightInfo", "GetSchema"}) {
    const auto status = Ask(method, broken);
    EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT) << method;
    EXPECT_NE(status.error_message().find("UTF-8"), std::string::npos);
    EXPECT_NE(status.error_message().find("(" + std::string(method) + ")"), std::string::npos);
  }
  for (const char* method : {"GetFlightInfo", "DoGet", "DoAction", "ListActions", "ListFlights"}) {
    EXPECT_EQ(Ask(method, "\x0a\x7f").error_code(), StatusCode::INVALID_ARGUMENT) << method;
  }
  EXPECT_TRUE(AllGone());
}

TEST_F(LifecycleTest, DeafReaderDoesNotHoldUpAStop) {
  Start();
  RawCall call(channel_, "DoGet");
  call.Write(Ticket("bulk:100000"));
  call.HalfClose();
  ASSERT_TRUE(Eventually([&] { return handler_->gets.alive == 1; }));
  Pause(50ms);
  const Instant before = system_.Now();
  server_->Stop(0s);
  EXPECT_LT(system_.Now() - before, 5s);
}

TEST(OutcomeOfTest, TrailersStaySmall) {
  WireError error;
  error.grpc_code = 3;
  error.arrow_code = 4;
  for (int i = 0; i < 1000; ++i) error.message += "ü";
  error.detail = std::string(2048, 'x');
  const auto outcome = OutcomeOf(error);
  size_t bytes = outcome.status.error_message().size();
  for (const auto& [key, value] : outcome.trailers) bytes += key.size() + value.size();
  EXPECT_EQ(outcome.trailers.size(), 3);
  EXPECT_LT(bytes, 3 * 1024 + 100);
  error.detail += "x";  // Cut JSON is no JSON.
  EXPECT_EQ(OutcomeOf(error).trailers.size(), 2);
}

}  // namespace
}  // namespace sheaf::flight
