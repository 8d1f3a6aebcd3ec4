// PLAN  modules start after their needs and stop before them · a circle and an absent need are
//       named · a module that fails, throws or hangs in any step is not ready alone · what needs
//       it is not started · services are found, offered, withdrawn; an unknown one is helped
//       · checks are cached, a hung check reads as failing, a recovered one as ready
//       · the host lends settings, accounts and private paths
#include "sheaf/host/modules/modules.h"

#include <atomic>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "sheaf/adapters/cluster/cluster.h"
#include "sheaf/host/modules/order.h"

namespace sheaf::modules {
namespace {

using namespace std::chrono_literals;
using State = ModuleState::State;

class NamedService final : public module::Service {
 public:
  explicit NamedService(std::string name) : name_(std::move(name)) {}
  std::string_view name() const override { return name_; }
  Result<module::Plan> MakePlan(const module::PlanRequest&) override { return module::Plan{}; }
  Status Run(const module::Plan&, const std::map<std::string, module::RunInput>&,
             module::ResultWriter&, const module::RunContext&) override {
    return Done();
  }

 private:
  std::string name_;
};

// Does in each step what the test says.
struct Script {
  std::function<Status(module::Host&)> start = [](module::Host&) { return Done(); };
  std::function<module::Health()> check = [] {
    return module::Health{module::Health::State::kReady, ""};
  };
  std::function<void()> stop = [] {};
  std::function<void()> services = [] {};
};

class ScriptedModule final : public module::Module {
 public:
  ScriptedModule(std::string name, std::vector<std::string> needs, Script script,
                 std::vector<std::string>& journal)
      : name_(std::move(name)),
        needs_(std::move(needs)),
        script_(std::move(script)),
        journal_(journal),
        service_(name_ + "_service") {}
  std::string_view name() const override { return name_; }
  std::vector<std::string> needs() const override { return needs_; }
  Status Start(module::Host& host) override {
    journal_.push_back("start " + name_);
    return script_.start(host);
  }
  std::vector<module::Service*> services() override {
    script_.services();
    return {&service_};
  }
  module::Health Check() override { return script_.check(); }
  void Stop() override {
    journal_.push_back("stop " + name_);
    script_.stop();
  }

 private:
  std::string name_;
  std::vector<std::string> needs_;
  Script script_;
  std::vector<std::string>& journal_;
  NamedService service_;
};

class NoFlights final : public flights::Flights {
 public:
  Result<flights::Stream> Get(const flights::GetRequest&, const flights::Context&) override {
    return Fail(Kind::kUnsupported, "no flights here");
  }
  Result<Schema> GetSchema(const flights::What&, const flights::Context&) override {
    return Fail(Kind::kUnsupported, "no flights here");
  }
  Result<flights::PutReceipt> Put(const Sink&, arrow::RecordBatchReader&,
                                  const flights::Context&) override {
    return Fail(Kind::kUnsupported, "no flights here");
  }
  Result<std::vector<Json>> Do(std::string_view, const Json&, const flights::Context&) override {
    return Fail(Kind::kUnsupported, "no flights here");
  }
  Result<std::vector<flights::Listed>> List(const Path&, const Path&, size_t,
                                            const flights::Context&) override {
    return Fail(Kind::kUnsupported, "no flights here");
  }
};

class NoSecrets final : public secrets::Secrets {
 public:
  Result<std::string> Get(std::string_view) override {
    return Fail(Kind::kNotFound, "no secrets here");
  }
};

class ModulesTest : public testing::Test {
 protected:
  ModulesTest() { modules_ = Make(); }
  ~ModulesTest() override { modules_.reset(); }

