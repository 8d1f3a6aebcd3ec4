// PLAN  whatever is done to the messages of an upload, the server answers, stays up, and every
//       opened upload hears its end; the sequence that crashes Arrow's own server is INVALID
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "sheaf/drivers/flight/echo_handler_test.h"
#include "sheaf/drivers/flight/every_type_test.h"
#include "sheaf/drivers/flight/raw_client_test.h"
#include "testkit/seed.h"

namespace sheaf::flight {
namespace {

using Messages = std::vector<std::string>;
using Random = std::mt19937_64;

class PutFuzzTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ServerOptions options;
    options.translate = TranslateForTests;
    options.receive_bytes_max = 16_MiB;
    options.account = account_;
    server_ = Server::Start(options, handler_, timers_).value();
    channel_ = OwnChannel(server_->port());
  }
  ::grpc::StatusCode Send(const Messages& messages) {
    return RawCall(channel_, "DoPut").Run(messages).error_code();
  }
  static Messages Dictionaries() {
    const auto batch = OneColumn(
        Words(arrow::dictionary(arrow::int32(), arrow::utf8()), {"a", "b", "c"}, {0, 1, -1, 2}));
    return MessagesOf(batch->schema(), {batch, batch}, "x");
  }

  time::SystemClock clock_;
  Timers timers_{clock_};
  EchoHandler handler_{timers_};
  std::shared_ptr<Account> account_ = Account::Root("received", 256_MiB);
  std::unique_ptr<Server> server_;
  std::shared_ptr<::grpc::Channel> channel_;
};

size_t Below(Random& random, size_t bound) { return bound == 0 ? 0 : random() % bound; }

// Some bytes of one message: changed, cut, put in, or a number made extreme.
void MutateBytes(Random& random, std::string& message) {
  for (size_t changes = 1 + Below(random, 4); changes > 0 && !message.empty(); --changes) {
    const size_t at = Below(random, message.size());
    switch (Below(random, 5)) {
      case 0: message[at] = static_cast<char>(random()); break;
      case 1: message[at] = static_cast<char>(message[at] ^ (1 << Below(random, 8))); break;
      case 2: message.resize(at); break;
      case 3: message.insert(at, 1, static_cast<char>(random())); break;
      default:
        for (size_t i = at; i < std::min(at + 8, message.size()); ++i) message[i] = '\x7f';
    }
  }
}

// The messages in another order: dropped, doubled, exchanged, or without a field.
void MutateOrder(Random& random, Messages& messages) {
  const size_t at = Below(random, messages.size());
  switch (Below(random, 5)) {
    case 0: messages.erase(messages.begin() + static_cast<ptrdiff_t>(at)); break;
    case 1: messages.push_back(messages[at]); break;
    case 2: std::swap(messages[at], messages[Below(random, messages.size())]); break;
    case 3: messages[at] = Below(random, 2) == 0 ? "" : Field(3, "metadata"); break;
    default: {
      pb::FlightData data;
      if (!data.ParseFromString(messages[at])) return;
      if (Below(random, 2) == 0)
        data.clear_data_header();
      else
        data.clear_data_body();
      messages[at] = data.SerializeAsString();
    }
  }
}

TEST_F(PutFuzzTest, TheSequencesThatCrashArrowsServerAreInvalid) {
  for (const auto& third : {std::string(), Field(3, "hi"), std::string("\xc2\x3e\x01z", 4),
                            std::string("\x7a\x01z", 3)}) {
    Messages messages = Dictionaries();
    messages.resize(3);
    messages[2] = third;
    EXPECT_EQ(Send(messages), ::grpc::StatusCode::INVALID_ARGUMENT);
  }
  EXPECT_EQ(Send(Dictionaries()), ::grpc::StatusCode::OK);
}

TEST_F(PutFuzzTest, MutatedUploadsAreAnsweredAndEnd) {
  const uint64_t seed = testkit::Seed();
  SCOPED_TRACE("replay with SHEAF_SEED=" + std::to_string(seed));
  std::printf("SHEAF_SEED=%llu\n", static_cast<unsigned long long>(seed));
  Random random(seed);
  std::vector<Messages> bases;
  for (const auto compression : {Compression::kNone, Compression::kZstd}) {
    for (const auto& [name, batches] : EveryType()) {
      bases.push_back(MessagesOf(batches.front()->schema(), batches, "x", compression));
    }
  }
  for (int i = 0; i < 40; ++i) bases.push_back(Dictionaries());
  std::map<int, int> codes;
  const int streams = testkit::Soak() ? 200'000 : 10'000;
  for (int stream = 0; stream < streams; ++stream) {
    Messages messages = bases[Below(random, bases.size())];
    if (Below(random, 3) == 0) MutateOrder(random, messages);
    for (auto& message : messages) {
      if (Below(random, messages.size() + 1) < 2) MutateBytes(random, message);
    }
    const auto code = Send(messages);
    ++codes[code];
    ASSERT_TRUE(code == ::grpc::StatusCode::OK || code == ::grpc::StatusCode::INVALID_ARGUMENT ||
                code == ::grpc::StatusCode::RESOURCE_EXHAUSTED)
        << "stream " << stream << ": code " << code;
  }
  EXPECT_TRUE(Eventually([&] { return server_->counts().calls == 0; }));
  for (const auto& [code, count] : codes) std::printf("code %d: %d\n", code, count);
  EXPECT_GT(codes[::grpc::StatusCode::OK], streams / 100);
  EXPECT_GT(codes[::grpc::StatusCode::INVALID_ARGUMENT], streams / 4);
  EXPECT_EQ(handler_.puts.alive, 0);
  EXPECT_EQ(handler_.puts.ended, codes[::grpc::StatusCode::OK]);
  EXPECT_EQ(account_->used(), 0_B);
}

}  // namespace
}  // namespace sheaf::flight
