// The smallest complete Metrics: numbers in memory, for tests and embedded nodes.
#pragma once

#include <atomic>
#include <memory>

#include "sheaf/base/async/mutex.h"
#include "sheaf/base/observe/metrics.h"

namespace sheaf::observe {

class MemoryMetrics final : public Metrics {
 public:
  Counter& MakeCounter(std::string_view name, std::string_view help, Labels labels) override;
  Gauge& MakeGauge(std::string_view name, std::string_view help, Labels labels) override;
  Histogram& MakeHistogram(std::string_view name, std::string_view help, Labels labels,
                           std::vector<double> bounds) override;
  std::string Text() const override;

  // The present value of a series ("name" or "name{a=\"b\"}"); 0 when it does not exist. Of a
  // histogram: the count of observations.
  double Value(std::string_view series) const;

 private:
  struct Series final : Counter, Gauge, Histogram {
    std::atomic<double> value{0};
    void Add(double amount) override { value.fetch_add(amount); }
    void Set(double now) override { value.store(now); }
    void Observe(double) override { value.fetch_add(1); }
  };
  Series& Find(std::string_view name, const Labels& labels);

  mutable Mutex mutex_;
  std::map<std::string, std::unique_ptr<Series>> series_ SHEAF_GUARDED_BY(mutex_);
};

}  // namespace sheaf::observe
