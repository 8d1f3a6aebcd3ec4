// The door of host/endpoint: the Flight server of this node.
//
// Bytes are parsed into typed requests here, once; then asked of the task engine, the store and
// the catalog, and what they say is translated to Flight. Nothing is decided here.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "sheaf/base/async/async.h"
#include "sheaf/base/core/core.h"
#include "sheaf/base/observe/observe.h"
#include "sheaf/drivers/flight/flight.h"
#include "sheaf/host/tasks/tasks.h"
#include "sheaf/ports/cluster/cluster.h"
#include "sheaf/wire/command/ticket.h"

namespace sheaf::endpoint {

struct EndpointOptions {
  flight::ServerOptions server;     // `translate` is set by the endpoint.
  std::string ticket_key;           // command::TicketBox::kKeyBytes bytes.
  size_t request_threads_max = 16;  // Planning and actions; waits hold no thread.
  size_t request_queue_max = 4096;
  size_t memo_max = 4096;  // Commands remembered by their bytes.
  Duration pollable_wait = std::chrono::milliseconds(2000);
};

struct EndpointParts {
  tasks::Engine& engine;
  tasks::Actions& actions;
  cluster::Cluster& cluster;
  Timers& timers;
  Log& log;
  Metrics& metrics;
};

// Owner: main. Threads: any. Blocking: Start binds; Stop waits up to its grace.
// Errors of Start: kDependency naming the address that cannot be bound.
class Endpoint {
 public:
  static Result<std::unique_ptr<Endpoint>> Start(EndpointOptions options, EndpointParts parts);
  virtual ~Endpoint() = default;
  virtual int port() const = 0;
  // Until it is ready every call gets kNotReady; while draining kShuttingDown. Fenced: another
  // server took this one's place, and kNotReady says so for good.
  enum class State : uint8_t { kStarting, kReady, kDraining, kFenced };
  virtual void SetState(State state) = 0;
  virtual void Stop(Duration grace) = 0;
  virtual flight::Server::Counts counts() const = 0;
};

}  // namespace sheaf::endpoint
