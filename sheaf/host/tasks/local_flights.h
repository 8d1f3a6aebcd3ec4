// The task engine as ports/flights: get, put and do on this node, by a function call.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sheaf/host/tasks/actions.h"
#include "sheaf/host/tasks/engine.h"
#include "sheaf/ports/flights/flights.h"

namespace sheaf::tasks {

// Owner: main. Threads: any. Blocking: every call waits for its answer; never call it from a
// thread that must not wait.
class LocalFlights final : public flights::Flights {
 public:
  LocalFlights(Engine& engine, Actions& actions) : engine_(engine), actions_(actions) {}

  Result<flights::Stream> Get(const flights::GetRequest& request,
                              const flights::Context& context) override;
  Result<Schema> GetSchema(const flights::What& what, const flights::Context& context) override;
  Result<flights::PutReceipt> Put(const Sink& sink, arrow::RecordBatchReader& reader,
                                  const flights::Context& context) override;
  Result<std::vector<Json>> Do(std::string_view action, const Json& body,
                               const flights::Context& context) override;
  Result<std::vector<flights::Listed>> List(const Path& prefix, const Path& after, size_t limit,
                                            const flights::Context& context) override;

 private:
  Result<Submission> Place(const flights::What& what, const flights::Context& context);
  CommandPtr OwnAt(const command::PathRef& ref) const;
  Status WaitReady(const Submission& submission, const flights::GetRequest& request);

  Engine& engine_;    // Borrowed from main.
  Actions& actions_;  // Borrowed from main.
};

// The committed flight that a path (and generation) names, as a hit.
Result<Submission> FindPath(store::Store& store, const command::PathRef& ref);
// A list's row of a committed flight: its whole record, as GetFlight says it, and that it is a hit.
Json FlightMetadata(const store::FlightRecord& record);
// The same of a flight of the server's own.
Json OwnMetadata(const Path& path);

}  // namespace sheaf::tasks
