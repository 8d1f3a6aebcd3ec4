// DoPut: a descriptor and a schema, batches, one result.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "sheaf/drivers/flight/batch_codec.h"
#include "sheaf/drivers/flight/core.h"

namespace sheaf::flight {

// Messages are received on gRPC's threads, and decoded, checked and delivered in turns on the
// server's `put` executor: one turn of a stream at a time, and each goes to the back of the
// executor's queue, so that more uploads than threads all move on. At most kUndeliveredMax messages
// wait for their turn; while they do, nothing is read, and the client feels it. Received bytes are
// charged until they are delivered.
//
// Once a PutStream is here it hears exactly one End or Abort, in a turn, as its last call.
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
  void OnSendInitialMetadataDone(bool ok) override;
  void Read();
  void Take(Deadline give_up);     // Charges what was read, or waits for room.
  void Accept(Received received);  // Opens the stream with it, or leaves it for a turn.
  Status Open(::grpc::ByteBuffer&& bytes);
  void NoMore();  // The client sends nothing more.
  void Halted(const Error& reason) override;
  void Idle();
  void Refuse(const Error& reason);  // Ends the call, then the stream.

  // --- in turns ---
  using Turn = void (PutReactor::*)();
  void Post(Turn turn);
  void NextTurn();  // Asks the executor for a turn.
  void TakeTurn();
  void Deliver();
  Status Feed(::grpc::ByteBuffer&& bytes);
  Status FeedFirst();  // The metadata that came with the schema.
  void Delivered();
  void Finish();
  void Abort();  // With the reason the call ended for.

  ::grpc::ByteBuffer in_;                  // Being read.
  ::grpc::ByteBuffer result_;              // Being written.
  std::unique_ptr<BatchDecoder> decoder_;  // Made by Open; of the turns from then on.
  Stream stream_;                          // Of the turns; null after End or Abort.
  std::string first_metadata_;             // The same.
  bool opening_ = false;                   // Of gRPC's threads, which read one after another.

  Mutex mutex_;
  std::deque<Received> inbox_ SHEAF_GUARDED_BY(mutex_);
  std::deque<Turn> turns_ SHEAF_GUARDED_BY(mutex_);  // The first one is asked for, or running.
  bool opened_ SHEAF_GUARDED_BY(mutex_) = false;     // A stream is here.
  bool closed_ SHEAF_GUARDED_BY(mutex_) = false;     // The client has half-closed.
  bool reading_ SHEAF_GUARDED_BY(mutex_) = true;     // Or about to.
  int undelivered_ SHEAF_GUARDED_BY(mutex_) = 0;
  std::optional<Error> halted_ SHEAF_GUARDED_BY(mutex_);
  grpc::IdleWatch idle_;
};

}  // namespace sheaf::flight
