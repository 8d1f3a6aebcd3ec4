#include "sheaf/adapters/flights/peer.h"

#include <chrono>
#include <utility>

#include "sheaf/adapters/flights/flight_error.h"

namespace sheaf::flights {
namespace {

namespace fl = arrow::flight;

constexpr command::JsonLimits kAnswerLimits{
    .bytes_max = 16 << 20, .depth_max = 128, .values_max = 1'000'000};
constexpr size_t kPeersMax = 256;

Json JsonOf(const What& what) {
  if (const auto* asked = std::get_if<std::shared_ptr<const Command>>(&what)) {
    return (*asked)->ToJson();
  }
  if (const auto* task = std::get_if<command::TaskRef>(&what)) {
    return {{"task", task->task.text}};
  }
  const auto& path = std::get<command::PathRef>(what);
  Json json{{"path", path.path.ToJson()}};
  if (path.generation) json["generation"] = *path.generation;
  return json;
}

bool Encrypted(const std::string& uri) { return uri.starts_with("grpc+tls:"); }

Status CheckScheme(const std::string& uri) {
  for (std::string_view scheme : {"grpc://", "grpc+tcp://", "grpc+tls://", "grpc+unix://"}) {
    if (uri.starts_with(scheme)) return Done();
  }
  return Fail(Kind::kInvalid, "'" + uri + "' is not a Flight server's address; want " +
                                  "grpc://host:port, grpc+tls://host:port or grpc+unix:///path");
}

}  // namespace

Peer::Peer(std::unique_ptr<fl::FlightClient> client, std::string address, Clock& clock,
           RemoteOptions options)
    : client_(std::move(client)),
      address_(std::move(address)),
      clock_(clock),
      options_(std::move(options)) {}

Result<std::shared_ptr<Peer>> Peer::Connect(const std::string& uri, Clock& clock,
                                            const RemoteOptions& options) {
  SHEAF_TRY(CheckScheme(uri));
  auto location = fl::Location::Parse(uri);
  if (!location.ok()) {
    return Fail(Kind::kInvalid, "address '" + uri + "': " + location.status().message());
  }
  auto settings = fl::FlightClientOptions::Defaults();
  settings.tls_root_certs = options.tls_roots;
  settings.override_hostname = options.tls_hostname;
  const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(options.connect_wait);
  settings.generic_options.emplace_back("grpc.min_reconnect_backoff_ms",
                                        static_cast<int>(wait.count()));
  auto client = fl::FlightClient::Connect(*location, settings);
  if (!client.ok()) return FromFlight(client.status(), uri);
  return std::shared_ptr<Peer>(new Peer(std::move(*client), uri, clock, options));
}

Result<fl::FlightCallOptions> Peer::Options(const Context& context) const {
  SHEAF_TRY(context.cancel.Check());
  const Instant now = clock_.Now();
  if (context.deadline.Passed(now)) {
    return Fail(Kind::kDeadline, "the deadline has passed before " + address_ + " was asked");
  }
  fl::FlightCallOptions options = CancelOptions(context);
  options.timeout = fl::TimeoutDuration(-1);
  if (!context.deadline.never()) {
    options.timeout = std::chrono::duration_cast<fl::TimeoutDuration>(context.deadline.Left(now));
  }
  return options;
}

fl::FlightCallOptions Peer::CancelOptions(const Context& context) const {
  fl::FlightCallOptions options;
  options.timeout = std::chrono::duration_cast<fl::TimeoutDuration>(options_.cancel_wait);
  if (!options_.token.empty()) {
    options.headers.emplace_back("authorization", "Bearer " + options_.token);
  }
  if (!context.trace.request.empty()) {
    options.headers.emplace_back("x-request-id", context.trace.request.text);
  }
  if (!context.trace.traceparent.empty()) {
    options.headers.emplace_back("traceparent", context.trace.traceparent);
  }
  return options;
}

Result<PeerPtr> Peer::At(const fl::FlightEndpoint& endpoint) {
  for (const auto& location : endpoint.locations) {
    const std::string uri = location.ToString();
    if (uri == address_ || location.Equals(fl::Location::ReuseConnection()))
      return shared_from_this();
  }
  if (endpoint.locations.empty()) return shared_from_this();
  const std::string uri = endpoint.locations.front().ToString();
  if (!options_.token.empty() && Encrypted(address_) && !Encrypted(uri)) {
    return Fail(Kind::kForbidden,
                address_ + " sends us to " + uri + ", where the token would travel unencrypted");
  }
  MutexLock lock(mutex_);
  if (auto known = others_.find(uri); known != others_.end()) return known->second;
  if (others_.size() >= kPeersMax) others_.erase(others_.begin());
  SHEAF_ASSIGN(auto peer, Connect(uri, clock_, options_));
  others_.emplace(uri, peer);
  return peer;
}

fl::FlightDescriptor DescriptorOf(const What& what) {
  if (const auto* path = std::get_if<command::PathRef>(&what)) {
    return fl::FlightDescriptor::Path(path->path.parts());
  }
  return fl::FlightDescriptor::Command(command::Canonical(JsonOf(what)));
}

fl::Ticket TicketOf(const What& what) {
  fl::Ticket ticket;
  ticket.ticket = command::Canonical(JsonOf(what));
  return ticket;
}

Result<Json> ParseAnswer(std::string_view text, const std::string& address) {
  if (text.empty()) return Json::object();
  auto json = command::ParseJson(text, kAnswerLimits);
  if (json.ok()) return json;
  return Fail(Kind::kDependency,
              address + " answered something other than JSON: " + json.error().message);
}

}  // namespace sheaf::flights
