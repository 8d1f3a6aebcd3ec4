#include "sheaf/adapters/flights/flight_error.h"

#include <arrow/flight/types.h>

#include "sheaf/adapters/flights/flights.h"
#include "sheaf/wire/columnar/columnar.h"
#include "sheaf/wire/command/wire_error.h"

namespace sheaf::flights {
namespace {

namespace fl = arrow::flight;

constexpr std::string_view kUnreachable = "unreachable";

// The first sentence of a gRPC message; what follows is addresses and stack-like context.
std::string FirstSentence(const std::string& text) {
  for (std::string_view end : {". gRPC client debug context", ". Detail:", "\n"}) {
    if (auto at = text.find(end); at != std::string::npos) return text.substr(0, at);
  }
  return text;
}

bool NeverConnected(const std::string& text) {
  for (std::string_view sign :
       {"failed to connect", "Connection refused", "DNS resolution failed",
        "No such file or directory", "Name or service not known", "Domain name not found",
        "Ssl handshake failed", "Handshake failed", "connection attempt timed out"}) {
    if (text.find(sign) != std::string::npos) return true;
  }
  return false;
}

Error Unavailable(const arrow::Status& status, const std::string& address) {
  const std::string text = FirstSentence(status.message());
  if (!NeverConnected(status.message())) {
    return Fail(Kind::kDependency, "the server at " + address + " broke off: " + text,
                Json{{"address", address}}.dump());
  }
  return Fail(Kind::kDependency, "cannot connect to " + address + ": " + text,
              Json{{"address", address}, {kUnreachable, true}}.dump());
}

}  // namespace

Error FromFlight(const arrow::Status& status, const std::string& address) {
  const auto detail = fl::FlightStatusDetail::UnwrapStatus(status);
  if (detail == nullptr) {
    // An Error of ours that rode through Arrow comes out as it went in.
    return columnar::FromArrow(status, Kind::kDependency).In(address);
  }
  if (const std::string said = detail->extra_info(); said.starts_with('{')) {
    return command::ParseErrorJson(said);
  }
  const std::string text = FirstSentence(status.message());
  switch (detail->code()) {
    case fl::FlightStatusCode::Cancelled: return Fail(Kind::kCancelled, "cancelled");
    case fl::FlightStatusCode::TimedOut:
      return Fail(Kind::kDeadline, "the deadline passed while waiting for " + address);
    case fl::FlightStatusCode::Unauthenticated:
      return Fail(Kind::kUnauthenticated, address + ": " + text);
    case fl::FlightStatusCode::Unauthorized: return Fail(Kind::kForbidden, address + ": " + text);
    case fl::FlightStatusCode::Unavailable:
    case fl::FlightStatusCode::Internal:
    case fl::FlightStatusCode::Failed: return Unavailable(status, address);
  }
  __builtin_unreachable();
}

bool IsUnreachable(const Error& error) {
  if (error.kind != Kind::kDependency || error.details.empty()) return false;
  const Json details = Json::parse(error.details, nullptr, /*allow_exceptions=*/false);
  return details.is_object() && details.value(kUnreachable, false);
}

}  // namespace sheaf::flights
