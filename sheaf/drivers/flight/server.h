// The Flight server: Flight's methods over gRPC's callback API, behind one handler interface.
//
// This driver knows the protocol and nothing of Sheaf's commands. Bytes from outside are checked
// here once: lengths, alignment, IPC structure, ValidateFull of batches.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "sheaf/base/async/async.h"
#include "sheaf/base/core/core.h"
#include "sheaf/base/time/time.h"
#include "sheaf/drivers/grpc/allocator.h"
#include "sheaf/drivers/grpc/tls.h"

namespace sheaf::flight {

struct Descriptor {
  enum class Type : uint8_t { kUnknown, kPath, kCommand };
  Type type = Type::kUnknown;
  std::vector<std::string> path;
  std::string command;
};

struct Endpoint {
  std::string ticket;
  std::vector<std::string> locations;  // URIs; empty = this server.
  std::optional<WallTime> expires;
  std::string app_metadata;
};

// A flight's description. `schema` is an encapsulated IPC schema message (SerializeSchema).
struct Info {
  std::shared_ptr<arrow::Buffer> schema;
  Descriptor descriptor;
  std::vector<Endpoint> endpoints;
  int64_t rows = -1;
  int64_t bytes = -1;
  bool ordered = false;
  std::string app_metadata;
};

struct Poll {
  std::optional<Info> info;
  std::optional<Descriptor> again;  // Absent = complete.
  std::optional<double> progress;   // 0 to 1.
  std::optional<WallTime> expires;
};

struct Action {
  std::string type;
  std::string body;
};
struct ActionType {
  std::string type;
  std::string description;
};

// One call as a handler sees it.
//
// Owner: shared by the reactor and whoever answers. Threads: any. Blocking: never.
class Call {
 public:
  virtual ~Call() = default;
  virtual std::string_view method() const = 0;  // "DoGet"
  // The first value of a request header, lower-case key.
  virtual std::optional<std::string> Header(std::string_view key) const = 0;
  virtual Deadline deadline() const = 0;  // The client's, on the system's monotonic clock.
  virtual std::string peer() const = 0;
  // Cancelled when the client cancels or is gone (kCancelled), when its deadline passes
  // (kDeadline), when the server stops (kShuttingDown). Never after the call was answered.
  virtual CancelToken token() const = 0;
  // Added to the reply's initial headers; only before the first answer.
  virtual void ReplyHeader(std::string key, std::string value) = 0;
  virtual std::optional<std::string> Replied(std::string_view key) const = 0;
};
using CallPtr = std::shared_ptr<Call>;

// Answers a call once, from any thread, now or later. An answer after a cancel goes nowhere.
template <typename T>
using Reply = std::function<void(Result<T>)>;

// Of message bodies, where the client asked for it; every Flight client can read them.
enum class Compression : uint8_t { kNone, kLz4, kZstd };

// What a DoGet sends. The reactor asks for one batch at a time.
//
// Owner: the reactor; destroyed when the stream ended, however it ended. Threads: one call at a
// time, from gRPC's threads: never block.
class GetStream {
 public:
  struct Step {
    enum class What : uint8_t { kBatch, kEnd, kPending };
    What what = What::kPending;
    std::shared_ptr<arrow::RecordBatch> batch;
  };
  virtual ~GetStream() = default;
  virtual std::shared_ptr<arrow::Schema> schema() const = 0;
  virtual std::string schema_metadata() const { return {}; }  // app_metadata of the schema message
  virtual Compression compression() const { return Compression::kNone; }
  // kPending: `wake` will be called once, from any thread, perhaps before Next returns; then ask
  // again. After kBatch or kEnd `wake` is never called.
  virtual Result<Step> Next(std::function<void()> wake) = 0;
};

// What a DoPut feeds. Calls come one after another on the server's put executor and may block.
// Exactly one of End and Abort is the last call.
class PutStream {
 public:
  virtual ~PutStream() = default;
  virtual Status Write(std::shared_ptr<arrow::RecordBatch> batch, std::string app_metadata) = 0;
  virtual Status Metadata(std::string app_metadata) = 0;  // A message of metadata alone.
  virtual Result<std::string> End() = 0;  // Clean half-close; the PutResult's app_metadata.
  virtual void Abort(Error reason) = 0;   // The client broke off, idled out or sent bad bytes.
};

// A stream of small messages: DoAction results, ListFlights infos. Same rules as GetStream.
template <typename T>
class ItemStream {
 public:
  virtual ~ItemStream() = default;
  // The next item, or none at the end. Must not block; collect before.
  virtual Result<std::optional<T>> Next() = 0;
};

// The server asks; a Handler answers. Every method is called on a gRPC thread and must not
// block: post long work elsewhere and answer later.
class Handler {
 public:
  virtual ~Handler() = default;
  virtual void GetFlightInfo(CallPtr call, Descriptor descriptor, Reply<Info> reply) = 0;
  virtual void PollFlightInfo(CallPtr call, Descriptor descriptor, Reply<Poll> reply) = 0;
  virtual void GetSchema(CallPtr call, Descriptor descriptor,
                         Reply<std::shared_ptr<arrow::Schema>> reply) = 0;
  virtual void DoGet(CallPtr call, std::string ticket, Reply<std::unique_ptr<GetStream>> reply) = 0;
  virtual void DoPut(CallPtr call, Descriptor descriptor, std::shared_ptr<arrow::Schema> schema,
                     Reply<std::unique_ptr<PutStream>> reply) = 0;
  // The descriptor and, when the client writes, its schema; kUnsupported until it is built.
  virtual void DoExchange(CallPtr call, Descriptor descriptor, Reply<std::monostate> reply) = 0;
  virtual void DoAction(CallPtr call, Action action,
                        Reply<std::unique_ptr<ItemStream<std::string>>> reply) = 0;
  virtual void ListFlights(CallPtr call, std::string criteria,
                           Reply<std::unique_ptr<ItemStream<Info>>> reply) = 0;
  virtual std::vector<ActionType> ListActions() = 0;
  // Handshake payload in, payload out.
  virtual Result<std::string> Handshake(CallPtr call, std::string payload) = 0;
};

// An error as it goes on the wire; made from an Error by the host's translation.
struct WireError {
  int grpc_code = 0;
  int arrow_code = 0;
  std::string message;
  std::string detail;  // JSON
};

struct ServerOptions {
  std::string host = "127.0.0.1";
  int port = 0;  // 0 = any free one.
  std::optional<grpc::TlsFiles> tls;
  Bytes receive_bytes_max = 512_MiB;  // A message, and what it decompresses to.
  Bytes transport_bytes_max{};        // Of all connections' buffers; 0 = gRPC's own judgement.
  int streams_max = 4096;             // Concurrent streams a connection.
  Duration keepalive = std::chrono::milliseconds(2000);
  Duration keepalive_timeout = std::chrono::milliseconds(2000);
  Duration idle_read = std::chrono::seconds(300);   // Of a DoPut that sends nothing.
  Duration idle_write = std::chrono::seconds(300);  // Of a DoGet whose client reads nothing.
  int put_threads_max = 16;
  // How long a received message waits for room in `account` before its stream is kExhausted.
  Duration charge_wait = std::chrono::seconds(5);
  std::function<WireError(const Error&)> translate;  // Required.
  // Every error of a call on its way out, those that no handler has seen too; may be null.
  std::function<Error(Error, const CallPtr&)> sign;
  std::shared_ptr<Account> account;               // Received bytes are charged here; may be null.
  std::shared_ptr<grpc::FreeMemory> free_memory;  // Told what is received; may be null.
};

// Owner: host/endpoint. Threads: any. Blocking: Start binds; Stop waits up to its grace.
class Server {
 public:
  // kDependency naming the address when it cannot be bound. `handler`, `timers` are borrowed.
  static Result<std::unique_ptr<Server>> Start(ServerOptions options, Handler& handler,
                                               Timers& timers);
  virtual ~Server() = default;
  virtual int port() const = 0;
  // gRPC health: SERVING or NOT_SERVING.
  virtual void SetServing(bool serving) = 0;
  // Lets the calls of this moment end within `grace`, while the handler answers, or refuses, new
  // ones; then refuses all, cancels what still runs, and returns when the last reactor is done.
  virtual void Stop(Duration grace) = 0;
  struct Counts {
    int64_t calls = 0;    // Reactors alive.
    int64_t streams = 0;  // Of those, DoGet and DoPut.
  };
  virtual Counts counts() const = 0;
};

}  // namespace sheaf::flight
