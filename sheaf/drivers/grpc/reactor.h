// The one place where the life of a callback call is decided: Finish exactly once, nothing started
// after it, no object freed under a thread that still uses it.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <memory>
#include <utility>

#include "sheaf/base/async/async.h"
#include "sheaf/base/core/core.h"
#include "sheaf/drivers/grpc/context.h"
#include "sheaf/drivers/grpc/outcome.h"
#include "sheaf/drivers/grpc/registry.h"

namespace sheaf::grpc {

// The part of a reactor that does not depend on the shape of the call.
//
// A call ends by the first of: End (answered), Cancel (the server stops it), PeerGone (gRPC says
// that the caller is gone). The first one wins, the others do nothing.
//
// Owner: itself from Launch until gRPC's OnDone, and whoever else holds a shared_ptr: timers,
//   strands and replies hold weak ones and lock them for as long as they touch it.
// Threads: any. Blocking: never.
class Life : public std::enable_shared_from_this<Life> {
 public:
  Life(std::shared_ptr<Context> context, Registry& registry)
      : context_(std::move(context)), registry_(registry) {}
  virtual ~Life() { registry_.Remove(this); }
  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;

  // The first thing that happens; the reactor is owned and registered by then.
  virtual void Begin() = 0;
  // Ends the call with `reason` if it is not answered yet; the token is cancelled with it.
  void Cancel(const Error& reason);

  const std::shared_ptr<Context>& context() const { return context_; }

 protected:
  // Ends the call; false when it had ended. `fill` runs before gRPC sends the answer, and only
  // then: the place to write into gRPC's response.
  template <typename Fill>
  bool End(Outcome outcome, Fill fill) {
    if (!Claim()) return false;
    fill();
    Send(std::move(outcome));
    return true;
  }
  bool End(Outcome outcome) {
    return End(std::move(outcome), [] {});
  }
  // Ends the call by what `start` starts with the status: a last message that carries it.
  template <typename Start>
  bool EndBy(Outcome outcome, Start start) {
    if (!Claim()) return false;
    Seal(outcome);
    start(std::move(outcome.status));
    return true;
  }
  bool EndWith(const Error& error) { return End(OutcomeOf(error)); }

  // Calls `start`, which starts one read or write, unless the call has ended; false if so.
  template <typename Start>
  bool Operate(Start start) {
    MutexLock lock(mutex_);
    if (ended_) return false;
    start();
    return true;
  }
  bool ended() const {
    MutexLock lock(mutex_);
    return ended_;
  }
  // True for the one caller that may, and must, send the end.
  bool Claim();
  void Send(Outcome outcome);
  void Seal(const Outcome& outcome);  // Headers and trailers, given to gRPC.

  virtual Outcome OutcomeOf(const Error& error) = 0;
  // The call ended with `reason` before it was answered. The token is cancelled already.
  virtual void Halted(const Error& reason) { static_cast<void>(reason); }

  // --- for Reactor ---
  void PeerGone();
  virtual void GrpcFinish(::grpc::Status status) = 0;
  void Keep(std::shared_ptr<Life> self) { self_ = std::move(self); }
  std::shared_ptr<Life> LetGo() {
    context_->Close();
    return std::move(self_);
  }

 private:
  template <typename R, typename... Args>
  friend R* Launch(Registry& registry, Registry::Shape shape, Args&&... args);

  const std::shared_ptr<Context> context_;  // Shared with the call that the handler sees.
  Registry& registry_;                      // Borrowed from the server, which waits for us.
  std::shared_ptr<Life> self_;              // From Launch to OnDone.
  mutable Mutex mutex_;
  bool ended_ SHEAF_GUARDED_BY(mutex_) = false;
};

// A reactor over one of gRPC's four: ServerUnaryReactor, ServerWriteReactor<T>, …
template <typename Base>
class Reactor : public Base, public Life {
 public:
  using Life::Life;

 private:
  void OnCancel() final {
    const auto self = shared_from_this();
    PeerGone();
  }
  void OnDone() final { const auto self = LetGo(); }  // May destroy this, and nothing follows.
  // Whether gRPC may run a reaction where it stands instead of handing it to a thread of its
  // executor, which costs two switches a call. After the end nothing is left to do but to let go.
  bool InternalInlineable() final { return ended(); }
  void GrpcFinish(::grpc::Status status) final { Base::Finish(std::move(status)); }
};

// Makes a reactor, starts it and gives it to gRPC.
template <typename R, typename... Args>
R* Launch(Registry& registry, Registry::Shape shape, Args&&... args) {
  auto life = std::make_shared<R>(std::forward<Args>(args)...);
  R* raw = life.get();
  raw->Life::Keep(life);
  registry.Add(life, shape);
  raw->Begin();
  return raw;  // Alive: OnDone cannot come before gRPC has it.
}

}  // namespace sheaf::grpc
