// All metrics of services/sql.
#pragma once

#include "sheaf/base/observe/observe.h"

namespace sheaf::sql {

struct Probe {
  explicit Probe(Metrics& metrics)
      : runs_ok(Runs(metrics, "ok")),
        runs_failed(Runs(metrics, "failed")),
        runs_cancelled(Runs(metrics, "cancelled")),
        rows(metrics.MakeCounter("sheaf_sql_rows_total", "Rows that SQL gave", {})),
        seconds(metrics.MakeHistogram("sheaf_sql_run_seconds", "How long SQL ran", {},
                                      observe::DurationBounds())),
        running(metrics.MakeGauge("sheaf_sql_running", "Queries running", {})),
        lingering(metrics.MakeGauge("sheaf_sql_lingering",
                                    "Cancelled queries that DuckDB has not ended yet", {})),
        memory_cut(metrics.MakeCounter("sheaf_sql_memory_cut_total",
                                       "Queries ended for memory that DuckDB does not count", {})) {
  }

  static observe::Counter& Runs(Metrics& metrics, const char* outcome) {
    return metrics.MakeCounter("sheaf_sql_runs_total", "Runs of SQL by outcome",
                               {{"outcome", outcome}});
  }

  observe::Counter& runs_ok;
  observe::Counter& runs_failed;
  observe::Counter& runs_cancelled;
  observe::Counter& rows;
  observe::Histogram& seconds;
  observe::Gauge& running;
  observe::Gauge& lingering;
  observe::Counter& memory_cut;
};

}  // namespace sheaf::sql
