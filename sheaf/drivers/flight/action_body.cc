#include "sheaf/drivers/flight/action_body.h"

#include "sheaf/drivers/flight/translate.h"

namespace sheaf::flight {

Result<std::shared_ptr<arrow::Buffer>> SerializeSchema(const arrow::Schema& schema) {
  return SchemaMessage(schema);
}

Result<CancelRequest> ParseCancelFlightInfo(std::string_view body) {
  pb::CancelFlightInfoRequest request;
  if (!request.ParseFromArray(body.data(), static_cast<int>(body.size()))) {
    return Fail(Kind::kInvalid, "the body of CancelFlightInfo is not a CancelFlightInfoRequest");
  }
  CancelRequest cancel{FromProto(request.info().flight_descriptor()), {}};
  for (const auto& endpoint : request.info().endpoint()) {
    cancel.tickets.push_back(endpoint.ticket().ticket());
  }
  return cancel;
}

std::string CancelFlightInfoResult(CancelStatus status) {
  pb::CancelFlightInfoResult result;
  result.set_status(static_cast<pb::CancelStatus>(status));
  return result.SerializeAsString();
}

Result<Endpoint> ParseRenewFlightEndpoint(std::string_view body) {
  pb::RenewFlightEndpointRequest request;
  if (!request.ParseFromArray(body.data(), static_cast<int>(body.size()))) {
    return Fail(Kind::kInvalid,
                "the body of RenewFlightEndpoint is not a RenewFlightEndpointRequest");
  }
  Endpoint endpoint;
  endpoint.ticket = request.endpoint().ticket().ticket();
  for (const auto& location : request.endpoint().location()) {
    endpoint.locations.push_back(location.uri());
  }
  endpoint.app_metadata = request.endpoint().app_metadata();
  return endpoint;
}

std::string RenewedEndpoint(const Endpoint& endpoint) {
  Info info;
  info.endpoints.push_back(endpoint);
  pb::FlightInfo to;
  if (!ToProto(info, to).ok() || to.endpoint_size() != 1) return {};
  return to.endpoint(0).SerializeAsString();
}

}  // namespace sheaf::flight