  std::unique_ptr<Modules> Make() {
    return std::make_unique<Modules>(clock_, timers_, log_, metrics_, cluster_->services(),
                                     options_);
  }
  void Add(std::string name, std::vector<std::string> needs = {}, Script script = {}) {
    ASSERT_TRUE(modules_->Add(std::make_unique<ScriptedModule>(std::move(name), std::move(needs),
                                                               std::move(script), journal_)).ok());
  }
  HostParts Parts() {
    return {.flights = flights_, .secrets = secrets_, .log = log_, .metrics = metrics_,
            .clock = clock_, .timers = timers_, .executor = executor_,
            .account = Account::Root("test", {}), .setting = setting_, .state_dir = state_dir_};
  }
  Status Start() { return modules_->Start(Parts()); }
  ModuleState StateOf(std::string_view name) {
    for (auto& state : modules_->States()) {
      if (state.name == name) return state;
    }
    return {};
  }
  // Moves the clock by `step` once `when` happened, beside what the test thread waits for.
  std::thread AdvanceAfter(const Event& when, Duration step) {
    return std::thread([this, &when, step] {
      when.Wait();
      clock_.Advance(step);
    });
  }
  // Until a check's answer has arrived; checks run on threads of their own.
  void AwaitState(std::string_view name, State state) {
    for (int i = 0; i < 10'000'000 && StateOf(name).state != state; ++i) std::this_thread::yield();
    ASSERT_EQ(StateName(StateOf(name).state), StateName(state)) << StateOf(name).reason;
  }

