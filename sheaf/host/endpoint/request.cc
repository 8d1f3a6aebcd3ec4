#include "sheaf/host/endpoint/request.h"

#include "sheaf/wire/command/json.h"
#include "sheaf/wire/command/wire_error.h"

namespace sheaf::endpoint {

Request::Request(flight::CallPtr call, Clock& clock, Log& log, Probe& probe)
    : call_(std::move(call)), clock_(clock), log_(log), probe_(probe), since_(clock.Now()) {
  context_.roles = {"admin"};  // Of `anonymous` on a loopback listener; tokens come later.
  context_.trace.request = core::NewId<core::RequestTag>();
  context_.trace.traceparent = call_->Header("traceparent").value_or("");
  context_.cancel = call_->token();
  context_.deadline = call_->deadline();
  call_->ReplyHeader("sheaf-request-id", context_.trace.request.text);
}

Request::~Request() {
  const double seconds = std::chrono::duration<double>(clock_.Now() - since_).count();
  std::string code, message;
  {
    MutexLock lock(mutex_);
    code = code_;
    message = message_;
  }
  probe_.Called(call_->method(), code, seconds);
  log_.Write(code == "OK" || code == "POLL" ? observe::Level::kInfo : observe::Level::kWarn,
             "call",
             {{"method", call_->method()},
              {"code", code},
              {"ms", seconds * 1e3},
              {"principal", context_.principal},
              {"request", context_.trace.request.text},
              {"traceparent", context_.trace.traceparent},
              {"peer", call_->peer()},
              {"rows", rows_.load()},
              {"bytes", bytes_.load()},
              {"error", message}});
}

Error Request::Failed(Error error) {
  {
    MutexLock lock(mutex_);
    code_ = command::ToWire(error.kind).name;
    message_ = error.message;
  }
  Json details = error.details.empty() ? Json::object()
                                       : Json::parse(error.details, nullptr, false);
  if (!details.is_object()) details = Json::object();
  details["request"] = context_.trace.request.text;
  error.details = details.dump();
  return error;
}

}  // namespace sheaf::endpoint
