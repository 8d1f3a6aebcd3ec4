// The door of adapters/flights: another node's flights, asked over Arrow Flight.
#pragma once

#include <memory>
#include <string>

#include "sheaf/base/core/core.h"
#include "sheaf/base/time/time.h"
#include "sheaf/ports/flights/flights.h"

namespace sheaf::flights {

struct RemoteOptions {
  std::string token;         // Sent as `authorization: Bearer …`; empty = none.
  std::string tls_roots;     // PEM of the certificates to trust; empty = the system's.
  std::string tls_hostname;  // The name in the server's certificate, when it is not the address.
  // One turn of waiting for a long run; a cancel is obeyed at its end at the latest.
  Duration turn = std::chrono::milliseconds(1000);
  // How long telling the server of a cancel may take.
  Duration cancel_wait = std::chrono::milliseconds(2000);
  // How long a connection may take to be made before the call fails.
  Duration connect_wait = std::chrono::seconds(5);
};

// Flights of the node at `uri` (grpc://host:port, grpc+tls://…, grpc+unix://…).
//
// Owner: the caller; `clock` is borrowed. Threads: any. Blocking: OpenRemote only parses, the
// connection is made by the first call. kInvalid for a URI of another kind.
// Deviations from a node in this process, all of the stock client's making:
//   * Without on_progress a Get is one round trip and its metadata is an empty object.
//   * Put looks at the cancel token between batches; Do, List and GetSchema before the call.
//   * A filter is kUnsupported: put it into the command.
Result<std::unique_ptr<Flights>> OpenRemote(const std::string& uri, Clock& clock,
                                            RemoteOptions options = {});

// True when no connection came about: the call never reached a server.
bool IsUnreachable(const Error& error);

}  // namespace sheaf::flights
