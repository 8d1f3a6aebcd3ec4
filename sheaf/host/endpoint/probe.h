// All metrics of host/endpoint.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "sheaf/base/async/mutex.h"
#include "sheaf/base/observe/metrics.h"

namespace sheaf::endpoint {

// Threads: any.
class Probe {
 public:
  explicit Probe(Metrics& metrics)
      : metrics_(metrics),
        sent_rows(metrics.MakeCounter("sheaf_sent_rows_total", "Rows sent by DoGet", {})),
        sent_bytes(metrics.MakeCounter("sheaf_sent_bytes_total", "Batch bytes sent", {})),
        received_rows(metrics.MakeCounter("sheaf_received_rows_total", "Rows of DoPut", {})),
        memo_hits(metrics.MakeCounter("sheaf_memo_hits_total",
                                      "Commands answered by their bytes alone", {})) {}

  // One call more of this method that ended with this wire code ("OK", "INVALID", …).
  void Called(std::string_view method, const std::string& code, double seconds) {
    Series* series = nullptr;
    {
      MutexLock lock(mutex_);
      auto& known = series_[{std::string(method), code}];
      if (known.calls == nullptr) {
        known.calls = &metrics_.MakeCounter("sheaf_calls_total", "Flight calls by method and code",
                                            {{"method", std::string(method)}, {"code", code}});
        known.seconds = &metrics_.MakeHistogram("sheaf_call_seconds", "Duration of Flight calls",
                                                {{"method", std::string(method)}},
                                                observe::DurationBounds());
      }
      series = &known;
    }
    series->calls->Increment();
    series->seconds->Observe(seconds);
  }

 private:
  struct Series {
    observe::Counter* calls = nullptr;
    observe::Histogram* seconds = nullptr;
  };
  Metrics& metrics_;
  Mutex mutex_;
  std::map<std::pair<std::string, std::string>, Series> series_ SHEAF_GUARDED_BY(mutex_);

 public:
  observe::Counter& sent_rows;
  observe::Counter& sent_bytes;
  observe::Counter& received_rows;
  observe::Counter& memo_hits;
};

}  // namespace sheaf::endpoint
