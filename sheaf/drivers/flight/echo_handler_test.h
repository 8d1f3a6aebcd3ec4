// A handler for tests and benchmarks: keeps what is put, gives it back, and misbehaves on request.
#pragma once

#include <arrow/api.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sheaf/drivers/flight/server.h"
#include "sheaf/drivers/flight/translate.h"

namespace sheaf::flight {

// Errors as the host translates them, roughly.
inline WireError TranslateForTests(const Error& error) {
  WireError wire;
  wire.message = error.message;
  wire.detail = "{\"code\": \"" + std::string(core::KindName(error.kind)) + "\"}";
  switch (error.kind) {
    case Kind::kInvalid:
      wire.grpc_code = 3;
      wire.arrow_code = 4;
      break;
    case Kind::kDeadline:
      wire.grpc_code = 4;
      wire.arrow_code = 5;
      break;
    case Kind::kNotFound:
      wire.grpc_code = 5;
      wire.arrow_code = 2;
      break;
    case Kind::kConflict:
      wire.grpc_code = 6;
      wire.arrow_code = 45;
      break;
    case Kind::kForbidden:
      wire.grpc_code = 7;
      wire.arrow_code = 5;
      break;
    case Kind::kExhausted:
      wire.grpc_code = 8;
      wire.arrow_code = 6;
      break;
    case Kind::kUnsupported:
      wire.grpc_code = 12;
      wire.arrow_code = 10;
      break;
    case Kind::kShuttingDown:
    case Kind::kBackpressure:
      wire.grpc_code = 14;
      wire.arrow_code = 5;
      break;
    case Kind::kUnauthenticated:
      wire.grpc_code = 16;
      wire.arrow_code = 5;
      break;
    case Kind::kCancelled:
      wire.grpc_code = 1;
      wire.arrow_code = 8;
      break;
    default:
      wire.grpc_code = 13;
      wire.arrow_code = 5;
      break;
  }
  return wire;
}

inline std::shared_ptr<arrow::RecordBatch> NumbersBatch(int64_t rows, int columns = 4) {
  std::vector<std::shared_ptr<arrow::Field>> fields;
  std::vector<std::shared_ptr<arrow::Array>> arrays;
  for (int column = 0; column < columns; ++column) {
    arrow::Int64Builder builder;
    for (int64_t row = 0; row < rows; ++row) (void)builder.Append(row * column);
    arrays.push_back(builder.Finish().ValueOrDie());
    fields.push_back(arrow::field("c" + std::to_string(column), arrow::int64()));
  }
  return arrow::RecordBatch::Make(arrow::schema(fields), rows, arrays);
}

struct StoredFlight {
  std::shared_ptr<arrow::Schema> schema;
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  std::vector<std::string> metadata;  // Of batches and messages, in order.
};

class EchoHandler final : public Handler {
 public:
  // Every way in which a PutStream can end is counted.
  struct Puts {
    std::atomic<int64_t> opened{0}, ended{0}, aborted{0}, alive{0};
  };
  struct Gets {
    std::atomic<int64_t> opened{0}, alive{0}, hanging{0};
  };

