// GetFlightInfo, PollFlightInfo, GetSchema: one question, one answer, perhaps much later.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "sheaf/drivers/flight/core.h"

namespace sheaf::flight {

template <typename T, typename Request, typename Response>
class UnaryReactor final : public FlightReactor<::grpc::ServerUnaryReactor> {
 public:
  using Ask = std::function<void(CallPtr, Request, Reply<T>)>;

  UnaryReactor(Core& core, std::shared_ptr<grpc::Context> context,
               const ::grpc::ByteBuffer* request, ::grpc::ByteBuffer* response, Ask ask)
      : FlightReactor(core, std::move(context)),
        request_(request),
        response_(response),
        ask_(std::move(ask)) {}

  void Begin() override {
    // A copy, which shares the bytes: gRPC's own goes with a call that is cancelled meanwhile.
    const auto self = std::static_pointer_cast<UnaryReactor>(this->shared_from_this());
    this->core().handoff.Run([self, request = *request_] { self->Consider(request); });
  }

  void Consider(const ::grpc::ByteBuffer& bytes) {
    if (this->ended()) return;
    auto request = ParseRequest<Request>(bytes);
    if (!request.ok()) {
      EndWith(request.error());
      return;
    }
    std::exchange(ask_, {})(MakeCall(), std::move(*request), ReplyTo<T>(this));
  }

  void Answer(Result<T> result) {
    if (!result.ok()) {
      EndWith(result.error());
      return;
    }
    Response made;
    if (const Status status = ToProto(*result, made); !status.ok()) {
      EndWith(status.error());
      return;
    }
    ::grpc::ByteBuffer bytes = SerializeResponse(made);
    // gRPC's own object: alive exactly until this call has ended.
    End(grpc::Outcome::Ok(), [&] { response_->Swap(&bytes); });
  }
  static void Unwanted(Result<T>) {}

 private:
  const ::grpc::ByteBuffer* const request_;  // gRPC's own, read once at the start.
  ::grpc::ByteBuffer* const response_;
  Ask ask_;
};

}  // namespace sheaf::flight
