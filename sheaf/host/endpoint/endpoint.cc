#include "sheaf/host/endpoint/endpoint.h"

#include "sheaf/host/endpoint/core.h"
#include "sheaf/host/endpoint/handler.h"
#include "sheaf/wire/command/wire_error.h"

namespace sheaf::endpoint {
namespace {

flight::WireError Translate(const Error& error) {
  const auto wire = command::ToWire(error.kind);
  return {wire.grpc, wire.arrow, error.message, command::ErrorJson(error)};
}

// Every error names its request. One that was found before the handler's code has none yet: it
// gets one, and its line in the log.
Error Sign(Core& core, Error error, const flight::CallPtr& call) {
  const auto id = call->Replied("sheaf-request-id");
  if (!id.has_value()) {
    return Request(call, core.clock(), core.parts.log, core.probe).Failed(std::move(error));
  }
  Json details =
      error.details.empty() ? Json::object() : Json::parse(error.details, nullptr, false);
  if (!details.is_object()) details = Json::object();
  if (details.contains("request")) return error;
  details["request"] = *id;
  error.details = details.dump();
  return error;
}

class FlightEndpoint final : public Endpoint {
 public:
  FlightEndpoint(EndpointOptions options, EndpointParts parts)
      : core_(std::move(options), parts), handler_(core_) {}

  Status Listen() {
    auto options = core_.options.server;
    options.translate = Translate;
    options.sign = [this](Error error, const flight::CallPtr& call) {
      return Sign(core_, std::move(error), call);
    };
    SHEAF_ASSIGN(server_, flight::Server::Start(std::move(options), handler_, core_.parts.timers));
    server_->SetServing(false);
    return Done();
  }

  int port() const override { return server_->port(); }
  void SetState(State state) override {
    core_.state = state;
    server_->SetServing(state == State::kReady);
  }
  void Stop(Duration grace) override {
    SetState(State::kDraining);
    server_->Stop(grace);
    core_.requests.Stop();
  }
  flight::Server::Counts counts() const override { return server_->counts(); }

 private:
  Core core_;
  Handler handler_;
  std::unique_ptr<flight::Server> server_;  // Last: no call comes once it is gone.
};

}  // namespace

Result<std::unique_ptr<Endpoint>> Endpoint::Start(EndpointOptions options, EndpointParts parts) {
  SHEAF_CHECK(options.ticket_key.size() == command::TicketBox::kKeyBytes);
  auto endpoint = std::make_unique<FlightEndpoint>(std::move(options), parts);
  SHEAF_TRY(endpoint->Listen());
  return std::unique_ptr<Endpoint>(std::move(endpoint));
}

}  // namespace sheaf::endpoint
