// The door of host/web: what a node serves over HTTP.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "sheaf/base/async/async.h"
#include "sheaf/base/core/core.h"
#include "sheaf/base/observe/observe.h"
#include "sheaf/base/time/time.h"
#include "sheaf/drivers/http/http.h"
#include "sheaf/ports/cluster/cluster.h"
#include "sheaf/ports/flights/flights.h"

namespace sheaf::web {

struct WebOptions {
  http::ServerOptions server;  // `refusal` is set here: errors of the wire.
  std::string version;
};

// Everything is borrowed and outlives the web.
struct WebParts {
  flights::Flights& flights;
  cluster::Cluster& cluster;
  Executor& executor;  // For what may wait; what only reads what is known stays on the loop.
  Log& log;
  Metrics& metrics;
  Clock& clock;
  // The one source of health, of which the action HealthCheck is another reader. Neither waits.
  std::function<Json()> health;
  std::function<bool()> ready;  // False while the node starts or drains.
};

// Owner: main. Threads: any; Stop from one. Blocking: Stop waits up to its grace.
class Web {
 public:
  virtual ~Web() = default;  // Stops without grace when nobody has.
  virtual uint16_t port() const = 0;
  virtual void Stop(Duration grace) = 0;
};

// Serves /live, /ready, /metrics and /api/v1/…; see /api/v1/openapi.json, computed from the routes.
// Errors: kInvalid (no address), kDependency (cannot listen).
Result<std::unique_ptr<Web>> StartWeb(WebOptions options, WebParts parts);

}  // namespace sheaf::web
