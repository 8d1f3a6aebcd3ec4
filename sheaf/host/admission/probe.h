// All metrics of host/admission.
#pragma once

#include "sheaf/base/observe/metrics.h"

namespace sheaf::admission {

struct Probe {
  explicit Probe(Metrics& metrics)
      : running(metrics.MakeGauge("sheaf_admission_running", "Trees of tasks that run", {})),
        waiting(metrics.MakeGauge("sheaf_admission_waiting", "Trees that wait for a slot", {})),
        refused(metrics.MakeCounter("sheaf_admission_refused_total",
                                    "Trees turned away with BACKPRESSURE", {})),
        wait_seconds(metrics.MakeHistogram("sheaf_admission_wait_seconds",
                                           "Time from entry to slot", {},
                                           observe::DurationBounds())) {}
  observe::Gauge& running;
  observe::Gauge& waiting;
  observe::Counter& refused;
  observe::Histogram& wait_seconds;
};

}  // namespace sheaf::admission
