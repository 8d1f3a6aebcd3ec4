// DoExchange: takes the descriptor and asks the handler, who refuses until exchanges are built.
#pragma once

#include <memory>
#include <utility>
#include <variant>

#include "sheaf/drivers/flight/codec.h"
#include "sheaf/drivers/flight/core.h"

namespace sheaf::flight {

class ExchangeReactor final
    : public FlightReactor<::grpc::ServerBidiReactor<::grpc::ByteBuffer, ::grpc::ByteBuffer>> {
 public:
  ExchangeReactor(Core& core, std::shared_ptr<grpc::Context> context);
  ~ExchangeReactor() override { idle_.Stop(); }

  void Begin() override;
  void Answer(Result<std::monostate> result);
  static void Unwanted(Result<std::monostate>) {}

 private:
  void OnReadDone(bool ok) override;
  Status Open();

  ::grpc::ByteBuffer in_;
  grpc::IdleWatch idle_;
};

}  // namespace sheaf::flight
