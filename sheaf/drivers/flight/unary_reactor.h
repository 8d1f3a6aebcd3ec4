// GetFlightInfo, PollFlightInfo, GetSchema: one question, one answer, perhaps much later.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "sheaf/drivers/flight/core.h"

namespace sheaf::flight {

template <typename T, typename Response>
class UnaryReactor final : public FlightReactor<::grpc::ServerUnaryReactor> {
 public:
  using Ask = std::function<void(CallPtr, Reply<T>)>;

  UnaryReactor(Core& core, std::shared_ptr<grpc::Context> context, Response* response, Ask ask)
      : FlightReactor(core, std::move(context)), response_(response), ask_(std::move(ask)) {}

  void Begin() override { std::exchange(ask_, {})(MakeCall(), ReplyTo<T>(this)); }

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
    // gRPC's own object: alive exactly until this call has ended.
    End(grpc::Outcome::Ok(), [&] { response_->Swap(&made); });
  }
  static void Unwanted(Result<T>) {}

 private:
  Response* const response_;
  Ask ask_;
};

}  // namespace sheaf::flight
