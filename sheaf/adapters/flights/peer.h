// One connection to a node, and what every call on it carries.
#pragma once

#include <arrow/flight/client.h>

#include <map>
#include <memory>
#include <string>

#include "sheaf/adapters/flights/flights.h"
#include "sheaf/base/async/async.h"

namespace sheaf::flights {

// Owner: shared by the remote flights and every stream read from it. Threads: any.
class Peer final : public std::enable_shared_from_this<Peer> {
 public:
  static Result<std::shared_ptr<Peer>> Connect(const std::string& uri, Clock& clock,
                                               const RemoteOptions& options);

  arrow::flight::FlightClient& client() { return *client_; }
  const std::string& address() const { return address_; }
  Clock& clock() const { return clock_; }
  const RemoteOptions& options() const { return options_; }

  // Headers and timeout of a call; the context's own reason when it is over already.
  Result<arrow::flight::FlightCallOptions> Options(const Context& context) const;
  // For telling the server that something is over: short, whatever the context says.
  arrow::flight::FlightCallOptions CancelOptions(const Context& context) const;

  // The node at an endpoint's location; this one when there is none. Connections are kept.
  Result<std::shared_ptr<Peer>> At(const arrow::flight::FlightEndpoint& endpoint);

 private:
  Peer(std::unique_ptr<arrow::flight::FlightClient> client, std::string address, Clock& clock,
       RemoteOptions options);

  const std::unique_ptr<arrow::flight::FlightClient> client_;
  const std::string address_;
  Clock& clock_;  // Borrowed from main; outlives this.
  const RemoteOptions options_;
  Mutex mutex_;
  // Shared with the streams that read from them.
  std::map<std::string, std::shared_ptr<Peer>> others_ SHEAF_GUARDED_BY(mutex_);
};
using PeerPtr = std::shared_ptr<Peer>;

// A path as a descriptor or a ticket, a command, a task: what a call sends.
arrow::flight::FlightDescriptor DescriptorOf(const What& what);
arrow::flight::Ticket TicketOf(const What& what);

// What JSON bytes of a server say; an empty object when there are none.
Result<Json> ParseAnswer(std::string_view text, const std::string& address);

}  // namespace sheaf::flights
