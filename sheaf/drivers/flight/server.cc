#include "sheaf/drivers/flight/server.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "sheaf/drivers/flight/core.h"
#include "sheaf/drivers/flight/exchange_reactor.h"
#include "sheaf/drivers/flight/flight.grpc.pb.h"
#include "sheaf/drivers/flight/get_reactor.h"
#include "sheaf/drivers/flight/handshake_reactor.h"
#include "sheaf/drivers/flight/item_reactor.h"
#include "sheaf/drivers/flight/put_reactor.h"
#include "sheaf/drivers/flight/unary_reactor.h"

namespace sheaf::flight {
namespace {

using ::grpc::ByteBuffer;
using ::grpc::CallbackServerContext;
using Shape = grpc::Registry::Shape;

constexpr size_t kGetThreadsMax = 4;   // They never block.
constexpr size_t kQueueMax = 1 << 20;  // Never reached: a stream posts a few functions at most.

// Every method but Handshake speaks raw bytes: what gRPC cannot parse by itself it refuses as
// UNIMPLEMENTED, without a word.
template <typename Base>
using Streams =
    pb::FlightService::WithRawCallbackMethod_DoGet<pb::FlightService::WithRawCallbackMethod_DoPut<
        pb::FlightService::WithRawCallbackMethod_DoExchange<Base>>>;
template <typename Base>
using Unary = pb::FlightService::WithRawCallbackMethod_GetFlightInfo<
    pb::FlightService::WithRawCallbackMethod_PollFlightInfo<
        pb::FlightService::WithRawCallbackMethod_GetSchema<Base>>>;
template <typename Base>
using Items = pb::FlightService::WithRawCallbackMethod_ListFlights<
    pb::FlightService::WithRawCallbackMethod_DoAction<
        pb::FlightService::WithRawCallbackMethod_ListActions<
            pb::FlightService::WithCallbackMethod_Handshake<Base>>>>;

// As many as can run; a few are enough for answers that are there already.
size_t AnswerThreads() { return std::clamp<size_t>(std::thread::hardware_concurrency(), 2, 8); }

// Items that are all there already.
template <typename T>
class Listed final : public ItemStream<T> {
 public:
  explicit Listed(std::vector<T> items) : items_(std::move(items)) {}
  Result<std::optional<T>> Next() override {
    if (next_ == items_.size()) return std::optional<T>();
    return std::optional<T>(std::move(items_[next_++]));
  }

 private:
  std::vector<T> items_;
  size_t next_ = 0;
};

class Service final : public Streams<Unary<Items<pb::FlightService::Service>>> {
 public:
  explicit Service(Core& core) : core_(core) {}

  ::grpc::ServerUnaryReactor* GetFlightInfo(CallbackServerContext* context,
                                            const ByteBuffer* request, ByteBuffer* info) override {
    return LaunchUnary<Info, pb::FlightDescriptor, pb::FlightInfo>(
        context, "GetFlightInfo", request, info,
        [this](CallPtr call, const pb::FlightDescriptor& descriptor, Reply<Info> reply) {
          core_.handler.GetFlightInfo(std::move(call), FromProto(descriptor), std::move(reply));
        });
  }
  ::grpc::ServerUnaryReactor* PollFlightInfo(CallbackServerContext* context,
                                             const ByteBuffer* request, ByteBuffer* info) override {
    return LaunchUnary<Poll, pb::FlightDescriptor, pb::PollInfo>(
        context, "PollFlightInfo", request, info,
        [this](CallPtr call, const pb::FlightDescriptor& descriptor, Reply<Poll> reply) {
          core_.handler.PollFlightInfo(std::move(call), FromProto(descriptor), std::move(reply));
        });
  }
  ::grpc::ServerUnaryReactor* GetSchema(CallbackServerContext* context, const ByteBuffer* request,
                                        ByteBuffer* result) override {
    using SchemaPtr = std::shared_ptr<arrow::Schema>;
    return LaunchUnary<SchemaPtr, pb::FlightDescriptor, pb::SchemaResult>(
        context, "GetSchema", request, result,
        [this](CallPtr call, const pb::FlightDescriptor& descriptor, Reply<SchemaPtr> reply) {
          core_.handler.GetSchema(std::move(call), FromProto(descriptor), std::move(reply));
        });
  }

  ::grpc::ServerWriteReactor<ByteBuffer>* DoGet(CallbackServerContext* context,
                                                const ByteBuffer* ticket) override {
    return grpc::Launch<GetReactor>(core_.registry, Shape::kStream, core_, Of(context, "DoGet"),
                                    *ticket);
  }
  ::grpc::ServerBidiReactor<ByteBuffer, ByteBuffer>* DoPut(
      CallbackServerContext* context) override {
    return grpc::Launch<PutReactor>(core_.registry, Shape::kStream, core_, Of(context, "DoPut"));
  }
  ::grpc::ServerBidiReactor<ByteBuffer, ByteBuffer>* DoExchange(
      CallbackServerContext* context) override {
    return grpc::Launch<ExchangeReactor>(core_.registry, Shape::kStream, core_,
                                         Of(context, "DoExchange"));
  }

