// Every metric of the store.
#pragma once

#include "sheaf/base/observe/observe.h"

namespace sheaf::store {

struct Probe {
  explicit Probe(Metrics& metrics)
      : memory_bytes(metrics.MakeGauge("sheaf_store_memory_bytes", "Batches kept in memory", {})),
        disk_bytes(metrics.MakeGauge("sheaf_store_disk_bytes", "Flight files on disk", {})),
        flights(metrics.MakeGauge("sheaf_store_flights", "Committed paths", {})),
        commits(metrics.MakeCounter("sheaf_store_commits_total", "Flights committed", {})),
        transactions(metrics.MakeCounter("sheaf_store_transactions_total",
                                         "Transactions of the index, each one sync", {})),
        commit_seconds(metrics.MakeHistogram("sheaf_store_commit_seconds",
                                             "From Commit to its answer", {},
                                             observe::DurationBounds())),
        evicted(metrics.MakeCounter("sheaf_store_evicted_total", "Flights evicted", {})),
        spilled_bytes(metrics.MakeCounter("sheaf_store_spilled_bytes_total",
                                          "Bytes moved from memory to disk under pressure", {})),
        corrupt(metrics.MakeCounter("sheaf_store_corrupt_total", "Damaged blocks found", {})) {}

  observe::Gauge& memory_bytes;
  observe::Gauge& disk_bytes;
  observe::Gauge& flights;
  observe::Counter& commits;
  observe::Counter& transactions;
  observe::Histogram& commit_seconds;
  observe::Counter& evicted;
  observe::Counter& spilled_bytes;
  observe::Counter& corrupt;
};

}  // namespace sheaf::store