  ManualClock clock_;
  Timers timers_{clock_};
  observe::NullLog log_;
  observe::MemoryMetrics metrics_;
  Executor executor_{{.name = "test"}};
  std::unique_ptr<cluster::Cluster> cluster_ = cluster::MakeMemoryCluster({"node0"}, clock_);
  NoFlights flights_;
  NoSecrets secrets_;
  ModulesOptions options_;
  std::function<std::optional<Json>(std::string_view)> setting_;
  std::string state_dir_;
  std::vector<std::string> journal_;
  std::unique_ptr<Modules> modules_;
};

using Names = std::vector<std::string>;

Status FailToStart(module::Host&) { return Fail(Kind::kFailed, "no disk"); }

TEST(StartOrderTest, KeepsTheOrderAddedAndPutsNeedsFirst) {
  EXPECT_EQ(*StartOrder({{"c", {"a"}}, {"b", {}}, {"a", {"b"}}}), (std::vector<size_t>{1, 2, 0}));
  EXPECT_EQ(*StartOrder({{"x", {}}, {"y", {}}}), (std::vector<size_t>{0, 1}));
  EXPECT_TRUE(StartOrder({})->empty());
}

TEST(StartOrderTest, NamesTheCircle) {
  const auto order = StartOrder({{"z", {"a"}}, {"a", {"b"}}, {"b", {"c"}}, {"c", {"a"}}});
  EXPECT_EQ(order.error().kind, Kind::kInvalid);
  EXPECT_NE(order.error().message.find("a -> b -> c -> a"), std::string::npos)
      << order.error().message;
  EXPECT_NE(StartOrder({{"a", {"a"}}}).error().message.find("a -> a"), std::string::npos);
}

TEST(StartOrderTest, NamesTheAbsentNeedAndTheNearest) {
  const auto order = StartOrder({{"sql", {"flies"}}, {"files", {}}});
  EXPECT_NE(order.error().message.find("'sql'"), std::string::npos);
  EXPECT_NE(order.error().message.find("'flies'"), std::string::npos);
  EXPECT_NE(order.error().message.find("did you mean 'files'"), std::string::npos);
}

TEST_F(ModulesTest, StartsAfterNeedsAndStopsBeforeThem) {
  Add("sql", {"files"});
  Add("files");
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ(StateOf("sql").state, State::kReady);
  modules_->Stop();
  EXPECT_EQ(journal_, (Names{"start files", "start sql", "stop sql", "stop files"}));
  EXPECT_EQ(StateOf("sql").state, State::kStopped);
  EXPECT_FALSE(modules_->left_behind());
}

TEST_F(ModulesTest, ACircleIsAnErrorAndNothingStarts) {
  Add("a", {"b"});
  Add("b", {"a"});
  EXPECT_EQ(Start().error().kind, Kind::kInvalid);
  EXPECT_TRUE(journal_.empty());
}

TEST_F(ModulesTest, NamesAreCheckedAndTakenOnce) {
  Add("a");
  const auto add = [&](const char* name) {
    return modules_->Add(std::make_unique<ScriptedModule>(name, Names{}, Script{}, journal_));
  };
  for (const auto* bad : {"a", "", "A", "a/b", "../a"}) {
    EXPECT_EQ(add(bad).error().kind, Kind::kInvalid) << bad;
  }
}

TEST_F(ModulesTest, ServicesAreFoundOfferedAndWithdrawn) {
  Add("files");
  EXPECT_EQ(modules_->Find("files_service").error().kind, Kind::kNotReady);
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ((*modules_->Find("files_service"))->name(), "files_service");
  EXPECT_EQ(modules_->ServiceNames(), Names{"files_service"});
  EXPECT_EQ(cluster_->services().All(), Names{"files_service"});
  modules_->Stop();
  EXPECT_EQ(modules_->Find("files_service").error().kind, Kind::kShuttingDown);
  EXPECT_TRUE(cluster_->services().All().empty());
}

TEST_F(ModulesTest, AnUnknownServiceIsHelpedWithNamesAndWithWhatIsNotReady) {
  Add("files");
  Add("broken", {}, {.start = FailToStart});
  ASSERT_TRUE(Start().ok());
  const Error error = modules_->Find("flies_service").error();
  EXPECT_EQ(error.kind, Kind::kUnknownService);
  EXPECT_NE(error.message.find("did you mean 'files_service'"), std::string::npos);
  EXPECT_NE(error.message.find("not ready: broken"), std::string::npos) << error.message;
}

TEST_F(ModulesTest, AModuleThatFailsToStartIsNotReadyAlone) {
  Add("broken", {}, {.start = FailToStart});
  Add("good");
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ(StateOf("broken").state, State::kNotReady);
  EXPECT_EQ(StateOf("broken").reason, "Start no disk");
  EXPECT_EQ(StateOf("good").state, State::kReady);
  EXPECT_EQ(metrics_.Value("sheaf_module_failures_total{module=\"broken\"}"), 1);
  modules_->Stop();
  EXPECT_EQ(journal_, (Names{"start broken", "start good", "stop good"}));
}

TEST_F(ModulesTest, WhatNeedsABrokenModuleIsNotStarted) {
  Add("sql", {"files"});
  Add("files", {}, {.start = FailToStart});
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ(StateOf("sql").state, State::kNotReady);
  EXPECT_NE(StateOf("sql").reason.find("'files'"), std::string::npos);
  EXPECT_NE(StateOf("sql").reason.find("no disk"), std::string::npos);
  EXPECT_EQ(journal_, Names{"start files"});
}

TEST_F(ModulesTest, AModuleThatThrowsInAnyStepIsNotReadyAlone) {
  const auto boom = [] { throw std::runtime_error("boom"); };
  Add("start", {}, {.start = [](module::Host&) -> Status { throw std::runtime_error("boom"); }});
  Add("services", {}, {.services = boom});
  Add("check", {}, {.check = []() -> module::Health { throw 42; }});
  Add("stop", {}, {.stop = boom});
  Add("good");
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ(StateOf("start").reason, "Start threw: boom");
  EXPECT_EQ(StateOf("services").reason, "Start threw: boom");
  AwaitState("check", State::kNotReady);
  EXPECT_EQ(StateOf("check").reason, "Check threw something that is no exception");
  EXPECT_EQ(StateOf("good").state, State::kReady);
  modules_->Stop();
  EXPECT_EQ(StateOf("stop").reason, "Stop threw: boom");
  EXPECT_EQ(StateOf("good").reason, "stopped");
}

TEST_F(ModulesTest, AModuleThatHangsInStartIsLeftOutAtItsLimit) {
  Event inside;
  auto go = std::make_shared<Event>();  // Shared with a thread that may be left behind.
  Add("hung", {}, {.start = [&inside, go](module::Host&) -> Status {
        inside.Set();
        go->Wait();
        return Done();
      }});
  Add("good");
  std::thread mover = AdvanceAfter(inside, options_.start_limit);
  ASSERT_TRUE(Start().ok());
  mover.join();
  EXPECT_EQ(StateOf("hung").state, State::kNotReady);
  EXPECT_EQ(StateOf("hung").reason, "Start has not returned after 30000 ms");
  EXPECT_EQ(StateOf("good").state, State::kReady);
  EXPECT_FALSE(modules_->Find("hung_service").ok());
  modules_->Stop();
  EXPECT_TRUE(modules_->left_behind());
  EXPECT_EQ(journal_, (Names{"start hung", "start good", "stop good"}));
  go->Set();
}

TEST_F(ModulesTest, AStartThatReturnsTooLateIsStoppedButNeverOffered) {
  Event inside;
  auto go = std::make_shared<Event>();  // Shared with a thread that may be left behind.
  Add("late", {}, {.start = [&inside, go](module::Host&) -> Status {
        inside.Set();
        go->Wait();
        return Done();
      }});
  std::thread mover = AdvanceAfter(inside, options_.start_limit);
  ASSERT_TRUE(Start().ok());
  mover.join();
  EXPECT_TRUE(modules_->ServiceNames().empty());
  EXPECT_EQ(StateOf("late").state, State::kNotReady);
  go->Set();
  // Its Start is ending on its own thread: Stop comes after it, or finds it not yet ended.
  modules_->Stop();
  modules_.reset();
}

TEST_F(ModulesTest, AHungCheckReadsAsFailingAndRecovers) {
  Event inside;
  auto go = std::make_shared<Event>();  // Shared with a thread that may be left behind.
  std::atomic<bool> hang{true};
  Add("slow", {}, {.check = [&, go] {
        if (hang) {
          inside.Set();
          go->Wait();
        }
        return module::Health{module::Health::State::kReady, ""};
      }});
  ASSERT_TRUE(Start().ok());
  inside.Wait();
  EXPECT_EQ(StateOf("slow").state, State::kReady);  // Its Start said so a moment ago.
  clock_.Advance(options_.check_limit);
  EXPECT_EQ(StateOf("slow").state, State::kNotReady);
  EXPECT_EQ(StateOf("slow").reason, "Check has not answered for 5000 ms");
  EXPECT_TRUE(modules_->Find("slow_service").ok());
  hang = false;
  go->Set();
  AwaitState("slow", State::kReady);
}

TEST_F(ModulesTest, ChecksComeAgainAndTheirAnswersHaveAnAge) {
  std::atomic<int> asked{0};
  Add("m", {}, {.check = [&] {
        const bool first = ++asked == 1;
        return first ? module::Health{module::Health::State::kNotReady, "warming up"}
                     : module::Health{module::Health::State::kReady, ""};
      }});
  ASSERT_TRUE(Start().ok());
  AwaitState("m", State::kNotReady);
  EXPECT_EQ(StateOf("m").reason, "warming up");
  clock_.Advance(1s);
  EXPECT_EQ(StateOf("m").age, 1s);
  clock_.Advance(1s);
  AwaitState("m", State::kReady);
  EXPECT_EQ(asked, 2);
  EXPECT_EQ(StateOf("m").age, 0s);
}

TEST_F(ModulesTest, AHungCheckDoesNotKeepTheModuleFromStopping) {
  Event inside;
  auto go = std::make_shared<Event>();  // Shared with a thread that may be left behind.
  Add("m", {}, {.check = [&inside, go] {
        inside.Set();
        go->Wait();
        return module::Health{};
      }});
  ASSERT_TRUE(Start().ok());
  inside.Wait();
  std::atomic<bool> stopped{false};
  std::thread mover([&] {
    // Which moment Stop's own wait begins cannot be seen from here: time goes on until it is over.
    while (!stopped) {
      clock_.Advance(options_.stop_limit);
      std::this_thread::yield();
    }
  });
  modules_->Stop();
  stopped = true;
  mover.join();
  EXPECT_EQ(journal_, (Names{"start m", "stop m"}));
  EXPECT_TRUE(modules_->left_behind());
  go->Set();
}

TEST_F(ModulesTest, AModuleThatHangsInStopIsLeftBehindAndTheOthersStop) {
  Event inside;
  auto go = std::make_shared<Event>();  // Shared with a thread that may be left behind.
  Add("first");
  Add("hung", {"first"}, {.stop = [&inside, go] {
        inside.Set();
        go->Wait();
      }});
  ASSERT_TRUE(Start().ok());
  std::thread mover = AdvanceAfter(inside, options_.stop_limit);
  modules_->Stop();
  mover.join();
  EXPECT_EQ(StateOf("hung").reason, "Stop has not returned after 5000 ms");
  EXPECT_EQ(journal_, (Names{"start first", "start hung", "stop hung", "stop first"}));
  EXPECT_TRUE(modules_->left_behind());
  go->Set();
}

TEST_F(ModulesTest, TwoModulesCannotOfferOneService) {
  class Same final : public module::Module {
   public:
    explicit Same(std::string name) : name_(std::move(name)) {}
    std::string_view name() const override { return name_; }
    Status Start(module::Host&) override { return Done(); }
    std::vector<module::Service*> services() override { return {&service_}; }
    module::Health Check() override { return {module::Health::State::kReady, ""}; }
    void Stop() override {}

   private:
    std::string name_;
    NamedService service_{"same"};
  };
  ASSERT_TRUE(modules_->Add(std::make_unique<Same>("a")).ok());
  ASSERT_TRUE(modules_->Add(std::make_unique<Same>("b")).ok());
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ(StateOf("a").state, State::kReady);
  EXPECT_NE(StateOf("b").reason.find("module 'a'"), std::string::npos);
  EXPECT_TRUE(modules_->Find("same").ok());
}

TEST_F(ModulesTest, HealthIsToldAsJson) {
  Add("good");
  Add("broken", {}, {.start = FailToStart});
  ASSERT_TRUE(Start().ok());
  const Json health = modules_->HealthJson();
  ASSERT_EQ(health.size(), 2u);
  EXPECT_EQ(health[0]["name"], "good");
  EXPECT_EQ(health[0]["state"], "ready");
  EXPECT_EQ(health[0]["services"], Json::array({"good_service"}));
  EXPECT_EQ(health[1]["state"], "not_ready");
  EXPECT_EQ(health[1]["reason"], "Start no disk");
}

TEST_F(ModulesTest, TheHostLendsSettingsAccountsAndPrivatePaths) {
  state_dir_ = testing::TempDir() + "sheaf_modules_" + core::RandomHex(8);
  std::filesystem::create_directories(state_dir_ + "/modules/m");
  std::ofstream(state_dir_ + "/modules/m/left") << "over";
  setting_ = [](std::string_view key) -> std::optional<Json> {
    if (key == "m.memory") return Json("1GiB");
    return std::nullopt;
  };
  Add("m", {}, {.start = [](module::Host& host) -> Status {
        EXPECT_EQ(host.Setting("memory"), Json("1GiB"));
        EXPECT_FALSE(host.Setting("threads").has_value());
        EXPECT_EQ(host.account()->name(), "module.m");
        SHEAF_ASSIGN(const std::string path, host.OwnPath());
        EXPECT_TRUE(std::filesystem::is_directory(path));
        EXPECT_TRUE(std::filesystem::is_empty(path));
        EXPECT_EQ(*host.OwnPath(), path);
        return Done();
      }});
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ(StateOf("m").state, State::kReady) << StateOf("m").reason;
  modules_.reset();
  std::filesystem::remove_all(state_dir_);
}

TEST_F(ModulesTest, WithoutAStateDirectoryThereIsNoPath) {
  Add("m", {}, {.start = [](module::Host& host) -> Status {
        EXPECT_EQ(host.OwnPath().error().kind, Kind::kForbidden);
        EXPECT_FALSE(host.Setting("memory").has_value());
        return Done();
      }});
  ASSERT_TRUE(Start().ok());
}

}  // namespace
}  // namespace sheaf::modules