  explicit EchoHandler(Timers& timers) : timers_(timers), bulk_(NumbersBatch(65'536)) {}

  Puts puts;
  Gets gets;
  std::atomic<int64_t> calls{0};
  Event cancelled;  // A "wait" call heard that it was cancelled.

  StoredFlight Stored(const std::string& name) {
    MutexLock lock(mutex_);
    const auto found = flights_.find(name);
    return found == flights_.end() ? StoredFlight() : found->second;
  }
  std::optional<Error> LastAbort() {
    MutexLock lock(mutex_);
    return last_abort_;
  }
  std::optional<Error> LastCancel() {
    MutexLock lock(mutex_);
    return last_cancel_;
  }
  void Store(const std::string& name, StoredFlight flight) {
    MutexLock lock(mutex_);
    flights_[name] = std::move(flight);
  }

  void GetFlightInfo(CallPtr call, Descriptor descriptor, Reply<Info> reply) override {
    ++calls;
    if (descriptor.command == "wait") return WaitForCancel(call, std::move(reply));
    if (descriptor.command == "forget") return;
    if (auto error = ErrorOf(descriptor.command)) return reply(std::move(*error));
    call->ReplyHeader("x-sheaf-test", "yes");
    reply(MakeInfo(std::move(descriptor)));
  }
  void PollFlightInfo(CallPtr, Descriptor descriptor, Reply<Poll> reply) override {
    Poll poll;
    poll.again = descriptor;
    poll.progress = 0.5;
    poll.expires = WallTime{1'700'000'000'500'000};
    poll.info = MakeInfo(std::move(descriptor));
    reply(std::move(poll));
  }
  void GetSchema(CallPtr, Descriptor descriptor,
                 Reply<std::shared_ptr<arrow::Schema>> reply) override {
    if (auto error = ErrorOf(descriptor.command)) return reply(std::move(*error));
    reply(bulk_->schema());
  }
  void DoGet(CallPtr call, std::string ticket, Reply<std::unique_ptr<GetStream>> reply) override;
  void DoPut(CallPtr call, Descriptor descriptor, std::shared_ptr<arrow::Schema> schema,
             Reply<std::unique_ptr<PutStream>> reply) override;
  void DoExchange(CallPtr, Descriptor, Reply<std::monostate> reply) override {
    reply(Fail(Kind::kUnsupported, "no exchanges here"));
  }
  void DoAction(CallPtr call, Action action,
                Reply<std::unique_ptr<ItemStream<std::string>>> reply) override {
    if (action.type == "cancelled?") action.body = cancelled.IsSet() ? "yes" : "no";
    if (action.type == "peer") action.body = call->peer();
    if (auto error = ErrorOf(action.type)) return reply(std::move(*error));
    const int64_t count = action.type == "many" ? 1000 : action.type == "none" ? 0 : 1;
    reply(std::make_unique<Repeat<std::string>>(action.body, count));
  }
  void ListFlights(CallPtr, std::string criteria,
                   Reply<std::unique_ptr<ItemStream<Info>>> reply) override {
    if (auto error = ErrorOf(criteria)) return reply(std::move(*error));
    reply(std::make_unique<Repeat<Info>>(MakeInfo({}), 3));
  }
  std::vector<ActionType> ListActions() override { return {{"echo", "gives the body back"}}; }
  Result<std::string> Handshake(CallPtr call, std::string payload) override {
    if (payload == "bad") return Fail(Kind::kUnauthenticated, "who are you?");
    if (call->Header("authorization").has_value()) {
      call->ReplyHeader("authorization", "Bearer token");
    }
    return "hello " + payload;
  }

 private:
  template <typename T>
  class Repeat final : public ItemStream<T> {
   public:
    Repeat(T item, int64_t count) : item_(std::move(item)), left_(count) {}
    Result<std::optional<T>> Next() override {
      if (left_ == 0) return std::optional<T>();
      --left_;
      return std::optional<T>(item_);
    }

   private:
    const T item_;
    int64_t left_;
  };
  class Stream;
  class Upload;

  // "fail:not_found: text" is an error of that kind.
  static std::optional<Error> ErrorOf(const std::string& text) {
    if (!text.starts_with("fail:")) return std::nullopt;
    const std::string rest = text.substr(5);
    for (int kind = 0; kind <= static_cast<int>(Kind::kCorrupt); ++kind) {
      const auto name = core::KindName(static_cast<Kind>(kind));
      if (!rest.starts_with(name)) continue;
      return Fail(static_cast<Kind>(kind), rest.substr(std::min(rest.size(), name.size() + 1)));
    }
    return Fail(Kind::kInternal, rest);
  }
  Info MakeInfo(Descriptor descriptor) {
    Info info;
    info.schema = SchemaMessage(*bulk_->schema()).value();
    info.descriptor = std::move(descriptor);
    info.endpoints.push_back(
        {"bulk:4", {"grpc+tcp://127.0.0.1:1"}, WallTime{1'700'000'000'000'000}, "endpoint"});
    info.endpoints.push_back({"bulk:1", {}, {}, {}});
    info.rows = 5 * bulk_->num_rows();
    info.ordered = true;
    info.app_metadata = "{\"task\": \"t\"}";
    return info;
  }
  template <typename T>
  void WaitForCancel(const CallPtr& call, Reply<T> reply) {
    auto hold = std::make_shared<CancelRegistration>();
    auto on_cancel = [this, call, reply, hold] {
      {
        MutexLock lock(mutex_);
        last_cancel_ = call->token().Check().error();
      }
      cancelled.Set();
      reply(call->token().Check().error());
    };
    CancelRegistration registration = call->token().OnCancel(std::move(on_cancel));
    MutexLock lock(mutex_);
    registrations_.push_back(std::move(registration));
  }

  Timers& timers_;
  const std::shared_ptr<arrow::RecordBatch> bulk_;
  Mutex mutex_;
  std::map<std::string, StoredFlight> flights_ SHEAF_GUARDED_BY(mutex_);
  std::optional<Error> last_abort_ SHEAF_GUARDED_BY(mutex_);
  std::optional<Error> last_cancel_ SHEAF_GUARDED_BY(mutex_);
  std::vector<CancelRegistration> registrations_ SHEAF_GUARDED_BY(mutex_);
};

// Tickets: name of a flight, or "bulk:N", with "?" options: pending (each batch after a timer),
// lz4, zstd, fail (after the batches), hang (after the batches).
class EchoHandler::Stream final : public GetStream {
 public:
  Stream(EchoHandler& handler, StoredFlight flight, int64_t left, std::string options)
      : handler_(handler), flight_(std::move(flight)), left_(left), options_(std::move(options)) {
    ++handler_.gets.opened;
    ++handler_.gets.alive;
  }
  ~Stream() override { --handler_.gets.alive; }
  std::shared_ptr<arrow::Schema> schema() const override { return flight_.schema; }
  std::string schema_metadata() const override { return "{\"meta\": 1}"; }
  Compression compression() const override {
    if (Has("lz4")) return Compression::kLz4;
    return Has("zstd") ? Compression::kZstd : Compression::kNone;
  }
  Result<Step> Next(std::function<void()> wake) override {
    using What = Step::What;
    if (Has("pending") && !std::exchange(waited_, true)) {
      handler_.timers_.After(std::chrono::microseconds(200), std::move(wake));
      return Step{What::kPending, nullptr};
    }
    if (Has("early") && !std::exchange(waited_, true)) {
      wake();
      return Step{What::kPending, nullptr};
    }
    waited_ = false;
    if (left_ == 0) {
      if (Has("fail")) return Fail(Kind::kNotFound, "gone on the way");
      if (!Has("hang")) return Step{What::kEnd, nullptr};
      ++handler_.gets.hanging;
      return Step{What::kPending, nullptr};
    }
    --left_;
    return Step{What::kBatch, flight_.batches[next_++ % flight_.batches.size()]};
  }

 private:
  bool Has(std::string_view option) const { return options_.find(option) != std::string::npos; }
  EchoHandler& handler_;
  const StoredFlight flight_;
  int64_t left_;
  const std::string options_;
  size_t next_ = 0;
  bool waited_ = false;
};

// Paths: "slow" sleeps in Write, "refuse" fails the second batch, "stall" waits for the token.
class EchoHandler::Upload final : public PutStream {
 public:
  Upload(EchoHandler& handler, CallPtr call, std::string name, StoredFlight flight)
      : handler_(handler),
        call_(std::move(call)),
        name_(std::move(name)),
        flight_(std::move(flight)) {
    ++handler_.puts.opened;
    ++handler_.puts.alive;
  }
  ~Upload() override {
    SHEAF_CHECK(over_);
    --handler_.puts.alive;
  }
  Status Write(std::shared_ptr<arrow::RecordBatch> batch, std::string app_metadata) override {
    SHEAF_CHECK(!over_);
    if (name_ == "refuse" && !flight_.batches.empty()) {
      return Fail(Kind::kConflict, "no second batch here");
    }
    if (name_ == "stall") {
      Event gone;
      const auto registration = call_->token().OnCancel([&] { gone.Set(); });
      gone.Wait();
      return call_->token().Check();
    }
    rows_ += batch->num_rows();
    bytes_ += batch->num_columns() > 0 ? batch->column(0)->length() : 0;
    if (!app_metadata.empty()) flight_.metadata.push_back(std::move(app_metadata));
    if (name_ != "drop") flight_.batches.push_back(std::move(batch));
    return Done();
  }
  Status Metadata(std::string app_metadata) override {
    SHEAF_CHECK(!over_);
    flight_.metadata.push_back(std::move(app_metadata));
    return Done();
  }
  Result<std::string> End() override {
    SHEAF_CHECK(!std::exchange(over_, true));
    ++handler_.puts.ended;
    handler_.Store(name_, std::move(flight_));
    return "{\"rows\": " + std::to_string(rows_) + "}";
  }
  void Abort(Error reason) override {
    SHEAF_CHECK(!std::exchange(over_, true));
    MutexLock lock(handler_.mutex_);
    handler_.last_abort_ = std::move(reason);
    ++handler_.puts.aborted;
  }

 private:
  EchoHandler& handler_;
  const CallPtr call_;
  const std::string name_;
  StoredFlight flight_;
  int64_t rows_ = 0;
  int64_t bytes_ = 0;
  bool over_ = false;
};

inline void EchoHandler::DoGet(CallPtr call, std::string ticket,
                               Reply<std::unique_ptr<GetStream>> reply) {
  ++calls;
  if (ticket == "wait") return WaitForCancel(call, std::move(reply));
  if (auto error = ErrorOf(ticket)) return reply(std::move(*error));
  const size_t question = ticket.find('?');
  const std::string name = ticket.substr(0, question);
  const std::string options = question == std::string::npos ? "" : ticket.substr(question);
  StoredFlight flight;
  int64_t count = 0;
  if (name.starts_with("bulk:")) {
    flight = {bulk_->schema(), {bulk_}, {}};
    count = std::stoll(name.substr(5));
  } else {
    flight = Stored(name);
    count = static_cast<int64_t>(flight.batches.size());
  }
  if (flight.schema == nullptr) return reply(Fail(Kind::kNotFound, "no flight " + name));
  reply(std::make_unique<Stream>(*this, std::move(flight), count, options));
}

inline void EchoHandler::DoPut(CallPtr call, Descriptor descriptor,
                               std::shared_ptr<arrow::Schema> schema,
                               Reply<std::unique_ptr<PutStream>> reply) {
  ++calls;
  const std::string name = descriptor.path.empty() ? descriptor.command : descriptor.path[0];
  if (auto error = ErrorOf(name)) return reply(std::move(*error));
  auto upload = std::make_unique<Upload>(*this, call, name, StoredFlight{schema, {}, {}});
  if (name != "late") return reply(std::move(upload));
  auto held = std::make_shared<std::unique_ptr<PutStream>>(std::move(upload));
  timers_.After(std::chrono::milliseconds(50), [held, reply] { reply(std::move(*held)); });
}

}  // namespace sheaf::flight
