// PLAN  reactors over a transport that is no gRPC, so that ThreadSanitizer sees all of it: writes,
//       reads, wakes, answers and departures race on many threads; every call is finished once,
//       starts nothing afterwards, and every stream is destroyed and hears its end
#include <gtest/gtest.h>

#include <random>

#include "sheaf/drivers/flight/echo_handler_test.h"
#include "sheaf/drivers/flight/get_reactor.h"
#include "sheaf/drivers/flight/put_reactor.h"
#include "sheaf/drivers/flight/raw_client_test.h"
#include "testkit/seed.h"

namespace sheaf::flight {
namespace {

using ::grpc::ByteBuffer;
using Random = std::mt19937_64;

// What gRPC does for one call, on an executor's threads.
class FakeTransport {
 public:
  FakeTransport(Executor& threads, std::vector<std::string> messages)
      : threads_(threads), messages_(std::move(messages)) {}
  virtual ~FakeTransport() = default;

  // The caller goes away: what is outstanding fails, and the reactor is told.
  void Depart() {
    {
      MutexLock lock(mutex_);
      if (departed_ || done_) return;
      departed_ = true;
      ++outstanding_;
    }
    Post([this] { Reactor()->OnCancel(); });
  }
  Event over;

 protected:
  virtual ::grpc::internal::ServerReactor* Reactor() = 0;

  void Begin(std::function<void(bool)> then, bool ok) {
    {
      MutexLock lock(mutex_);
      SHEAF_CHECK(!finished_);  // Nothing may start after the end.
      ++outstanding_;
      ok = ok && !departed_;
    }
    Post([then = std::move(then), ok] { then(ok); });
  }
  void End() {
    {
      MutexLock lock(mutex_);
      SHEAF_CHECK(!std::exchange(finished_, true));  // Exactly once.
    }
    Settle(0);
  }
  // Like gRPC's reference for the start: nothing is over while the reactor is being bound.
  void Bound() { Settle(1); }
  bool NextMessage(ByteBuffer* message) {
    MutexLock lock(mutex_);
    if (next_ == messages_.size()) return false;
    *message = BufferOf(messages_[next_++]);
    return true;
  }

 private:
  void Post(std::function<void()> work) {
    const bool posted = threads_.TryPost([this, work = std::move(work)] {
      work();
      Settle(1);
    });
    SHEAF_CHECK(posted);
  }
  // So many operations are over; with the last one, after the end, the call is.
  void Settle(int operations) {
    {
      MutexLock lock(mutex_);
      outstanding_ -= operations;
      if (outstanding_ > 0 || !finished_ || std::exchange(done_, true)) return;
    }
    SHEAF_CHECK(threads_.TryPost([this] {
      Reactor()->OnDone();
      over.Set();
    }));
  }

  Executor& threads_;
  Mutex mutex_;
  const std::vector<std::string> messages_;
  size_t next_ SHEAF_GUARDED_BY(mutex_) = 0;
  int outstanding_ SHEAF_GUARDED_BY(mutex_) = 1;
  bool departed_ SHEAF_GUARDED_BY(mutex_) = false;
  bool finished_ SHEAF_GUARDED_BY(mutex_) = false;
  bool done_ SHEAF_GUARDED_BY(mutex_) = false;
};

class FakeGet final : public FakeTransport, public ::grpc::ServerCallbackWriter<ByteBuffer> {
 public:
  using FakeTransport::FakeTransport;
  void Bind(::grpc::ServerWriteReactor<ByteBuffer>* to) {
    to_ = to;
    BindReactor(to);
    Bound();
  }
  int writes() const { return writes_; }

 private:
  ::grpc::internal::ServerReactor* Reactor() override { return to_; }
  void Finish(::grpc::Status) override { End(); }
  void SendInitialMetadata() override {}
  void Write(const ByteBuffer*, ::grpc::WriteOptions) override {
    ++writes_;
    Begin([this](bool ok) { to_->OnWriteDone(ok); }, true);
  }
  void WriteAndFinish(const ByteBuffer*, ::grpc::WriteOptions, ::grpc::Status) override { End(); }
  ::grpc::internal::ServerReactor* reactor() override { return to_; }
  void CallOnDone() override {}

