// DoAction, ListFlights, ListActions: a stream of small messages.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "sheaf/drivers/flight/core.h"

namespace sheaf::flight {

template <typename T, typename Response>
class ItemReactor final : public FlightReactor<::grpc::ServerWriteReactor<Response>> {
 public:
  using Items = std::unique_ptr<ItemStream<T>>;
  using Ask = std::function<void(CallPtr, Reply<Items>)>;

  ItemReactor(Core& core, std::shared_ptr<grpc::Context> context, Ask ask)
      : FlightReactor<::grpc::ServerWriteReactor<Response>>(core, std::move(context)),
        ask_(std::move(ask)),
        idle_(core.timers, core.options.idle_write, [this] { this->context()->Break(); }) {}
  // The watch borrows this: it ends before anything else does.
  ~ItemReactor() override { idle_.Stop(); }

  void Begin() override { std::exchange(ask_, {})(this->MakeCall(), ReplyTo<Items>(this)); }

  void Answer(Result<Items> result) {
    if (!result.ok()) {
      this->EndWith(result.error());
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
      this->EndWith(next.error());
      return;
    }
    if (!next->has_value()) {
      this->End(grpc::Outcome::Ok());
      return;
    }
    message_.Clear();
    if (const Status status = ToProto(**next, message_); !status.ok()) {
      this->EndWith(status.error());
      return;
    }
    this->context()->SealHeaders();
    this->Operate([&] { this->StartWrite(&message_); });
  }
  void OnWriteDone(bool ok) override {
    idle_.Ended();
    if (!ok) return this->PeerGone();
    Advance();
  }

  Ask ask_;
  Items items_;
  Response message_;
  grpc::IdleWatch idle_;
};

}  // namespace sheaf::flight
