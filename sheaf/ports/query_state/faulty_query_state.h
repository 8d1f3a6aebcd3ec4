// A fault is one more implementation: refuses a call, or makes it and loses the answer.
#pragma once

#include <functional>
#include <utility>

#include "sheaf/ports/query_state/query_state.h"

namespace sheaf::query_state {

enum class Fault : uint8_t {
  kNone,
  kRefuse,            // kDependency, Effect::kNone: certainly not done.
  kApplyThenTimeout,  // Done, then kDeadline with Effect::kUnknown.
};

// Owner: a test. Threads: as the inner one, if `next` may be called from any thread.
class FaultyQueryState final : public QueryState {
 public:
  FaultyQueryState(QueryState& inner, std::function<Fault()> next)
      : inner_(inner), next_(std::move(next)) {}

  Result<Outcome> Apply(const Step& step) override {
    return Through<Result<Outcome>>([&] { return inner_.Apply(step); });
  }
  Result<Record> Get(std::string_view key) override {
    return Through<Result<Record>>([&] { return inner_.Get(key); });
  }
  Result<bool> Renew(std::string_view key, std::string_view owner, uint64_t epoch,
                     Duration lease) override {
    return Through<Result<bool>>([&] { return inner_.Renew(key, owner, epoch, lease); });
  }
  Status SetProgress(std::string_view key, uint64_t epoch, Progress progress) override {
    return Through<Status>([&] { return inner_.SetProgress(key, epoch, progress); });
  }
  Status Watch(std::string_view key, State seen, std::function<void(Record)> call) override {
    return Through<Status>([&] { return inner_.Watch(key, seen, std::move(call)); });
  }
  Result<std::vector<std::string>> Reap() override {
    return Through<Result<std::vector<std::string>>>([&] { return inner_.Reap(); });
  }

 private:
  template <typename R, typename Call>
  R Through(Call call) {
    const Fault fault = next_();
    if (fault == Fault::kRefuse) return Fail(Kind::kDependency, "injected: refused");
    R done = call();
    if (fault == Fault::kApplyThenTimeout) {
      return Error{Kind::kDeadline, Effect::kUnknown, "injected: answer lost", {}};
    }
    return done;
  }

  QueryState& inner_;  // Borrowed from the test; outlives this.
  std::function<Fault()> next_;
};

}  // namespace sheaf::query_state
