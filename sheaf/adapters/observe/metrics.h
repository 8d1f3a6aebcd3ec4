// Metrics through prometheus-cpp.
#pragma once

#include <memory>

#include "sheaf/base/observe/metrics.h"

namespace sheaf::observe {

struct PrometheusOptions {
  // Time series in all. Above it labels lose their values: every value reads "other".
  size_t series_max = 20'000;
};

std::unique_ptr<Metrics> MakePrometheusMetrics(PrometheusOptions options = {});

}  // namespace sheaf::observe
