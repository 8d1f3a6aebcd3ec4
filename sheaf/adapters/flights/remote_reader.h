// Reads the endpoints of a flight one after another, and tells the server when it gives up.
#pragma once

#include <arrow/flight/client.h>
#include <arrow/record_batch.h>

#include <memory>
#include <string>
#include <vector>

#include "sheaf/adapters/flights/peer.h"

namespace sheaf::flights {

// How a server is told that nobody waits any more.
struct Interest {
  std::shared_ptr<arrow::flight::FlightInfo> info;  // Shared: several may hold one answer.
  TaskId task;
  // A result with a sink goes on when its reader is dropped, and ends only by a cancel.
  enum class OnDrop : uint8_t { kEnd, kLeave } on_drop = OnDrop::kEnd;
};

// Tells the server, within the peer's cancel_wait; failures are of no interest.
void EndInterest(Peer& peer, const Interest& interest, const Context& context);

// Owner: the caller of Get. Threads: one at a time; a cancel may come from any.
class RemoteReader final : public arrow::RecordBatchReader {
 public:
  // From an answered GetFlightInfo: opens the first endpoint.
  static Result<std::shared_ptr<RemoteReader>> Open(PeerPtr peer, Interest interest,
                                                    const Context& context);
  // From a stream that is open already: a ticket's single round trip.
  static Result<std::shared_ptr<RemoteReader>> Of(
      PeerPtr peer, std::unique_ptr<arrow::flight::FlightStreamReader> stream,
      const Context& context);
  ~RemoteReader() override;

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override;
  arrow::Status Close() override;

 private:
  // What a cancel on another thread may touch; outlives the registration by being shared.
  struct Live;

  RemoteReader(PeerPtr peer, Interest interest, const Context& context);
  Status OpenNext();  // The endpoint at next_; keeps schema_ or checks against it.
  Status Accept(std::unique_ptr<arrow::flight::FlightStreamReader> stream);
  Result<Batch> Read();
  void End(Error reason);

  const PeerPtr peer_;
  const Interest interest_;
  const Context context_;
  std::shared_ptr<arrow::Schema> schema_;
  std::vector<arrow::flight::FlightEndpoint> endpoints_;
  size_t next_ = 0;
  std::string address_;  // Of the endpoint being read.
  bool ended_ = false;
  const std::shared_ptr<Live> live_;
  CancelRegistration on_cancel_;  // Last: no cancel runs once anything above dies.
};

}  // namespace sheaf::flights
