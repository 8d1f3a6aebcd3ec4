// GetFlightInfo and PollFlightInfo of a command or a task: wait without a thread, answer once.
#pragma once

#include <functional>
#include <memory>

#include "sheaf/host/endpoint/core.h"
#include "sheaf/host/endpoint/infos.h"

namespace sheaf::endpoint {

// How long a call waits before it answers POLL.
struct Patience {
  bool pollable = false;
  Duration wait{};

  // From sheaf-pollable and sheaf-wait-ms; kInvalid names the header.
  static Result<Patience> FromHeaders(const flight::Call& call, Duration fallback);
};

// One waiting call. It places its interest (on a request thread), then waits by callbacks for
// whichever is first: the answer, its patience, its own end.
//
// Owner: shared by the callbacks that may answer. Threads: any.
class InfoCall final : public std::enable_shared_from_this<InfoCall> {
 public:
  // What became of the wait: ready, or its patience ran out ("poll").
  enum class Verdict : uint8_t { kReady, kPoll };
  // Called once; on kReady and kPoll the interest has become a claim.
  using Answer = std::function<void(Result<Verdict>, const tasks::Submission&)>;

  // What the interest becomes when the answer is ready: a claim by its tickets, or it stays the
  // call's own because the same call streams the result.
  enum class Then : uint8_t { kClaim, kStream };

  InfoCall(Core& core, RequestPtr request, Patience patience, Then then, Answer answer)
      : core_(core),
        request_(std::move(request)),
        patience_(patience),
        then_(then),
        answer_(std::move(answer)) {}

  // `what` is a command or a task.
  void Start(command::Request what);

 private:
  void Place(const command::Request& what);
  void Wait();
  void Finish(Result<Verdict> verdict);

  Core& core_;  // Borrowed from the endpoint.
  const RequestPtr request_;
  const Patience patience_;
  const Then then_;
  Mutex mutex_;
  Answer answer_ SHEAF_GUARDED_BY(mutex_);
  std::optional<Timers::Handle> timer_ SHEAF_GUARDED_BY(mutex_);
  CancelRegistration cancel_ SHEAF_GUARDED_BY(mutex_);
  tasks::Submission submission_;  // Set once before Wait.
};

}  // namespace sheaf::endpoint
