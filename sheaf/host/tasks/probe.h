// All metrics of host/tasks.
#pragma once

#include "sheaf/base/observe/metrics.h"

namespace sheaf::tasks {

struct Probe {
  explicit Probe(Metrics& metrics)
      : hits(Outcome(metrics, "hit")),
        runs(Outcome(metrics, "run")),
        attached(Outcome(metrics, "attached")),
        fused(Outcome(metrics, "fused")),
        completed(Ended(metrics, "completed")),
        errored(Ended(metrics, "errored")),
        cancelled(Ended(metrics, "cancelled")),
        active(metrics.MakeGauge("sheaf_tasks_active", "Runs queued or executing", {})),
        run_seconds(metrics.MakeHistogram("sheaf_task_run_seconds", "From start to end of a run",
                                          {}, observe::DurationBounds())),
        uploads(metrics.MakeCounter("sheaf_uploads_total", "Uploads committed", {})) {}

  static observe::Counter& Outcome(Metrics& metrics, const char* outcome) {
    return metrics.MakeCounter("sheaf_tasks_total", "Nodes of commands by how they were answered",
                               {{"outcome", outcome}});
  }
  static observe::Counter& Ended(Metrics& metrics, const char* state) {
    return metrics.MakeCounter("sheaf_tasks_ended_total", "Runs by their last state",
                               {{"state", state}});
  }

  observe::Counter& hits;
  observe::Counter& runs;
  observe::Counter& attached;
  observe::Counter& fused;
  observe::Counter& completed;
  observe::Counter& errored;
  observe::Counter& cancelled;
  observe::Gauge& active;
  observe::Histogram& run_seconds;
  observe::Counter& uploads;
};

}  // namespace sheaf::tasks
