// One call through the endpoint: who, until when, and the line that tells how it went.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "sheaf/base/observe/observe.h"
#include "sheaf/drivers/flight/flight.h"
#include "sheaf/host/endpoint/probe.h"
#include "sheaf/ports/flights/flights.h"

namespace sheaf::endpoint {

// Owner: shared by whatever the call still needs; its death writes the line.
// Threads: any. Blocking: never.
class Request final {
 public:
  Request(flight::CallPtr call, Clock& clock, Log& log, Probe& probe);
  ~Request();

  const flight::CallPtr& call() const { return call_; }
  const flights::Context& context() const { return context_; }
  // Remembers how the call went and names the request in the error's details.
  Error Failed(Error error);
  void Sent(int64_t rows, int64_t bytes) {
    rows_ += rows;
    bytes_ += bytes;
  }

 private:
  const flight::CallPtr call_;
  Clock& clock_;  // Borrowed from main, as the next two.
  Log& log_;
  Probe& probe_;
  const Instant since_;
  flights::Context context_;
  std::atomic<int64_t> rows_{0};
  std::atomic<int64_t> bytes_{0};
  Mutex mutex_;
  std::string code_ SHEAF_GUARDED_BY(mutex_) = "OK";
  std::string message_ SHEAF_GUARDED_BY(mutex_);
};
using RequestPtr = std::shared_ptr<Request>;

}  // namespace sheaf::endpoint
