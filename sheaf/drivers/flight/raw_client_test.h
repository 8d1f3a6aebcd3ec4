// A client that says anything: raw messages over a generic stub, for tests of what comes from
// outside.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sheaf/base/time/time.h"
#include "sheaf/drivers/flight/batch_codec.h"
#include "sheaf/drivers/flight/flight.pb.h"

namespace sheaf::flight {

inline std::string BytesOf(const ::grpc::ByteBuffer& buffer) {
  std::vector<::grpc::Slice> slices;
  (void)buffer.Dump(&slices);
  std::string bytes;
  for (const auto& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

inline ::grpc::ByteBuffer BufferOf(const std::string& bytes) {
  const ::grpc::Slice slice(bytes);
  return ::grpc::ByteBuffer(&slice, 1);
}

// The messages of a stream of these batches; a descriptor stands in the first one.
inline std::vector<std::string> MessagesOf(
    const std::shared_ptr<arrow::Schema>& schema,
    const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches, const std::string& path,
    Compression compression = Compression::kNone) {
  auto encoder = BatchEncoder::Open(schema, compression, {}).value();
  for (const auto& batch : batches) SHEAF_CHECK(encoder->Write(*batch).ok());
  std::vector<std::string> messages;
  while (!encoder->empty()) messages.push_back(BytesOf(encoder->Pop()));
  arrow::flight::protocol::FlightData first;
  first.mutable_flight_descriptor()->set_type(arrow::flight::protocol::FlightDescriptor::PATH);
  first.mutable_flight_descriptor()->add_path(path);
  messages.front() = first.SerializeAsString() + messages.front();
  return messages;
}

// A connection of its own.
inline std::shared_ptr<::grpc::Channel> OwnChannel(int port) {
  ::grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxReceiveMessageSize(-1);
  return ::grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(port),
                                     ::grpc::InsecureChannelCredentials(), arguments);
}

inline void Pause(Duration wait) { static_cast<void>(Event().WaitFor(wait)); }

// Looks until it is so, for at most ten seconds.
template <typename Predicate>
bool Eventually(Predicate is_so) {
  for (int look = 0; look < 2000; ++look) {
    if (is_so()) return true;
    Pause(std::chrono::milliseconds(5));
  }
  return is_so();
}

// A field of a message whose bytes need no header or body: (number << 3 | 2), length, bytes.
inline std::string Field(char number, const std::string& bytes) {
  return std::string(1, static_cast<char>(number << 3 | 2)) +
         std::string(1, static_cast<char>(bytes.size())) + bytes;
}

// One bidirectional call, blocking step by step.
class RawCall {
 public:
  RawCall(const std::shared_ptr<::grpc::Channel>& channel, const std::string& method,
          std::chrono::milliseconds timeout = std::chrono::seconds(20))
      : stub_(channel) {
    const time::SystemClock clock;
    context_.set_deadline(std::chrono::system_clock::time_point(
        std::chrono::microseconds(clock.Wall().micros) + timeout));
    call_ = stub_.PrepareCall(&context_, "/arrow.flight.protocol.FlightService/" + method, &queue_);
    call_->StartCall(this);
    Step();
  }
  ~RawCall() {
    if (!finished_) {
      context_.TryCancel();
      (void)Finish();
    }
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }
  }
  bool Write(const std::string& bytes) {
    call_->Write(BufferOf(bytes), this);
    return Step();
  }
  bool Read(std::string* bytes = nullptr) {
    ::grpc::ByteBuffer buffer;
    call_->Read(&buffer, this);
    if (!Step()) return false;
    if (bytes != nullptr) *bytes = BytesOf(buffer);
    return true;
  }
  bool HalfClose() {
    call_->WritesDone(this);
    return Step();
  }
  void Cancel() { context_.TryCancel(); }
  ::grpc::Status Finish() {
    ::grpc::Status status;
    call_->Finish(&status, this);
    Step();
    finished_ = true;
    return status;
  }
  // Sends all, half-closes, reads to the end.
  ::grpc::Status Run(const std::vector<std::string>& messages) {
    for (const auto& message : messages) {
      if (!Write(message)) break;
    }
    HalfClose();
    while (Read()) {
    }
    return Finish();
  }

 private:
  bool Step() {
    void* tag = nullptr;
    bool ok = false;
    queue_.Next(&tag, &ok);
    return ok;
  }
  ::grpc::GenericStub stub_;
  ::grpc::ClientContext context_;
  ::grpc::CompletionQueue queue_;
  std::unique_ptr<::grpc::GenericClientAsyncReaderWriter> call_;
  bool finished_ = false;
};

}  // namespace sheaf::flight
