// FlightData between Arrow's IPC messages and gRPC's byte buffers, without protobuf: bodies are
// referenced, not copied, wherever gRPC allows it.
#pragma once

#include <arrow/buffer.h>
#include <arrow/ipc/writer.h>
#include <grpcpp/support/byte_buffer.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "sheaf/base/core/core.h"

namespace sheaf::flight {

// One message of DoGet, DoPut or DoExchange. Fields that are absent or empty are null.
struct FlightData {
  std::optional<std::string> descriptor;  // A serialised FlightDescriptor.
  std::shared_ptr<arrow::Buffer> header;  // 8-byte aligned.
  std::shared_ptr<arrow::Buffer> app_metadata;
  std::shared_ptr<arrow::Buffer> body;  // 8-byte aligned.
};

// The greatest message that gRPC, and every Flight client, can take.
inline constexpr int64_t kFlightDataBytesMax = INT32_MAX;

// The buffers of `payload` live until gRPC has sent them. kInternal above kFlightDataBytesMax:
// batches are cut to size by who hands them over.
Result<::grpc::ByteBuffer> Encode(const arrow::ipc::IpcPayload& payload,
                                  std::string_view app_metadata = {});

// Bytes from outside: every length is checked. A field within one aligned slice keeps that slice
// alive; any other is gathered once into a 64-byte aligned buffer, and slices are let go as soon as
// they are read, so that a large message is hardly ever in memory twice. Errors: kInvalid, and
// kExhausted when there is no memory to gather into.
Result<FlightData> Decode(::grpc::ByteBuffer&& bytes);

// The text of a buffer that may be null.
std::string TextOf(const std::shared_ptr<arrow::Buffer>& buffer);

}  // namespace sheaf::flight
