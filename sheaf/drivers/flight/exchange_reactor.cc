#include "sheaf/drivers/flight/exchange_reactor.h"

namespace sheaf::flight {

ExchangeReactor::ExchangeReactor(Core& core, std::shared_ptr<grpc::Context> context)
    : FlightReactor(core, std::move(context)),
      idle_(core.timers, core.options.idle_read, [this] { EndIdle(kSilent); }) {}

void ExchangeReactor::Begin() {
  idle_.Started();
  Operate([this] { StartRead(&in_); });
}

void ExchangeReactor::OnReadDone(bool ok) {
  idle_.Ended();
  if (!ok && context()->IsCancelled()) return PeerGone();
  const Status status =
      ok ? Open() : Status(Fail(Kind::kInvalid, "the exchange ended before its descriptor came"));
  if (!status.ok()) EndWith(status.error());
}

Status ExchangeReactor::Open() {
  SHEAF_ASSIGN(const FlightData first, Decode(std::move(in_)));
  if (!first.descriptor.has_value()) {
    return Fail(Kind::kInvalid, "the first message of an exchange holds no descriptor");
  }
  SHEAF_ASSIGN(Descriptor descriptor, ParseDescriptor(*first.descriptor));
  core().handler.DoExchange(MakeCall(), std::move(descriptor), ReplyTo<std::monostate>(this));
  return Done();
}

void ExchangeReactor::Answer(Result<std::monostate> result) {
  EndWith(result.ok() ? Fail(Kind::kUnsupported, "DoExchange is not built yet")
                      : std::move(result).error());
}

}  // namespace sheaf::flight
