#include "sheaf/adapters/observe/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <map>
#include <utility>

#include "sheaf/base/async/mutex.h"
#include "sheaf/base/core/check.h"

namespace sheaf::observe {
namespace {

class PrometheusCounter final : public Counter {
 public:
  explicit PrometheusCounter(prometheus::Counter& series) : series_(series) {}
  void Add(double amount) override { series_.Increment(amount); }

 private:
  prometheus::Counter& series_;  // Owned by the registry.
};

class PrometheusGauge final : public Gauge {
 public:
  explicit PrometheusGauge(prometheus::Gauge& series) : series_(series) {}
  void Set(double value) override { series_.Set(value); }

 private:
  prometheus::Gauge& series_;  // Owned by the registry.
};

class PrometheusHistogram final : public Histogram {
 public:
  explicit PrometheusHistogram(prometheus::Histogram& series) : series_(series) {}
  void Observe(double value) override { series_.Observe(value); }

 private:
  prometheus::Histogram& series_;  // Owned by the registry.
};

// All series of one kind: families by name, and what we handed out.
template <typename Ours, typename Foreign>
struct Series {
  std::map<std::string, prometheus::Family<Foreign>*, std::less<>> families;
  std::map<Foreign*, Ours> handed;

  Ours& HandOut(Foreign& series) { return handed.try_emplace(&series, series).first->second; }
};

class PrometheusMetrics final : public Metrics {
 public:
  explicit PrometheusMetrics(PrometheusOptions options) : options_(options) {}

  Counter& MakeCounter(std::string_view name, std::string_view help, Labels labels) override {
    MutexLock lock(mutex_);
    auto& family = FamilyOf(counters_, prometheus::BuildCounter(), name, help);
    return counters_.HandOut(family.Add(Bounded(family, std::move(labels))));
  }
  Gauge& MakeGauge(std::string_view name, std::string_view help, Labels labels) override {
    MutexLock lock(mutex_);
    auto& family = FamilyOf(gauges_, prometheus::BuildGauge(), name, help);
    return gauges_.HandOut(family.Add(Bounded(family, std::move(labels))));
  }
  Histogram& MakeHistogram(std::string_view name, std::string_view help, Labels labels,
                           std::vector<double> bounds) override {
    MutexLock lock(mutex_);
    auto& family = FamilyOf(histograms_, prometheus::BuildHistogram(), name, help);
    return histograms_.HandOut(family.Add(Bounded(family, std::move(labels)), std::move(bounds)));
  }
  std::string Text() const override {
    return prometheus::TextSerializer().Serialize(registry_.Collect());
  }

 private:
  // The family of this name; one name with two kinds is a defect of ours.
  template <typename Ours, typename Foreign, typename Builder>
  prometheus::Family<Foreign>& FamilyOf(Series<Ours, Foreign>& all, Builder builder,
                                        std::string_view name, std::string_view help)
      SHEAF_REQUIRES(mutex_) {
    if (const auto found = all.families.find(name); found != all.families.end()) {
      return *found->second;
    }
    const bool other_kind = counters_.families.contains(name) || gauges_.families.contains(name) ||
                            histograms_.families.contains(name);
    SHEAF_CHECK(!other_kind);
    auto& family = builder.Name(std::string(name)).Help(std::string(help)).Register(registry_);
    all.families.emplace(name, &family);
    return family;
  }

  template <typename F>
  Labels Bounded(const F& family, Labels labels) SHEAF_REQUIRES(mutex_) {
    if (family.Has(labels)) return labels;
    if (series_ < options_.series_max) {
      ++series_;
      return labels;
    }
    for (auto& [label, value] : labels) value = "other";
    return labels;
  }

  const PrometheusOptions options_;
  mutable Mutex mutex_;
  prometheus::Registry registry_;  // Locks itself.
  size_t series_ SHEAF_GUARDED_BY(mutex_) = 0;
  Series<PrometheusCounter, prometheus::Counter> counters_ SHEAF_GUARDED_BY(mutex_);
  Series<PrometheusGauge, prometheus::Gauge> gauges_ SHEAF_GUARDED_BY(mutex_);
  Series<PrometheusHistogram, prometheus::Histogram> histograms_ SHEAF_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<Metrics> MakePrometheusMetrics(PrometheusOptions options) {
  return std::make_unique<PrometheusMetrics>(options);
}

}  // namespace sheaf::observe
