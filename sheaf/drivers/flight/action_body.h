// Bodies that Flight itself defines: schemas in infos, CancelFlightInfo, RenewFlightEndpoint.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sheaf/drivers/flight/server.h"

namespace sheaf::flight {

// An encapsulated IPC message of the schema, as Info::schema wants it.
Result<std::shared_ptr<arrow::Buffer>> SerializeSchema(const arrow::Schema& schema);

enum class CancelStatus : uint8_t { kCancelled = 1, kCancelling = 2, kNotCancellable = 3 };

// The tickets of a CancelFlightInfoRequest's endpoints; kInvalid when the bytes are none.
struct CancelRequest {
  Descriptor descriptor;
  std::vector<std::string> tickets;
};
Result<CancelRequest> ParseCancelFlightInfo(std::string_view body);
std::string CancelFlightInfoResult(CancelStatus status);

// The endpoint of a RenewFlightEndpointRequest; its answer is the endpoint with a new expiry.
Result<Endpoint> ParseRenewFlightEndpoint(std::string_view body);
std::string RenewedEndpoint(const Endpoint& endpoint);

}  // namespace sheaf::flight
