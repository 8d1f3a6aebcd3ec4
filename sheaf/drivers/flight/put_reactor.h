// DoPut: a descriptor and a schema, batches, one result.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "sheaf/drivers/flight/batch_codec.h"
#include "sheaf/drivers/flight/core.h"

namespace sheaf::flight {

// Messages are received on gRPC's threads, and decoded, checked and delivered on a strand over
// the server's `put` executor. At most kUndeliveredMax wait for it; while they do, nothing is
// read, and the client feels it. Received bytes are charged until they are delivered.
//
// Once a PutStream is here it hears exactly one End or Abort, on the strand, as its last call.
class PutReactor final
    : public FlightReactor<::grpc::ServerBidiReactor<::grpc::ByteBuffer, ::grpc::ByteBuffer>> {
 public:
  using Stream = std::unique_ptr<PutStream>;
  static constexpr int kUndeliveredMax = 2;

  PutReactor(Core& core, std::shared_ptr<grpc::Context> context);
  ~PutReactor() override;

  void Begin() override { Read(); }
  void Answer(Result<Stream> result);
  static void Unwanted(Result<Stream> result);

 private:
  // Received bytes, charged to the account until they die.
  class Received;

  // --- on gRPC's threads ---
  void OnReadDone(bool ok) override;
  void Read();
  void Take(Deadline give_up);     // Charges what was read, or waits for room.
  void Accept(Received received);  // Opens the stream with it, or hands it to the strand.
  Status Open(const ::grpc::ByteBuffer& bytes);
  void NoMore();  // The client sends nothing more.
  void Halted(const Error& reason) override;
  void Idle();
  void Refuse(const Error& reason);  // Ends the call, then the stream.

  // --- on the strand ---
  void Post(void (PutReactor::*step)());
  void Deliver();
  Status Feed(const ::grpc::ByteBuffer& bytes);
  Status FeedFirst();  // The metadata that came with the schema.
  void Delivered();
  void Finish();
  void Abort();  // With the reason the call ended for.

  ::grpc::ByteBuffer in_;      // Being read.
  ::grpc::ByteBuffer result_;  // Being written.
  const std::shared_ptr<Strand> strand_;
  std::unique_ptr<BatchDecoder> decoder_;  // Made by Open; of the strand from then on.
  Stream stream_;                          // Of the strand; null after End or Abort.
  std::string first_metadata_;             // The same.
  bool opening_ = false;                   // Of gRPC's threads, which read one after another.
  bool echoing_ = false;                   // The same.

  Mutex mutex_;
  std::deque<Received> inbox_ SHEAF_GUARDED_BY(mutex_);
  bool opened_ SHEAF_GUARDED_BY(mutex_) = false;  // A stream is here.
  bool closed_ SHEAF_GUARDED_BY(mutex_) = false;  // The client has half-closed.
  bool reading_ SHEAF_GUARDED_BY(mutex_) = true;  // Or about to.
  int undelivered_ SHEAF_GUARDED_BY(mutex_) = 0;
  std::optional<Error> halted_ SHEAF_GUARDED_BY(mutex_);
  grpc::IdleWatch idle_;
};

}  // namespace sheaf::flight