  ::grpc::ServerWriteReactor<ByteBuffer>* ListFlights(CallbackServerContext* context,
                                                      const ByteBuffer* request) override {
    return LaunchItems<Info, pb::Criteria, pb::FlightInfo>(
        context, "ListFlights", request, [this](CallPtr call, pb::Criteria criteria, auto reply) {
          core_.handler.ListFlights(std::move(call), std::move(*criteria.mutable_expression()),
                                    std::move(reply));
        });
  }
  ::grpc::ServerWriteReactor<ByteBuffer>* DoAction(CallbackServerContext* context,
                                                   const ByteBuffer* request) override {
    return LaunchItems<std::string, pb::Action, pb::Result>(
        context, "DoAction", request, [this](CallPtr call, pb::Action action, auto reply) {
          core_.handler.DoAction(
              std::move(call),
              {std::move(*action.mutable_type()), std::move(*action.mutable_body())},
              std::move(reply));
        });
  }
  ::grpc::ServerWriteReactor<ByteBuffer>* ListActions(CallbackServerContext* context,
                                                      const ByteBuffer* request) override {
    return LaunchItems<ActionType, pb::Empty, pb::ActionType>(
        context, "ListActions", request, [this](const CallPtr&, const pb::Empty&, auto reply) {
          reply(std::make_unique<Listed<ActionType>>(core_.handler.ListActions()));
        });
  }
  ::grpc::ServerBidiReactor<pb::HandshakeRequest, pb::HandshakeResponse>* Handshake(
      CallbackServerContext* context) override {
    return grpc::Launch<HandshakeReactor>(core_.registry, Shape::kCall, core_,
                                          Of(context, "Handshake"));
  }

 private:
  std::shared_ptr<grpc::Context> Of(CallbackServerContext* context, std::string_view method) {
    return std::make_shared<grpc::Context>(*context, method, core_.timers.clock());
  }
  template <typename T, typename Request, typename Response, typename Ask>
  ::grpc::ServerUnaryReactor* LaunchUnary(CallbackServerContext* context, std::string_view method,
                                          const ByteBuffer* request, ByteBuffer* response,
                                          Ask ask) {
    return grpc::Launch<UnaryReactor<T, Request, Response>>(core_.registry, Shape::kCall, core_,
                                                            Of(context, method), request, response,
                                                            std::move(ask));
  }
  template <typename T, typename Request, typename Response, typename Ask>
  ::grpc::ServerWriteReactor<ByteBuffer>* LaunchItems(CallbackServerContext* context,
                                                      std::string_view method,
                                                      const ByteBuffer* request, Ask ask) {
    return grpc::Launch<ItemReactor<T, Request, Response>>(
        core_.registry, Shape::kCall, core_, Of(context, method), request, std::move(ask));
  }

  Core& core_;  // Borrowed from the server.
};

class ServerImpl final : public Server {
 public:
  ServerImpl(ServerOptions options, Handler& handler, Timers& timers)
      : core_(std::move(options), handler, timers), service_(core_) {}

  Status Listen() {
    const ServerOptions& from = core_.options;
    grpc::ServerOptions options;
    options.host = from.host;
    options.port = from.port;
    options.tls = from.tls;
    options.receive_bytes_max = from.receive_bytes_max;
    options.transport_bytes_max = from.transport_bytes_max;
    options.streams_max = from.streams_max;
    options.health_name = pb::FlightService::service_full_name();
    options.keepalive = from.keepalive;
    options.keepalive_timeout = from.keepalive_timeout;
    SHEAF_ASSIGN(server_, grpc::Server::Start(options, {&service_}, core_.registry));
    return Done();
  }

  int port() const override { return server_->port(); }
  void SetServing(bool serving) override { server_->SetServing(serving); }
  void Stop(Duration grace) override {
    const time::SystemClock clock;  // People wait in real time, whatever clock the calls see.
    const Deadline end = Deadline::After(clock, grace);
    static_cast<void>(core_.registry.WaitForThoseNow(grace));
    server_->Stop(end.Left(clock.Now()));
  }
  Counts counts() const override {
    const auto counts = core_.registry.counts();
    return {counts.calls, counts.streams};
  }

 private:
  Core core_;
  Service service_;
  std::unique_ptr<grpc::Server> server_;  // Last: stopped before what its calls borrow goes.
};

}  // namespace

Core::Core(ServerOptions o, Handler& h, Timers& t)
    : options(std::move(o)),
      handler(h),
      timers(t),
      handoff(AnswerThreads()),
      get({.name = "flight-get", .threads_max = kGetThreadsMax, .queue_max = kQueueMax}),
      put({.name = "flight-put",
           .threads_max = static_cast<size_t>(options.put_threads_max),
           .queue_max = kQueueMax}) {}

Result<std::unique_ptr<Server>> Server::Start(ServerOptions options, Handler& handler,
                                              Timers& timers) {
  SHEAF_CHECK(options.translate != nullptr);
  SHEAF_CHECK(options.put_threads_max > 0);
  auto server = std::make_unique<ServerImpl>(std::move(options), handler, timers);
  SHEAF_TRY(server->Listen());
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace sheaf::flight