  ::grpc::ServerWriteReactor<ByteBuffer>* to_ = nullptr;
  std::atomic<int> writes_{0};
};

class FakePut final : public FakeTransport,
                      public ::grpc::ServerCallbackReaderWriter<ByteBuffer, ByteBuffer> {
 public:
  using FakeTransport::FakeTransport;
  void Bind(::grpc::ServerBidiReactor<ByteBuffer, ByteBuffer>* to) {
    to_ = to;
    BindReactor(to);
    Bound();
  }

 private:
  ::grpc::internal::ServerReactor* Reactor() override { return to_; }
  void Finish(::grpc::Status) override { End(); }
  void SendInitialMetadata() override {
    Begin([this](bool ok) { to_->OnSendInitialMetadataDone(ok); }, true);
  }
  void Read(ByteBuffer* message) override {
    const bool more = NextMessage(message);
    Begin([this](bool ok) { to_->OnReadDone(ok); }, more);
  }
  void Write(const ByteBuffer*, ::grpc::WriteOptions) override {
    Begin([this](bool ok) { to_->OnWriteDone(ok); }, true);
  }
  void WriteAndFinish(const ByteBuffer*, ::grpc::WriteOptions, ::grpc::Status) override { End(); }
  ::grpc::internal::ServerReactor* reactor() override { return to_; }
  void CallOnDone() override {}

  ::grpc::ServerBidiReactor<ByteBuffer, ByteBuffer>* to_ = nullptr;
};

class RaceTest : public ::testing::Test {
 protected:
  RaceTest() {
    ServerOptions options;
    options.translate = TranslateForTests;
    options.account = account_;
    core_ = std::make_unique<Core>(options, handler_, timers_);
  }
  std::shared_ptr<grpc::Context> MakeContext() {
    return std::make_shared<grpc::Context>(grpc_context_, "Race", clock_);
  }
  // Lets the call run, and its caller or its server break it off at some moment.
  void BreakOff(FakeTransport& transport, Random& random) {
    Pause(std::chrono::microseconds(random() % 300));
    const uint64_t how = random() % 4;
    if (how == 0) core_->registry.CancelAll(Fail(Kind::kShuttingDown, "stop"));
    if (how != 1) transport.Depart();
    ASSERT_TRUE(transport.over.WaitFor(std::chrono::seconds(20)));
    ASSERT_TRUE(core_->registry.WaitEmpty(std::chrono::seconds(20)));
  }

  const uint64_t seed_ = testkit::Seed();
  time::SystemClock clock_;
  Timers timers_{clock_};
  EchoHandler handler_{timers_};
  std::shared_ptr<Account> account_ = Account::Root("received", 64_MiB);
  ::grpc::CallbackServerContext grpc_context_;
  std::unique_ptr<Core> core_;
  Executor threads_{{.name = "fake-grpc", .threads_max = 4}};
};

TEST_F(RaceTest, Gets) {
  SCOPED_TRACE("replay with SHEAF_SEED=" + std::to_string(seed_));
  Random random(seed_);
  const auto small = NumbersBatch(4, 1);
  StoredFlight flight{small->schema(), {small, small, small, small, small, small}, {}};
  handler_.Store("f", flight);
  const std::vector<std::string> tickets = {"f",      "f?early",       "f?pending",
                                            "f?fail", "f?pending,lz4", "f?hang",
                                            "wait",   "none",          "fail:conflict"};
  for (int round = 0; round < (testkit::Soak() ? 20'000 : 400); ++round) {
    const std::string ticket = tickets[random() % tickets.size()];
    FakeGet transport(threads_, {});
    auto* reactor = grpc::Launch<GetReactor>(core_->registry, grpc::Registry::Shape::kStream,
                                             *core_, MakeContext(), BufferOf(Field(1, ticket)));
    transport.Bind(reactor);
    const bool endless = ticket == "wait" || ticket == "f?hang";
    if (endless) transport.Depart();
    BreakOff(transport, random);
    ASSERT_EQ(handler_.gets.alive, 0) << ticket;
  }
}

TEST_F(RaceTest, Puts) {
  SCOPED_TRACE("replay with SHEAF_SEED=" + std::to_string(seed_));
  Random random(seed_);
  const auto small = NumbersBatch(4, 1);
  const std::vector<std::string> paths = {"x", "late", "refuse", "stall", "fail:conflict"};
  for (int round = 0; round < (testkit::Soak() ? 20'000 : 400); ++round) {
    const std::string path = paths[random() % paths.size()];
    auto messages = MessagesOf(small->schema(), {small, small, small, small}, path);
    if (random() % 8 == 0) messages[1 + random() % 4].resize(3);
    FakePut transport(threads_, messages);
    auto* reactor = grpc::Launch<PutReactor>(core_->registry, grpc::Registry::Shape::kStream,
                                             *core_, MakeContext());
    transport.Bind(reactor);
    if (path == "stall") transport.Depart();
    BreakOff(transport, random);
    ASSERT_TRUE(Eventually([&] { return handler_.puts.alive == 0; })) << path;
    ASSERT_EQ(handler_.puts.ended + handler_.puts.aborted, handler_.puts.opened);
    ASSERT_EQ(account_->used(), 0_B);
  }
}

}  // namespace
}  // namespace sheaf::flight
