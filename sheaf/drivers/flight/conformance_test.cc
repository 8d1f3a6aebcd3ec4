// PLAN  with Arrow's own client: every type goes there and back · metadata with and without batches
//       · empty streams · compressed bodies · infos, polls, schemas, lists, actions, handshakes
//       · errors arrive with code, message and detail, before and in the middle of a stream
#include <arrow/flight/api.h>
#include <arrow/flight/client_auth.h>
#include <gtest/gtest.h>

#include "sheaf/drivers/flight/echo_handler_test.h"
#include "sheaf/drivers/flight/every_type_test.h"

namespace sheaf::flight {
namespace {

namespace fl = arrow::flight;
using Batches = std::vector<std::shared_ptr<arrow::RecordBatch>>;

class ConformanceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ServerOptions options;
    options.translate = TranslateForTests;
    server_ = Server::Start(options, handler_, timers_).value();
    const auto location = fl::Location::ForGrpcTcp("127.0.0.1", server_->port()).ValueOrDie();
    client_ = fl::FlightClient::Connect(location).ValueOrDie();
  }
  fl::FlightClient::DoPutResult Open(const std::string& name,
                                     const std::shared_ptr<arrow::Schema>& schema) {
    return client_->DoPut(fl::FlightDescriptor::Path({name}), schema).ValueOrDie();
  }
  static std::string Close(fl::FlightClient::DoPutResult& put) {
    EXPECT_TRUE(put.writer->DoneWriting().ok());
    std::shared_ptr<arrow::Buffer> result;
    EXPECT_TRUE(put.reader->ReadMetadata(&result).ok());
    EXPECT_TRUE(put.writer->Close().ok());
    return result == nullptr ? "" : result->ToString();
  }
  Batches Get(const std::string& ticket) {
    auto reader = client_->DoGet(fl::Ticket{ticket}).ValueOrDie();
    return reader->ToRecordBatches().ValueOrDie();
  }
  // The detail and the code with which a call failed.
  static std::string DetailOf(const arrow::Status& status) {
    const auto detail = fl::FlightStatusDetail::UnwrapStatus(status);
    return detail == nullptr ? "none" : detail->extra_info();
  }

  time::SystemClock clock_;
  Timers timers_{clock_};
  EchoHandler handler_{timers_};
  std::unique_ptr<Server> server_;
  std::unique_ptr<fl::FlightClient> client_;
};

TEST_F(ConformanceTest, EveryTypeGoesThereAndBack) {
  for (const auto& [name, batches] : EveryType()) {
    SCOPED_TRACE(name);
    auto put = Open(name, batches.front()->schema());
    for (const auto& batch : batches) ASSERT_TRUE(put.writer->WriteRecordBatch(*batch).ok());
    Close(put);
    const auto stored = handler_.Stored(name).batches;
    ASSERT_EQ(stored.size(), batches.size());
    const Batches back = Get(name);
    ASSERT_EQ(back.size(), batches.size());
    for (size_t i = 0; i < batches.size(); ++i) {
      EXPECT_TRUE(stored[i]->Equals(*batches[i], true)) << stored[i]->ToString();
      EXPECT_TRUE(back[i]->Equals(*batches[i], true)) << back[i]->ToString();
      EXPECT_TRUE(back[i]->ValidateFull().ok());
    }
  }
}

