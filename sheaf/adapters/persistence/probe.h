// Every metric of adapters/persistence; calls are counted by ports/persistence.
#pragma once

#include "sheaf/base/observe/metrics.h"

namespace sheaf::persistence {

struct SpoolProbe {
  explicit SpoolProbe(Metrics& metrics)
      : records(metrics.MakeGauge("sheaf_persistence_spooled_records",
                                  "Writes that wait for a database that is away", {})),
        bytes(metrics.MakeGauge("sheaf_persistence_spool_bytes", "Bytes of these writes", {})),
        spooled(metrics.MakeCounter("sheaf_persistence_spooled_total",
                                    "Writes that were put into the spool", {})),
        replayed(metrics.MakeCounter("sheaf_persistence_replayed_total",
                                     "Writes of the spool that were made", {})),
        set_aside(metrics.MakeCounter("sheaf_persistence_set_aside_total",
                                      "Writes of the spool that could not be made any more", {})),
        refused(metrics.MakeCounter("sheaf_persistence_spool_refused_total",
                                    "Writes that the spool had no room for", {})),
        attempts(metrics.MakeCounter("sheaf_persistence_replay_failures_total",
                                     "Attempts to replay that found the database away", {})) {}

  observe::Gauge& records;
  observe::Gauge& bytes;
  observe::Counter& spooled;
  observe::Counter& replayed;
  observe::Counter& set_aside;
  observe::Counter& refused;
  observe::Counter& attempts;
};

}  // namespace sheaf::persistence
