#include "sheaf/base/observe/memory_metrics.h"

namespace sheaf::observe {

std::vector<double> DurationBounds() {
  return {0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100};
}

MemoryMetrics::Series& MemoryMetrics::Find(std::string_view name, const Labels& labels) {
  std::string key(name);
  if (!labels.empty()) {
    key += '{';
    for (const auto& [label, value] : labels) {
      if (key.back() != '{') key += ',';
      key += label + "=\"" + value + "\"";
    }
    key += '}';
  }
  MutexLock lock(mutex_);
  auto& series = series_[key];
  if (series == nullptr) series = std::make_unique<Series>();
  return *series;
}

Counter& MemoryMetrics::MakeCounter(std::string_view name, std::string_view, Labels labels) {
  return Find(name, labels);
}
Gauge& MemoryMetrics::MakeGauge(std::string_view name, std::string_view, Labels labels) {
  return Find(name, labels);
}
Histogram& MemoryMetrics::MakeHistogram(std::string_view name, std::string_view, Labels labels,
                                        std::vector<double>) {
  return Find(name, labels);
}

std::string MemoryMetrics::Text() const {
  MutexLock lock(mutex_);
  std::string text;
  for (const auto& [key, series] : series_) {
    text += key + " " + std::to_string(series->value.load()) + "\n";
  }
  return text;
}

double MemoryMetrics::Value(std::string_view series) const {
  MutexLock lock(mutex_);
  const auto found = series_.find(std::string(series));
  return found == series_.end() ? 0 : found->second->value.load();
}

}  // namespace sheaf::observe
