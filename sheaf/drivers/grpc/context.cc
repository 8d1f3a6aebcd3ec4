#include "sheaf/drivers/grpc/context.h"

#include <grpc/support/time.h>

#include <algorithm>
#include <chrono>

namespace sheaf::grpc {
namespace {

// What is left until gRPC's deadline; max() when there is none. Measured on the monotonic clock,
// so that a step of the machine's time moves no deadline.
Duration Left(gpr_timespec deadline) {
  if (gpr_time_cmp(deadline, gpr_inf_future(deadline.clock_type)) == 0) return Duration::max();
  const gpr_timespec left = gpr_time_sub(deadline, gpr_now(deadline.clock_type));
  constexpr int64_t kSecondsMax = 100'000'000;  // Three years; more is no deadline at all.
  if (left.tv_sec >= kSecondsMax) return Duration::max();
  return std::chrono::seconds(left.tv_sec) + std::chrono::nanoseconds(left.tv_nsec);
}

}  // namespace

Context::Context(::grpc::CallbackServerContext& context, std::string_view method,
                 const Clock& clock)
    : method_(method), clock_(clock), peer_(context.peer()), context_(&context) {
  headers_.reserve(context.client_metadata().size());
  for (const auto& [key, value] : context.client_metadata()) {
    headers_.emplace_back(std::string(key.data(), key.size()),
                          std::string(value.data(), value.size()));
  }
  const Duration left = Left(context.raw_deadline());
  if (left == Duration::max()) return;
  allowed_ = left;
  deadline_ = Deadline::At(clock.Now() + left);
}

std::optional<std::string> Context::Header(std::string_view key) const {
  for (const auto& [name, value] : headers_) {
    if (name == key) return value;
  }
  return std::nullopt;
}

void Context::ReplyHeader(std::string key, std::string value) {
  MutexLock lock(mutex_);
  if (!sealed_) reply_.emplace_back(std::move(key), std::move(value));
}

std::optional<std::string> Context::Replied(std::string_view key) const {
  MutexLock lock(mutex_);
  for (const auto& [name, value] : reply_) {
    if (name == key) return value;
  }
  return std::nullopt;
}

Error Context::WhyGone() const {
  // The caller's own timer rings first, and its RST_STREAM overtakes ours by a network's delay;
  // gRPC rounds deadlines up by as much as one part in a hundred before it sends them.
  using std::chrono::milliseconds;
  const Duration slack = std::max<Duration>(milliseconds(50), allowed_ / 50);
  if (!deadline_.never() && deadline_.Left(clock_.Now()) <= slack) {
    return Fail(Kind::kDeadline, "the caller's deadline passed");
  }
  return Fail(Kind::kCancelled, "the caller cancelled or is gone");
}

bool Context::IsCancelled() const {
  MutexLock lock(mutex_);
  return context_ == nullptr || context_->IsCancelled();
}

void Context::SealHeaders() {
  MutexLock lock(mutex_);
  if (sealed_ || context_ == nullptr) return;
  sealed_ = true;
  for (const auto& [key, value] : reply_) context_->AddInitialMetadata(key, value);
}

void Context::AddTrailers(const Outcome& outcome) {
  MutexLock lock(mutex_);
  if (context_ == nullptr) return;
  for (const auto& [key, value] : outcome.trailers) context_->AddTrailingMetadata(key, value);
}

void Context::Break() {
  MutexLock lock(mutex_);
  if (context_ != nullptr) context_->TryCancel();
}

void Context::Close() {
  MutexLock lock(mutex_);
  context_ = nullptr;
}

}  // namespace sheaf::grpc
