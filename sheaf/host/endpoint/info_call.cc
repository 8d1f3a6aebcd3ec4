#include "sheaf/host/endpoint/info_call.h"

#include <charconv>
#include <utility>

namespace sheaf::endpoint {
namespace {

constexpr int64_t kWaitMsMax = 600'000;

}  // namespace

Result<Patience> Patience::FromHeaders(const flight::Call& call, Duration fallback) {
  Patience patience{.pollable = call.Header("sheaf-pollable") == "true", .wait = fallback};
  if (const auto text = call.Header("sheaf-wait-ms")) {
    int64_t wait_ms = -1;
    const auto [end, code] = std::from_chars(text->data(), text->data() + text->size(), wait_ms);
    if (code != std::errc() || end != text->data() + text->size() || wait_ms < 0 ||
        wait_ms > kWaitMsMax) {
      return Fail(Kind::kInvalid, "header sheaf-wait-ms: '" + text->substr(0, 40) +
                                      "' is not a number of milliseconds from 0 to 600000");
    }
    patience.wait = std::chrono::milliseconds(wait_ms);
  }
  return patience;
}

void InfoCall::Start(command::Request what) {
  core_.Post([self = shared_from_this(), what = std::move(what)] { self->Place(what); },
             [this](Error refused) { Finish(std::move(refused)); });
}

void InfoCall::Place(const command::Request& what) {
  const auto& context = request_->context();
  if (auto alive = context.cancel.Check(); !alive.ok()) return Finish(std::move(alive).error());
  const auto* command = std::get_if<tasks::CommandPtr>(&what);
  auto placed = command != nullptr
                    ? core_.parts.engine.Submit(*command, context, tasks::Hold::kCall)
                    : core_.parts.engine.Join(std::get<command::TaskRef>(what).task, context,
                                              tasks::Hold::kCall);
  if (!placed.ok()) return Finish(std::move(placed).error());
  submission_ = std::move(placed).value();
  Wait();
}

void InfoCall::Wait() {
  auto self = shared_from_this();
  if (submission_.hit.has_value()) return Finish(Verdict::kReady);
  auto registration = request_->context().cancel.OnCancel([self] {
    const Error reason = self->request_->context().cancel.Check().error();
    self->core_.parts.engine.EndInterest(self->submission_, reason);
    self->Finish(reason);
  });
  {
    MutexLock lock(mutex_);
    if (answer_) cancel_ = std::move(registration);
  }
  core_.parts.engine.Wait(submission_, [self](Status status) {
    if (!status.ok()) return self->Finish(std::move(status).error());
    if (self->then_ == Then::kClaim) self->core_.parts.engine.Answer(self->submission_);
    self->Finish(Verdict::kReady);
  });
  // After Wait: a timer that fires before it would leave the interest waiting for ever.
  MutexLock lock(mutex_);
  if (!answer_ || !patience_.pollable) return;
  timer_ = core_.parts.timers.After(patience_.wait, [self] {
    self->core_.parts.engine.Answer(self->submission_);
    self->Finish(Verdict::kPoll);
  });
}

void InfoCall::Finish(Result<Verdict> verdict) {
  Answer answer;
  std::optional<Timers::Handle> timer;
  CancelRegistration cancel;
  {
    MutexLock lock(mutex_);
    answer = std::exchange(answer_, nullptr);
    if (!answer) return;
    timer = std::exchange(timer_, std::nullopt);
    cancel = std::move(cancel_);
  }
  if (timer.has_value()) core_.parts.timers.Cancel(*timer);
  answer(std::move(verdict), submission_);
}

}  // namespace sheaf::endpoint
