// Every metric of host/chronicle.
#pragma once

#include "sheaf/base/observe/metrics.h"

namespace sheaf::chronicle {

struct Probe {
  explicit Probe(Metrics& metrics)
      : written(metrics.MakeCounter("sheaf_history_jobs_total", "Runs written to history", {})),
        unwritable(metrics.MakeCounter("sheaf_history_unwritable_total",
                                       "Runs that no back end could take", {})),
        failures(metrics.MakeCounter("sheaf_history_failures_total",
                                     "Writings that failed and were tried again", {})),
        refused(metrics.MakeCounter("sheaf_history_refused_total",
                                    "Runs refused because too many wait for the database", {})),
        requeued(metrics.MakeCounter("sheaf_history_requeued_total",
                                     "Runs of the last process that were queued again", {})),
        premature(metrics.MakeCounter("sheaf_history_premature_total",
                                      "Runs of the last process that were given up", {})),
        waiting(
            metrics.MakeGauge("sheaf_history_waiting", "Ended runs that are not written yet", {})),
        live(metrics.MakeGauge("sheaf_history_live", "Runs in the checkpoint", {})),
        state(metrics.MakeGauge("sheaf_persistence_state",
                                "Memory beyond the process: 0 disabled, 1 ok, 2 degraded, 3 lost",
                                {})) {}

  observe::Counter& written;
  observe::Counter& unwritable;
  observe::Counter& failures;
  observe::Counter& refused;
  observe::Counter& requeued;
  observe::Counter& premature;
  observe::Gauge& waiting;
  observe::Gauge& live;
  observe::Gauge& state;
};

}  // namespace sheaf::chronicle