TEST_F(ConformanceTest, ClientsThatCompressAreUnderstood) {
  const auto batch = NumbersBatch(100'000, 2);
  for (const auto codec : {arrow::Compression::LZ4_FRAME, arrow::Compression::ZSTD}) {
    fl::FlightCallOptions options;
    options.write_options.codec = arrow::util::Codec::Create(codec).ValueOrDie();
    auto put =
        client_->DoPut(options, fl::FlightDescriptor::Path({"z"}), batch->schema()).ValueOrDie();
    ASSERT_TRUE(put.writer->WriteRecordBatch(*batch).ok());
    EXPECT_EQ(Close(put), "{\"rows\": 100000}");
    EXPECT_TRUE(handler_.Stored("z").batches.at(0)->Equals(*batch));
  }
  for (const char* option : {"?lz4", "?zstd"}) {
    const Batches back = Get(std::string("z") + option);
    ASSERT_EQ(back.size(), 1);
    EXPECT_TRUE(back[0]->Equals(*batch));
  }
}

TEST_F(ConformanceTest, MetadataArrivesInOrder) {
  const auto batch = NumbersBatch(3);
  auto put = Open("m", batch->schema());
  const auto text = [](const char* t) { return arrow::Buffer::FromString(t); };
  ASSERT_TRUE(put.writer->WriteMetadata(text("one")).ok());
  ASSERT_TRUE(put.writer->WriteWithMetadata(*batch, text("two")).ok());
  ASSERT_TRUE(put.writer->WriteRecordBatch(*batch).ok());
  ASSERT_TRUE(put.writer->WriteMetadata(text("three")).ok());
  EXPECT_EQ(Close(put), "{\"rows\": 6}");
  EXPECT_EQ(handler_.Stored("m").metadata, (std::vector<std::string>{"one", "two", "three"}));
  auto reader = client_->DoGet(fl::Ticket{"m"}).ValueOrDie();
  const auto chunk = reader->Next().ValueOrDie();
  EXPECT_EQ(chunk.data->num_rows(), 3);
}

TEST_F(ConformanceTest, EmptyStreamHasItsSchema) {
  const auto schema = NumbersBatch(1)->schema();
  auto put = Open("e", schema);
  EXPECT_EQ(Close(put), "{\"rows\": 0}");
  auto reader = client_->DoGet(fl::Ticket{"e"}).ValueOrDie();
  EXPECT_TRUE(reader->GetSchema().ValueOrDie()->Equals(*schema));
  EXPECT_EQ(reader->Next().ValueOrDie().data, nullptr);
}

TEST_F(ConformanceTest, StreamsThatWaitAndWakeArriveWhole) {
  for (const char* ticket : {"bulk:7", "bulk:7?pending", "bulk:7?early", "bulk:7?pending,lz4"}) {
    EXPECT_EQ(Get(ticket).size(), 7) << ticket;
  }
  EXPECT_EQ(handler_.gets.opened, 4);
}

TEST_F(ConformanceTest, InfoSaysAll) {
  const auto descriptor = fl::FlightDescriptor::Command("q");
  const auto info = client_->GetFlightInfo(descriptor).ValueOrDie();
  EXPECT_TRUE(info->descriptor().Equals(descriptor));
  ASSERT_EQ(info->endpoints().size(), 2);
  EXPECT_EQ(info->endpoints()[0].ticket.ticket, "bulk:4");
  EXPECT_EQ(info->endpoints()[0].locations.at(0).ToString(), "grpc+tcp://127.0.0.1:1");
  EXPECT_EQ(info->endpoints()[0].app_metadata, "endpoint");
  EXPECT_EQ(info->endpoints()[0].expiration_time->time_since_epoch(),
            std::chrono::seconds(1'700'000'000));
  EXPECT_TRUE(info->endpoints()[1].locations.empty());
  EXPECT_FALSE(info->endpoints()[1].expiration_time.has_value());
  EXPECT_EQ(info->total_records(), 5 * 65'536);
  EXPECT_EQ(info->total_bytes(), -1);
  EXPECT_TRUE(info->ordered());
  EXPECT_EQ(info->app_metadata(), "{\"task\": \"t\"}");
  arrow::ipc::DictionaryMemo memo;
  EXPECT_EQ(info->GetSchema(&memo).ValueOrDie()->num_fields(), 4);
}

TEST_F(ConformanceTest, PollAndSchemaAndLists) {
  const auto poll = client_->PollFlightInfo(fl::FlightDescriptor::Path({"p", "q"})).ValueOrDie();
  EXPECT_EQ(poll->progress, 0.5);
  EXPECT_EQ(poll->descriptor->path, (std::vector<std::string>{"p", "q"}));
  EXPECT_EQ(poll->expiration_time->time_since_epoch(),
            std::chrono::milliseconds(1'700'000'000'500));
  EXPECT_EQ(poll->info->endpoints().size(), 2);
  arrow::ipc::DictionaryMemo memo;
  const auto schema = client_->GetSchema(fl::FlightDescriptor::Command("q")).ValueOrDie();
  EXPECT_EQ(schema->GetSchema(&memo).ValueOrDie()->num_fields(), 4);
  auto flights = client_->ListFlights().ValueOrDie();
  int count = 0;
  while (flights->Next().ValueOrDie() != nullptr) ++count;
  EXPECT_EQ(count, 3);
  EXPECT_EQ(client_->ListActions().ValueOrDie().at(0).type, "echo");
}

TEST_F(ConformanceTest, ActionsStreamTheirResults) {
  const auto count = [&](const char* type) {
    auto results = client_->DoAction({type, arrow::Buffer::FromString("hi")}).ValueOrDie();
    int seen = 0;
    while (auto result = results->Next().ValueOrDie()) {
      EXPECT_EQ(result->body->ToString(), "hi");
      ++seen;
    }
    return seen;
  };
  EXPECT_EQ(count("echo"), 1);
  EXPECT_EQ(count("many"), 1000);
  EXPECT_EQ(count("none"), 0);
}

TEST_F(ConformanceTest, ErrorsBringTheirDetail) {
  const auto info = client_->GetFlightInfo(fl::FlightDescriptor::Command("fail:not_found: där"));
  ASSERT_FALSE(info.ok());
  EXPECT_EQ(DetailOf(info.status()), "{\"code\": \"not_found\"}");
  EXPECT_NE(info.status().message().find("där"), std::string::npos);
  EXPECT_EQ(DetailOf(client_->GetSchema(fl::FlightDescriptor::Command("fail:forbidden")).status()),
            "{\"code\": \"forbidden\"}");
  auto get = client_->DoGet(fl::Ticket{"fail:backpressure"});
  ASSERT_FALSE(get.ok());
  EXPECT_EQ(DetailOf(get.status()), "{\"code\": \"backpressure\"}");
  auto action = client_->DoAction({"fail:conflict", nullptr});
  const auto status = action.ok() ? (*action)->Next().status() : action.status();
  EXPECT_EQ(DetailOf(status), "{\"code\": \"conflict\"}");
}

TEST_F(ConformanceTest, ErrorInTheMiddleOfAStreamComesAfterItsBatches) {
  auto reader = client_->DoGet(fl::Ticket{"bulk:2?fail"}).ValueOrDie();
  EXPECT_NE(reader->Next().ValueOrDie().data, nullptr);
  EXPECT_NE(reader->Next().ValueOrDie().data, nullptr);
  const auto end = reader->Next();
  ASSERT_FALSE(end.ok());
  EXPECT_EQ(DetailOf(end.status()), "{\"code\": \"not_found\"}");
}

TEST_F(ConformanceTest, RefusedUploadTellsWhy) {
  const auto batch = NumbersBatch(10);
  for (const auto& [name, code] : {std::pair("fail:conflict", "conflict"),
                                   std::pair("refuse", "conflict"), std::pair("late", "")}) {
    auto put = Open(name, batch->schema());
    arrow::Status status;
    for (int i = 0; i < 50 && status.ok(); ++i) status = put.writer->WriteRecordBatch(*batch);
    const auto closed = put.writer->Close();
    if (*code == 0) {
      EXPECT_TRUE(closed.ok()) << closed.ToString();
      EXPECT_EQ(handler_.Stored("late").batches.size(), 50);
    } else {
      EXPECT_EQ(DetailOf(closed), "{\"code\": \"" + std::string(code) + "\"}");
    }
  }
  EXPECT_EQ(handler_.puts.ended, 1);
  EXPECT_EQ(handler_.puts.aborted, 1);
}

TEST_F(ConformanceTest, BothHandshakesWork) {
  const auto token = client_->AuthenticateBasicToken({}, "user", "password");
  ASSERT_TRUE(token.ok()) << token.status().ToString();
  EXPECT_EQ(token->second, "Bearer token");

  class Auth final : public fl::ClientAuthHandler {
   public:
    explicit Auth(std::string payload) : payload_(std::move(payload)) {}
    arrow::Status Authenticate(fl::ClientAuthSender* out, fl::ClientAuthReader* in) override {
      ARROW_RETURN_NOT_OK(out->Write(payload_));
      return in->Read(&answer_);
    }
    arrow::Status GetToken(std::string* token) override {
      *token = answer_;
      return arrow::Status::OK();
    }

   private:
    const std::string payload_;
    std::string answer_;
  };
  EXPECT_TRUE(client_->Authenticate({}, std::make_unique<Auth>("me")).ok());
  EXPECT_FALSE(client_->Authenticate({}, std::make_unique<Auth>("bad")).ok());
}

TEST_F(ConformanceTest, ManyCallsAtOnce) {
  const auto batch = NumbersBatch(1000);
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&, thread] {
      const std::string name = "flight" + std::to_string(thread);
      for (int round = 0; round < 20; ++round) {
        auto put = Open(name, batch->schema());
        for (int i = 0; i < 10; ++i) (void)put.writer->WriteRecordBatch(*batch);
        Close(put);
        if (Get(name).size() == 10) ++good;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 160);
  EXPECT_EQ(handler_.puts.ended, 160);
}

}  // namespace
}  // namespace sheaf::flight
