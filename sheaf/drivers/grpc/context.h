// What a call brought with it, and what may be said back before its first answer.
#pragma once

#include <grpcpp/server_context.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sheaf/base/async/async.h"
#include "sheaf/base/time/time.h"
#include "sheaf/drivers/grpc/outcome.h"

namespace sheaf::grpc {

// A Context outlives the call: headers are copied, and gRPC's own object is only touched until
// the reactor closes it.
//
// Owner: shared by the reactor and whoever answers. Threads: any. Blocking: never, but for
// Cancel, which runs what was registered with the token.
class Context final {
 public:
  // `method` is a literal. `clock` is borrowed for the constructor and PeerGone.
  Context(::grpc::CallbackServerContext& context, std::string_view method, const Clock& clock);

  std::string_view method() const { return method_; }
  const std::string& peer() const { return peer_; }
  Deadline deadline() const { return deadline_; }
  CancelToken token() const { return source_.token(); }
  // The first value of a request header, lower-case key.
  std::optional<std::string> Header(std::string_view key) const;
  // Dropped when the headers are gone already.
  void ReplyHeader(std::string key, std::string value);
  // What ReplyHeader was told first, sent or not.
  std::optional<std::string> Replied(std::string_view key) const;

  // --- for the reactor ---
  void Cancel(Error reason) const { source_.Cancel(std::move(reason)); }
  // Why a call that gRPC reports as cancelled ended: its deadline, or its caller.
  Error WhyGone() const;
  bool IsCancelled() const;
  // Hands the reply headers to gRPC; before the first message or status.
  void SealHeaders();
  void AddTrailers(const Outcome& outcome);
  // Ends the call under its reactor: every operation fails, then OnCancel and OnDone come.
  void Break();
  // gRPC's object is about to go.
  void Close();

 private:
  const std::string_view method_;
  const Clock& clock_;  // Borrowed from main; outlives every call.
  std::vector<std::pair<std::string, std::string>> headers_;
  std::string peer_;
  Deadline deadline_;
  Duration allowed_{};  // From arrival to the deadline.
  CancelSource source_;
  mutable Mutex mutex_;
  ::grpc::CallbackServerContext* context_ SHEAF_GUARDED_BY(mutex_);  // Null after Close.
  bool sealed_ SHEAF_GUARDED_BY(mutex_) = false;
  std::vector<std::pair<std::string, std::string>> reply_ SHEAF_GUARDED_BY(mutex_);
};

}  // namespace sheaf::grpc
