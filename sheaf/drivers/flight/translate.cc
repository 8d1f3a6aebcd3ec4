#include "sheaf/drivers/flight/translate.h"

#include <arrow/buffer.h>
#include <arrow/ipc/writer.h>
#include <arrow/type.h>

#include <utility>

namespace sheaf::flight {
namespace {

constexpr size_t kMessageBytesMax = 480;  // Sent twice.
constexpr size_t kDetailBytesMax = 2048;

void SetTime(WallTime wall, google::protobuf::Timestamp& to) {
  constexpr int64_t kMicros = 1'000'000;
  int64_t seconds = wall.micros / kMicros;
  int64_t rest = wall.micros % kMicros;
  if (rest < 0) {
    --seconds;
    rest += kMicros;
  }
  to.set_seconds(seconds);
  to.set_nanos(static_cast<int32_t>(rest * 1000));
}

}  // namespace

Descriptor FromProto(const pb::FlightDescriptor& descriptor) {
  Descriptor out;
  switch (descriptor.type()) {
    case pb::FlightDescriptor::PATH: out.type = Descriptor::Type::kPath; break;
    case pb::FlightDescriptor::CMD: out.type = Descriptor::Type::kCommand; break;
    default: out.type = Descriptor::Type::kUnknown; break;
  }
  out.path.assign(descriptor.path().begin(), descriptor.path().end());
  out.command = descriptor.cmd();
  return out;
}

Result<Descriptor> ParseDescriptor(const std::string& bytes) {
  pb::FlightDescriptor descriptor;
  if (!descriptor.ParseFromString(bytes)) {
    return Unreadable(descriptor.GetTypeName());
  }
  return FromProto(descriptor);
}

Error Unreadable(std::string_view name) {
  return Fail(Kind::kInvalid, "the request is no " + std::string(name) +
                                  " of Flight's protocol; its texts, such as the parts of a path, "
                                  "must be UTF-8");
}

Status ToProto(const Descriptor& descriptor, pb::FlightDescriptor& to) {
  switch (descriptor.type) {
    // Arrow's C++ and Python clients refuse an answer that holds UNKNOWN.
    case Descriptor::Type::kUnknown: to.set_type(pb::FlightDescriptor::CMD); break;
    case Descriptor::Type::kPath: to.set_type(pb::FlightDescriptor::PATH); break;
    case Descriptor::Type::kCommand: to.set_type(pb::FlightDescriptor::CMD); break;
  }
  for (const auto& part : descriptor.path) to.add_path(part);
  to.set_cmd(descriptor.command);
  return Done();
}

Status ToProto(const Info& info, pb::FlightInfo& to) {
  if (info.schema != nullptr) {
    to.set_schema(info.schema->data(), static_cast<size_t>(info.schema->size()));
  }
  SHEAF_TRY(ToProto(info.descriptor, *to.mutable_flight_descriptor()));
  for (const auto& endpoint : info.endpoints) {
    auto& made = *to.add_endpoint();
    made.mutable_ticket()->set_ticket(endpoint.ticket);
    for (const auto& uri : endpoint.locations) made.add_location()->set_uri(uri);
    if (endpoint.expires) SetTime(*endpoint.expires, *made.mutable_expiration_time());
    made.set_app_metadata(endpoint.app_metadata);
  }
  to.set_total_records(info.rows);
  to.set_total_bytes(info.bytes);
  to.set_ordered(info.ordered);
  to.set_app_metadata(info.app_metadata);
  return Done();
}

Status ToProto(const Poll& poll, pb::PollInfo& to) {
  if (poll.info) SHEAF_TRY(ToProto(*poll.info, *to.mutable_info()));
  if (poll.again) SHEAF_TRY(ToProto(*poll.again, *to.mutable_flight_descriptor()));
  if (poll.progress) to.set_progress(*poll.progress);
  if (poll.expires) SetTime(*poll.expires, *to.mutable_expiration_time());
  return Done();
}

Status ToProto(const std::shared_ptr<arrow::Schema>& schema, pb::SchemaResult& to) {
  if (schema == nullptr) return Fail(Kind::kInternal, "no schema was given");
  SHEAF_ASSIGN(const auto message, SchemaMessage(*schema));
  to.set_schema(message->data(), static_cast<size_t>(message->size()));
  return Done();
}

Status ToProto(const ActionType& type, pb::ActionType& to) {
  to.set_type(type.type);
  to.set_description(type.description);
  return Done();
}

Status ToProto(const std::string& body, pb::Result& to) {
  to.set_body(body);
  return Done();
}

Result<std::shared_ptr<arrow::Buffer>> SchemaMessage(const arrow::Schema& schema) {
  auto message = arrow::ipc::SerializeSchema(schema);
  if (!message.ok()) return Fail(Kind::kInternal, message.status().message());
  return std::move(message).ValueUnsafe();
}

grpc::Outcome OutcomeOf(WireError error) {
  std::string message = grpc::Shorten(std::move(error.message), kMessageBytesMax);
  grpc::Outcome outcome;
  outcome.status = ::grpc::Status(grpc::CodeOf(error.grpc_code), message);
  outcome.trailers.emplace_back("x-arrow-status", std::to_string(error.arrow_code));
  outcome.trailers.emplace_back("x-arrow-status-message-bin", std::move(message));
  if (!error.detail.empty() && error.detail.size() <= kDetailBytesMax) {
    outcome.trailers.emplace_back("grpc-status-details-bin", std::move(error.detail));
  }
  return outcome;
}

}  // namespace sheaf::flight
