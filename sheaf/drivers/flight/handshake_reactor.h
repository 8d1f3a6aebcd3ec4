// Handshake: payloads in, payloads out, until the client half-closes.
#pragma once

#include <memory>
#include <utility>

#include "sheaf/drivers/flight/core.h"

namespace sheaf::flight {

// Clients either send payloads and read one for each, or (basic authentication) send only a
// header, half-close and look for a reply header; the handler then sees one empty payload.
class HandshakeReactor final
    : public FlightReactor<::grpc::ServerBidiReactor<pb::HandshakeRequest, pb::HandshakeResponse>> {
 public:
  static constexpr int kRoundsMax = 16;

  HandshakeReactor(Core& core, std::shared_ptr<grpc::Context> context);
  ~HandshakeReactor() override { idle_.Stop(); }

  void Begin() override { Read(); }

 private:
  void Read();
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;

  pb::HandshakeRequest request_;
  pb::HandshakeResponse response_;
  int rounds_ = 0;
  grpc::IdleWatch idle_;
};

}  // namespace sheaf::flight
