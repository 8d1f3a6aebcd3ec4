// DoAction, ListFlights, ListActions: a stream of small messages.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "sheaf/drivers/flight/core.h"

namespace sheaf::flight {

template <typename T, typename Request, typename Response>
class ItemReactor final : public FlightReactor<::grpc::ServerWriteReactor<::grpc::ByteBuffer>> {
 public:
  using Items = std::unique_ptr<ItemStream<T>>;
  using Ask = std::function<void(CallPtr, Request, Reply<Items>)>;

  ItemReactor(Core& core, std::shared_ptr<grpc::Context> context, const ::grpc::ByteBuffer* request,
              Ask ask)
      : FlightReactor(core, std::move(context)),
        request_(request),
        ask_(std::move(ask)),
        idle_(core.timers, core.options.idle_write, [this] { EndIdle(kUnread); }) {}
  // The watch borrows this: it ends before anything else does.
  ~ItemReactor() override { idle_.Stop(); }

  void Begin() override {
    auto request = ParseRequest<Request>(*request_);
    if (!request.ok()) {
      EndWith(request.error());
      return;
    }
    std::exchange(ask_, {})(MakeCall(), std::move(*request), ReplyTo<Items>(this));
  }

  void Answer(Result<Items> result) {
    if (!result.ok()) {
      EndWith(result.error());
      return;
    }
    items_ = std::move(*result);
    Advance();
  }
  static void Unwanted(Result<Items>) {}

 private:
  // One at a time: from the answer, then from each finished write.
  void Advance() {
    Result<std::optional<T>> next = std::optional<T>();
    if (items_ != nullptr) next = items_->Next();
    idle_.Started();
    if (!next.ok()) {
      EndWith(next.error());
      return;
    }
    if (!next->has_value()) {
      End(grpc::Outcome::Ok());
      return;
    }
    Response made;
    if (const Status status = ToProto(**next, made); !status.ok()) {
      EndWith(status.error());
      return;
    }
    message_ = SerializeResponse(made);
    context()->SealHeaders();
    Operate([this] { StartWrite(&message_); });
  }
  void OnWriteDone(bool ok) override {
    idle_.Ended();
    if (!ok) return PeerGone();
    Advance();
  }

  const ::grpc::ByteBuffer* const request_;  // gRPC's own, read once at the start.
  Ask ask_;
  Items items_;
  ::grpc::ByteBuffer message_;  // Being written.
  grpc::IdleWatch idle_;
};

}  // namespace sheaf::flight
