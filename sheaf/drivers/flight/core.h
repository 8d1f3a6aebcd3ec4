// What all reactors of one server share, and what they are made of.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "sheaf/drivers/flight/handoff.h"
#include "sheaf/drivers/flight/server.h"
#include "sheaf/drivers/flight/translate.h"
#include "sheaf/drivers/grpc/grpc.h"

namespace sheaf::flight {

// Owner: the server, which outlives every reactor.
struct Core {
  Core(ServerOptions o, Handler& h, Timers& t);

  const ServerOptions options;
  Handler& handler;  // Borrowed from who started the server.
  Timers& timers;    // Borrowed from main.
  grpc::Registry registry;
  Handoff handoff;  // Of calls with one answer.
  // A stream has at most one function in each, so streams bound these queues.
  Executor get;  // Continues what was woken or waited: never on the waker's own stack.
  Executor put;  // Feeds PutStreams, which may block.
};

// The call as a handler sees it; outlives the reactor.
class CallOfContext final : public Call {
 public:
  explicit CallOfContext(std::shared_ptr<grpc::Context> context) : context_(std::move(context)) {}
  std::string_view method() const override { return context_->method(); }
  std::optional<std::string> Header(std::string_view key) const override {
    return context_->Header(key);
  }
  Deadline deadline() const override { return context_->deadline(); }
  std::string peer() const override { return context_->peer(); }
  CancelToken token() const override { return context_->token(); }
  void ReplyHeader(std::string key, std::string value) override {
    context_->ReplyHeader(std::move(key), std::move(value));
  }
  std::optional<std::string> Replied(std::string_view key) const override {
    return context_->Replied(key);
  }

 private:
  const std::shared_ptr<grpc::Context> context_;  // Shared with the reactor.
};

// How long the status of a call that idled out waits for its client to wake up.
inline constexpr Duration kLastWord = std::chrono::seconds(30);
inline constexpr const char* kUnread = "the client left its stream unread for too long";
inline constexpr const char* kSilent = "the client sent nothing for too long";

// A reactor whose errors go out as Flight's.
template <typename Base>
class FlightReactor : public grpc::Reactor<Base> {
 public:
  FlightReactor(Core& core, std::shared_ptr<grpc::Context> context)
      : grpc::Reactor<Base>(std::move(context), core.registry), core_(core) {}

 protected:
  Core& core() { return core_; }
  CallPtr MakeCall() const { return std::make_shared<CallOfContext>(this->context()); }
  grpc::Outcome OutcomeOf(const Error& error) override {
    const auto& sign = core_.options.sign;
    return flight::OutcomeOf(core_.options.translate(sign ? sign(error, MakeCall()) : error));
  }
  // Ends a peer that lives but does nothing, from an IdleWatch. The status waits behind what was
  // sent and is not read yet: a client that wakes up in time learns why; later the call is broken.
  void EndIdle(const char* what) {
    const auto self = this->weak_from_this().lock();
    if (self == nullptr) return;
    this->Cancel(Fail(Kind::kDeadline, what));
    core_.timers.After(kLastWord, [weak = std::weak_ptr<grpc::Life>(self)] {
      if (const auto late = weak.lock()) late->context()->Break();
    });
  }

 private:
  Core& core_;  // Borrowed from the server, which waits for us.
};

// Carries one answer to a reactor that may be gone. A handler that forgets to answer answers
// kInternal.
template <typename R, typename T>
class Answerer {
 public:
  explicit Answerer(std::weak_ptr<R> reactor) : reactor_(std::move(reactor)) {}
  ~Answerer() { Give(Fail(Kind::kInternal, "the call was dropped without an answer")); }
  Answerer(const Answerer&) = delete;
  Answerer& operator=(const Answerer&) = delete;

  void Give(Result<T> result) {
    if (given_.exchange(true)) return;
    if (const auto reactor = reactor_.lock()) {
      reactor->Answer(std::move(result));
    } else {
      R::Unwanted(std::move(result));
    }
  }

 private:
  const std::weak_ptr<R> reactor_;  // Weak: a handler that never answers keeps no call alive.
  std::atomic<bool> given_{false};
};

template <typename T, typename R>
Reply<T> ReplyTo(R* reactor) {
  auto self = std::static_pointer_cast<R>(reactor->shared_from_this());
  auto answerer = std::make_shared<Answerer<R, T>>(std::move(self));
  return [answerer](Result<T> result) { answerer->Give(std::move(result)); };
}

}  // namespace sheaf::flight
