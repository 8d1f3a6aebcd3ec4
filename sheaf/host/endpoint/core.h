// What all of the endpoint's calls share.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "sheaf/base/async/async.h"
#include "sheaf/host/endpoint/endpoint.h"
#include "sheaf/host/endpoint/memo.h"
#include "sheaf/host/endpoint/probe.h"
#include "sheaf/host/endpoint/request.h"

namespace sheaf::endpoint {

// Serialized schemas by object: flights of one schema share one, so that a path's FlightInfo
// costs no serialization. Bounded; forgets all when full. Threads: any.
class SchemaCache final {
 public:
  Result<std::shared_ptr<arrow::Buffer>> Message(const Schema& schema);

 private:
  struct Entry {
    Schema schema;  // Shared: keeps the address from meaning another schema.
    std::shared_ptr<arrow::Buffer> message;
  };
  Mutex mutex_;
  std::unordered_map<const arrow::Schema*, Entry> entries_ SHEAF_GUARDED_BY(mutex_);
};

// Owner: the endpoint. Threads: every method from any thread.
struct Core {
  Core(EndpointOptions given, EndpointParts lent)
      : options(std::move(given)),
        parts(lent),
        probe(parts.metrics),
        memo(options.memo_max),
        box(options.ticket_key),
        requests({.name = "request",
                  .threads_max = options.request_threads_max,
                  .queue_max = options.request_queue_max}) {}

  // A call's request, or why it is refused now (starting, draining).
  Result<RequestPtr> Open(const flight::CallPtr& call);
  // Runs work that may wait; kBackpressure through `refuse` when the queue is full.
  void Post(std::function<void()> work, const std::function<void(Error)>& refuse);
  const NodeId& self() const { return parts.cluster.membership().self(); }
  Clock& clock() const { return parts.timers.clock(); }

  const EndpointOptions options;
  EndpointParts parts;
  Probe probe;
  Memo memo;
  SchemaCache schemas;
  command::TicketBox box;
  std::atomic<Endpoint::State> state{Endpoint::State::kStarting};
  Executor requests;  // Last: its threads end before anything above dies.
};

}  // namespace sheaf::endpoint
