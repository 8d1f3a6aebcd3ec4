// Counters, gauges and histograms behind an interface; `sheaf_*` names with their unit at the end.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sheaf::observe {

// One time series. Threads: any. Blocking: never.
class Counter {
 public:
  virtual ~Counter() = default;
  virtual void Add(double amount) = 0;  // Never negative.
  void Increment() { Add(1); }
};
class Gauge {
 public:
  virtual ~Gauge() = default;
  virtual void Set(double value) = 0;
};
class Histogram {
 public:
  virtual ~Histogram() = default;
  virtual void Observe(double value) = 0;
};

using Labels = std::map<std::string, std::string>;

// Metrics hands out series; the same name and labels give the same series.
//
// Owner: main; series live as long as it does. Threads: any. Blocking: takes a lock at
// hand-out: rooms keep the reference in their Probe.
class Metrics {
 public:
  virtual ~Metrics() = default;
  virtual Counter& MakeCounter(std::string_view name, std::string_view help, Labels labels) = 0;
  virtual Gauge& MakeGauge(std::string_view name, std::string_view help, Labels labels) = 0;
  virtual Histogram& MakeHistogram(std::string_view name, std::string_view help, Labels labels,
                                   std::vector<double> bounds) = 0;
  // All series in the Prometheus text format, version 0.0.4.
  virtual std::string Text() const = 0;
};

// Seconds from 100 us to 100 s, for the histograms of durations.
std::vector<double> DurationBounds();

}  // namespace sheaf::observe

namespace sheaf {
using observe::Metrics;
}  // namespace sheaf
