// Flights in Sheaf's words: get, put, do. The task engine answers for this node with a function
// call, adapters/flights for another node with a Flight call; who asks cannot tell.
#pragma once

#include <arrow/type_fwd.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "sheaf/base/async/async.h"
#include "sheaf/base/core/core.h"
#include "sheaf/base/observe/trace.h"
#include "sheaf/base/time/time.h"
#include "sheaf/wire/columnar/columnar.h"
#include "sheaf/wire/command/command.h"

namespace sheaf::flights {

// Who calls, and how long they wait. A value.
struct Context {
  std::string principal = "anonymous";
  std::vector<std::string> roles;
  observe::Trace trace;
  CancelToken cancel;
  Deadline deadline;
};

// What is asked for.
using What = std::variant<std::shared_ptr<const Command>, command::PathRef, command::TaskRef>;

struct GetRequest {
  What what;
  std::vector<std::string> columns;  // Empty = all.
  // [["l_quantity", "<", 24], …], all must hold; as in the `files` spec. Empty = none.
  Json filter = Json::array();
  // Called now and then while the call waits: {"task", "state", "progress"}. May be null.
  std::function<void(const Json&)> on_progress;
};

// A flight being read: partitions one after another, in order.
//
// Owner: the caller; its death ends the interest. Threads: one at a time. Blocking: the reader's
// ReadNext waits for the writer; errors come as Status and turn back by columnar::FromArrow.
struct Stream {
  Json metadata;                                     // FlightInfo's app_metadata.
  std::shared_ptr<arrow::RecordBatchReader> reader;  // Shared as Arrow's own readers are.
};

struct PutReceipt {
  int64_t rows = 0;
  int64_t bytes = 0;
  uint64_t generation = 0;
  bool durable = false;
};

// One flight as a list shows it.
struct Listed {
  Path path;
  Schema schema;
  int64_t rows = 0;
  int64_t bytes = 0;
  Json metadata;
};

// Owner: main. Threads: any. Blocking: every call waits for its answer; context.cancel and
// context.deadline end the wait, and for commands the run.
// Errors: those of the Flight contract, section 6.
class Flights {
 public:
  virtual ~Flights() = default;
  virtual Result<Stream> Get(const GetRequest& request, const Context& context) = 0;
  // The schema that a command would have, or that a path has; nothing runs.
  virtual Result<Schema> GetSchema(const What& what, const Context& context) = 0;
  // All of the reader, committed under the sink, or nothing. An error of the reader aborts.
  virtual Result<PutReceipt> Put(const Sink& sink, arrow::RecordBatchReader& reader,
                                 const Context& context) = 0;
  // An action of the Flight contract, section 5, by name; one JSON value a result.
  virtual Result<std::vector<Json>> Do(std::string_view action, const Json& body,
                                       const Context& context) = 0;
  virtual Result<std::vector<Listed>> List(const Path& prefix, const Path& after, size_t limit,
                                           const Context& context) = 0;
};

}  // namespace sheaf::flights
