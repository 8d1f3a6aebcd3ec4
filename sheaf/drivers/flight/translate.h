// Between the door's structures and Flight's protobuf messages.
#pragma once

#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/byte_buffer.h>

#include <string_view>

#include "sheaf/drivers/flight/flight.pb.h"
#include "sheaf/drivers/flight/server.h"
#include "sheaf/drivers/grpc/grpc.h"

namespace sheaf::flight {

namespace pb = arrow::flight::protocol;

// kInvalid: bytes that are no message of this name.
Error Unreadable(std::string_view name);
template <typename Message>
Result<Message> ParseRequest(const ::grpc::ByteBuffer& bytes) {
  Message message;
  ::grpc::ByteBuffer copy = bytes;  // Of references: it is emptied by the reading.
  if (::grpc::SerializationTraits<Message>::Deserialize(&copy, &message).ok()) return message;
  return Unreadable(message.GetTypeName());
}
template <typename Message>
::grpc::ByteBuffer SerializeResponse(const Message& message) {
  ::grpc::ByteBuffer bytes;
  bool own = false;
  const auto done = ::grpc::SerializationTraits<Message>::Serialize(message, &bytes, &own);
  SHEAF_CHECK(done.ok());  // Below 2 GiB, for all that a handler answers.
  return bytes;
}

Descriptor FromProto(const pb::FlightDescriptor& descriptor);
// kInvalid when the bytes are no FlightDescriptor.
Result<Descriptor> ParseDescriptor(const std::string& bytes);

Status ToProto(const Descriptor& descriptor, pb::FlightDescriptor& to);
Status ToProto(const Info& info, pb::FlightInfo& to);
Status ToProto(const Poll& poll, pb::PollInfo& to);
Status ToProto(const std::shared_ptr<arrow::Schema>& schema, pb::SchemaResult& to);
Status ToProto(const ActionType& type, pb::ActionType& to);
Status ToProto(const std::string& body, pb::Result& to);

// An encapsulated IPC message of the schema, as Info and SchemaResult carry it.
Result<std::shared_ptr<arrow::Buffer>> SchemaMessage(const arrow::Schema& schema);

// Code and message for every client, and for Arrow's own the trailers from which it makes its
// exceptions: x-arrow-status, x-arrow-status-message-bin, grpc-status-details-bin. All of them
// stay below 3 KiB: gRPC refuses more than 8 KiB of headers.
grpc::Outcome OutcomeOf(WireError error);

}  // namespace sheaf::flight
