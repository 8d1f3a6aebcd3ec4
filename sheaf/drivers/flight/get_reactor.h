// DoGet: a schema, then batches, one write outstanding.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "sheaf/drivers/flight/batch_codec.h"
#include "sheaf/drivers/flight/core.h"

namespace sheaf::flight {

// Batches are asked for when the message before them is with gRPC, or while what waits is small: a
// slow client holds one large message here, and the last batch of a small result takes the status
// with it. What a handler wakes continues on the server's `get` executor.
class GetReactor final : public FlightReactor<::grpc::ServerWriteReactor<::grpc::ByteBuffer>> {
 public:
  using Stream = std::unique_ptr<GetStream>;

  GetReactor(Core& core, std::shared_ptr<grpc::Context> context, const ::grpc::ByteBuffer& ticket);
  ~GetReactor() override { idle_.Stop(); }

  void Begin() override;
  void Answer(Result<Stream> result);
  static void Unwanted(Result<Stream>) {}

 private:
  // What a waker touches; it may outlive the reactor.
  struct Waker {
    enum class State : uint8_t { kWaiting, kPumping, kWriting, kOver };
    Mutex mutex;
    State state SHEAF_GUARDED_BY(mutex) = State::kWaiting;
    bool woken SHEAF_GUARDED_BY(mutex) = false;
  };

  // What the stream's Next may be asked for.
  enum class Next : uint8_t { kAsk, kWait, kEnd };

  void OnWriteDone(bool ok) override;
  void Idle();
  static void Wake(Waker& waker, const std::weak_ptr<grpc::Life>& weak);
  static void PostPump(std::shared_ptr<GetReactor> self);
  // Only one at a time; owns the stream and the encoder while the state is kPumping.
  void Pump();
  void Fetch();
  void Write();
  void Finish();
  bool SetState(Waker::State state);  // False when it is over.

  ::grpc::ByteBuffer ticket_;
  Stream stream_;
  std::unique_ptr<BatchEncoder> encoder_;
  ::grpc::ByteBuffer message_;  // Being written.
  bool compresses_ = false;
  Next next_ = Next::kAsk;
  Status ending_;                          // Of the stream, when next_ is kEnd.
  std::atomic<std::thread::id> beginner_;  // The thread inside Begin.
  const std::shared_ptr<Waker> waker_ = std::make_shared<Waker>();  // Shared with the stream.
  grpc::IdleWatch idle_;
};

}  // namespace sheaf::flight
