#include "sheaf/drivers/flight/handshake_reactor.h"

namespace sheaf::flight {

HandshakeReactor::HandshakeReactor(Core& core, std::shared_ptr<grpc::Context> context)
    : FlightReactor(core, std::move(context)),
      idle_(core.timers, core.options.idle_read, [this] { EndIdle(kSilent); }) {}

void HandshakeReactor::Read() {
  idle_.Started();
  Operate([this] { StartRead(&request_); });
}

void HandshakeReactor::OnReadDone(bool ok) {
  idle_.Ended();
  if (!ok && context()->IsCancelled()) return PeerGone();
  if (!ok && rounds_ > 0) {
    End(grpc::Outcome::Ok());
    return;
  }
  if (++rounds_ > kRoundsMax) {
    EndWith(
        Fail(Kind::kInvalid, "a handshake of more than " + std::to_string(kRoundsMax) + " rounds"));
    return;
  }
  const std::string payload = ok ? std::move(*request_.mutable_payload()) : std::string();
  auto answer = core().handler.Handshake(MakeCall(), payload);
  if (!answer.ok()) {
    EndWith(answer.error());
    return;
  }
  if (!ok) {  // Only a header was sent, and only headers are looked for.
    End(grpc::Outcome::Ok());
    return;
  }
  response_.set_protocol_version(request_.protocol_version());
  response_.set_payload(std::move(*answer));
  context()->SealHeaders();
  idle_.Started();
  Operate([this] { StartWrite(&response_); });
}

void HandshakeReactor::OnWriteDone(bool ok) {
  idle_.Ended();
  if (!ok) return PeerGone();
  Read();
}

}  // namespace sheaf::flight
