#include "sheaf/drivers/grpc/reactor.h"

namespace sheaf::grpc {

bool Life::Claim() {
  MutexLock lock(mutex_);
  return !std::exchange(ended_, true);
}

void Life::Seal(const Outcome& outcome) {
  context_->SealHeaders();
  context_->AddTrailers(outcome);
}

void Life::Send(Outcome outcome) {
  Seal(outcome);
  // Outside the lock: OnDone may run on another thread before this returns. The caller holds a
  // shared_ptr, or is gRPC, which calls OnDone only after its callbacks have returned.
  GrpcFinish(std::move(outcome.status));
}

void Life::Cancel(const Error& reason) {
  if (!Claim()) return;
  context_->Cancel(reason);
  Halted(reason);
  Send(OutcomeOf(reason));
}

void Life::PeerGone() {
  if (!Claim()) return;
  const Error reason = context_->WhyGone();
  context_->Cancel(reason);
  Halted(reason);
  Send({::grpc::Status::CANCELLED, {}});  // Nobody is there to read it.
}

}  // namespace sheaf::grpc

#if defined(__SANITIZE_THREAD__)
// gRPC's library is not compiled with ThreadSanitizer, which sees the templates of its headers but
// not how gRPC orders what they do. The races of reactors are looked for without gRPC: see
// reactor_test.cc, and race_test.cc of drivers/flight.
extern "C" __attribute__((visibility("default"))) const char* __tsan_default_suppressions() {
  return "race:grpc::internal::\nrace:grpc::Server::\nrace:grpc::ByteBuffer::\n"
         "thread:grpc_core::Thread\n";
}
#endif
