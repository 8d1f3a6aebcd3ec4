// A service that tests drive by hand, and an engine around it.
#pragma once

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sheaf/adapters/query_state/query_state.h"
#include "sheaf/adapters/store/local_store.h"
#include "sheaf/host/tasks/tasks.h"
#include "testkit/batches.h"

namespace sheaf::tasks {

// Spec: {"source": "name"} names a source with a token; {"bad": …} is refused; anything else only
// makes commands differ. Emits rows 0 to 9, waits until OpenGate("all"), emits rows 10 to 19. With
// inputs it passes their rows on instead.
class FakeService final : public module::Service {
 public:
  std::string_view name() const override { return "fake"; }

  Result<module::Plan> MakePlan(const module::PlanRequest& request) override {
    if (request.spec.contains("bad")) return Fail(Kind::kInvalid, "spec.bad: no");
    module::Plan plan;
    plan.schema = testkit::NumbersSchema();
    if (request.spec.contains("source")) {
      const std::string source = request.spec["source"];
      MutexLock lock(mutex_);
      plan.sources.push_back({source, tokens_[source]});
    }
    return plan;
  }

  Status Run(const module::Plan&, const std::map<std::string, module::RunInput>& inputs,
             module::ResultWriter& writer, const module::RunContext& context) override {
    ++runs;
    ++running;
    const Status status = Emit(inputs, writer, context);
    --running;
    return status;
  }

  // Lets every run that waits at this gate go on, now and later.
  void OpenGate(const std::string& name) {
    MutexLock lock(mutex_);
    open_[name] = true;
    wake_.NotifyAll();
  }
  void SetToken(const std::string& source, std::string token) {
    MutexLock lock(mutex_);
    tokens_[source] = std::move(token);
  }

  std::atomic<int> runs{0};
  std::atomic<int> running{0};

 private:
  Status Emit(const std::map<std::string, module::RunInput>& inputs, module::ResultWriter& writer,
              const module::RunContext& context) {
    SHEAF_TRY(writer.Begin(testkit::NumbersSchema(), 1));
    if (inputs.empty()) {
      SHEAF_TRY(writer.Write(0, testkit::Numbers(0, 10)));
      SHEAF_TRY(Pass(context));
      return writer.Write(0, testkit::Numbers(10, 10));
    }
    for (const auto& [name, input] : inputs) {
      SHEAF_ASSIGN(auto reader, input.open());
      while (true) {
        Batch batch;
        if (auto read = reader->ReadNext(&batch); !read.ok()) return columnar::FromArrow(read);
        if (batch == nullptr) break;
        SHEAF_TRY(writer.Write(0, std::move(batch)));
      }
    }
    return Done();
  }
  Status Pass(const module::RunContext& context) {
    auto registration = context.cancel.OnCancel([this] {
      MutexLock lock(mutex_);
      wake_.NotifyAll();
    });
    MutexLock lock(mutex_);
    while (!open_["all"] && !context.cancel.cancelled()) wake_.Wait(mutex_);
    if (fail_next_) return Fail(Kind::kFailed, "half-way");
    return context.cancel.Check();
  }

 public:
  void FailNext() {
    MutexLock lock(mutex_);
    fail_next_ = true;
  }

 private:
  Mutex mutex_;
  CondVar wake_;
  std::map<std::string, bool> open_ SHEAF_GUARDED_BY(mutex_);
  std::map<std::string, std::string> tokens_ SHEAF_GUARDED_BY(mutex_);
  bool fail_next_ SHEAF_GUARDED_BY(mutex_) = false;
};

// An engine over a store in memory, on a manual clock.
struct EngineHouse {
  explicit EngineHouse(size_t running_max = 4, Watcher* watcher = nullptr,
                       const OwnFlights* own = nullptr)
      : admission(Slots(running_max), clock, metrics, account),
        given_watcher(watcher),
        given_own(own) {}

  static admission::AdmissionOptions Slots(size_t running_max) {
    return {.running_max = running_max, .queue_max = 8};
  }

  Result<Submission> Submit(const std::string& command, Hold hold = Hold::kClaim,
                            const std::string& principal = "anonymous") {
    auto parsed = Command::Parse(command);
    if (!parsed.ok()) return parsed.error();
    flights::Context context;
    context.principal = principal;
    return engine.Submit(*parsed, context, hold);
  }
  // Waits until the submission can be read, and answers as GetFlightInfo does.
  Status Ready(const Submission& submission) {
    auto outcome = std::make_shared<Status>();
    auto event = std::make_shared<Event>();
    engine.Wait(submission, [outcome, event](Status status) {
      *outcome = std::move(status);
      event->Set();
    });
    // The store holds a small batch for 20 ms of the manual clock.
    for (int i = 0; i < 1000 && !event->WaitFor(std::chrono::milliseconds(10)); ++i)
      clock.Advance(std::chrono::milliseconds(25));
    EXPECT_TRUE(event->IsSet());
    if (outcome->ok()) engine.Answer(submission);
    return *outcome;
  }
  Result<std::vector<int64_t>> ReadAll(const Submission& submission) {
    SHEAF_ASSIGN(auto stream, engine.Open(submission, std::nullopt));
    std::vector<Batch> batches;
    while (true) {
      SHEAF_ASSIGN(Batch batch, stream.reader->Wait({}));
      if (batch == nullptr) return testkit::NumbersOf(batches);
      batches.push_back(std::move(batch));
    }
  }
  void Ended(const Submission& submission) {
    EXPECT_TRUE(submission.run->ended.WaitFor(std::chrono::seconds(20)));
  }

  ManualClock clock;
  observe::NullLog log;
  observe::MemoryMetrics metrics;
  std::shared_ptr<Account> account = Account::Root("test", {});
  Timers timers{clock};
  std::unique_ptr<query_state::QueryState> states = query_state::MakeMemoryQueryState(clock, {});
  std::unique_ptr<store::Store> store =
      store::OpenLocal({.clock = clock, .log = log, .metrics = metrics, .timers = &timers}).value();
  admission::Admission admission;
  FakeService service;
  Watcher* const given_watcher;
  const OwnFlights* const given_own;
  Engine engine{{},
                {.store = *store,
                 .states = *states,
                 .admission = admission,
                 .timers = timers,
                 .log = log,
                 .metrics = metrics,
                 .account = account,
                 .service = [this](std::string_view name) -> module::Service* {
                   return name == "fake" ? &service : nullptr;
                 },
                 .unknown_service =
                     [](std::string_view name) {
                       return Fail(Kind::kUnknownService, "no service '" + std::string(name) + "'");
                     },
                 .watcher = given_watcher,
                 .own = given_own}};
};

}  // namespace sheaf::tasks
