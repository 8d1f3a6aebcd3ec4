// PLAN  of answer, stop and departure the first ends the call, once, and cancels the token only
//       when it was not the answer · nothing starts after the end · who holds a reactor keeps it
//       · the registry waits for the last one and cancels those that are left
#include "sheaf/drivers/grpc/reactor.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace sheaf::grpc {
namespace {

// Stands for gRPC: counts what it is asked, and ends the call when it is finished.
class FakeCall {
 public:
  virtual ~FakeCall() = default;
  void Finish(::grpc::Status status) {
    code_ = status.error_code();
    ++finishes_;
  }
  void StartWrite() {
    if (finishes_ > 0) ++late_;
  }
  int finishes() const { return finishes_; }
  int late() const { return late_; }
  ::grpc::StatusCode code() const { return code_; }
  // What gRPC calls; private in the reactor.
  virtual void OnCancel() = 0;
  virtual void OnDone() = 0;
  virtual bool InternalInlineable() { return false; }

 private:
  std::atomic<int> finishes_{0};
  std::atomic<int> late_{0};
  std::atomic<::grpc::StatusCode> code_{::grpc::StatusCode::OK};
};

struct Seen {
  std::atomic<int> begun{0}, halted{0}, destroyed{0}, filled{0};
};

class FakeReactor final : public Reactor<FakeCall> {
 public:
  FakeReactor(std::shared_ptr<Context> context, Registry& registry, Seen& seen)
      : Reactor(std::move(context), registry), seen_(seen) {}
  ~FakeReactor() override { ++seen_.destroyed; }
  void Begin() override { ++seen_.begun; }
  bool Answer() {
    return End(Outcome::Ok(), [this] { ++seen_.filled; });
  }
  bool Fail(const Error& error) { return EndWith(error); }
  bool Write() {
    return Operate([this] { StartWrite(); });
  }

 private:
  Outcome OutcomeOf(const Error&) override { return {{::grpc::StatusCode::INTERNAL, ""}, {}}; }
  void Halted(const Error&) override { ++seen_.halted; }
  Seen& seen_;
};

class ReactorTest : public ::testing::Test {
 protected:
  FakeReactor* Make(Registry::Shape shape = Registry::Shape::kCall) {
    auto context = std::make_shared<Context>(grpc_context_, "Test", clock_);
    return Launch<FakeReactor>(registry_, shape, context, registry_, seen_);
  }
  static void Done(FakeCall* call) { call->OnDone(); }
  static void Cancelled(FakeCall* call) { call->OnCancel(); }

  ManualClock clock_;
  ::grpc::CallbackServerContext grpc_context_;
  Registry registry_;
  Seen seen_;
};

TEST_F(ReactorTest, AnswerEndsTheCallOnceAndCancelsNothing) {
  FakeReactor* reactor = Make();
  EXPECT_EQ(seen_.begun, 1);
  const CancelToken token = reactor->context()->token();
  EXPECT_TRUE(reactor->Answer());
  EXPECT_FALSE(reactor->Answer());
  EXPECT_FALSE(reactor->Fail(sheaf::Fail(Kind::kFailed, "late")));
  reactor->Cancel(sheaf::Fail(Kind::kShuttingDown, "late"));
  Cancelled(reactor);
  EXPECT_EQ(reactor->finishes(), 1);
  EXPECT_EQ(reactor->code(), ::grpc::StatusCode::OK);
  EXPECT_EQ(seen_.filled, 1);
  EXPECT_EQ(seen_.halted, 0);
  EXPECT_FALSE(token.cancelled());
  Done(reactor);
  EXPECT_EQ(seen_.destroyed, 1);
}

TEST_F(ReactorTest, DepartureCancelsTheTokenAndEndsTheCall) {
  FakeReactor* reactor = Make();
  const CancelToken token = reactor->context()->token();
  Cancelled(reactor);
  EXPECT_EQ(token.Check().error().kind, Kind::kCancelled);
  EXPECT_EQ(seen_.halted, 1);
  EXPECT_FALSE(reactor->Answer());
  EXPECT_EQ(reactor->finishes(), 1);
  EXPECT_EQ(reactor->code(), ::grpc::StatusCode::CANCELLED);
  Done(reactor);
}

TEST_F(ReactorTest, NothingStartsAfterTheEnd) {
  FakeReactor* reactor = Make();
  EXPECT_TRUE(reactor->Write());
  reactor->Answer();
  EXPECT_FALSE(reactor->Write());
  EXPECT_EQ(reactor->late(), 0);
  Done(reactor);
}

TEST_F(ReactorTest, ReactionsStayOnGrpcsThreadOnlyAfterTheEnd) {
  FakeReactor* reactor = Make();
  FakeCall* const call = reactor;
  EXPECT_FALSE(call->InternalInlineable());
  reactor->Answer();
  EXPECT_TRUE(call->InternalInlineable());
  Done(reactor);
}

TEST_F(ReactorTest, WhoHoldsAReactorKeepsIt) {
  FakeReactor* reactor = Make();
  auto held = reactor->shared_from_this();
  reactor->Answer();
  Done(reactor);
  EXPECT_EQ(seen_.destroyed, 0);
  EXPECT_EQ(registry_.counts().calls, 1);
  held.reset();
  EXPECT_EQ(seen_.destroyed, 1);
  EXPECT_EQ(registry_.counts().calls, 0);
}

TEST_F(ReactorTest, RegistryCancelsThoseThatAreLeft) {
  FakeReactor* first = Make();
  FakeReactor* second = Make(Registry::Shape::kStream);
  const CancelToken token = second->context()->token();
  EXPECT_EQ(registry_.counts().calls, 2);
  EXPECT_EQ(registry_.counts().streams, 1);
  first->Answer();
  registry_.CancelAll(Fail(Kind::kShuttingDown, "stop"));
  EXPECT_EQ(token.Check().error().kind, Kind::kShuttingDown);
  EXPECT_EQ(first->code(), ::grpc::StatusCode::OK);
  EXPECT_EQ(second->code(), ::grpc::StatusCode::INTERNAL);
  EXPECT_FALSE(registry_.WaitEmpty(std::chrono::milliseconds(1)));
  Done(first);
  Done(second);
  EXPECT_TRUE(registry_.WaitEmpty(Duration::max()));
}

TEST_F(ReactorTest, EndsRaceAndOneWins) {
  for (int round = 0; round < 500; ++round) {
    FakeReactor* reactor = Make();
    const std::weak_ptr<Life> weak = reactor->weak_from_this();
    std::atomic<int> go{0};
    auto race = [&](auto act) {
      return std::thread([&go, weak, act] {
        ++go;
        while (go < 4) std::this_thread::yield();
        if (auto life = weak.lock()) act(static_cast<FakeReactor&>(*life));
      });
    };
    std::vector<std::thread> threads;
    threads.push_back(race([](FakeReactor& r) { r.Answer(); }));
    threads.push_back(race([](FakeReactor& r) { r.Cancel(sheaf::Fail(Kind::kFailed, "")); }));
    threads.push_back(race([](FakeReactor& r) { r.Write(); }));
    // gRPC's own thread: a departure, and as soon as the call is finished its end.
    threads.emplace_back([&go, reactor] {
      ++go;
      while (go < 4) std::this_thread::yield();
      Cancelled(reactor);
      Done(reactor);
    });
    for (auto& thread : threads) thread.join();
    ASSERT_EQ(seen_.destroyed, round + 1);
  }
  EXPECT_EQ(registry_.counts().calls, 0);
}

}  // namespace
}  // namespace sheaf::grpc
