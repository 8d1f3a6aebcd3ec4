// All metrics of this room.
#pragma once

#include "sheaf/base/observe/observe.h"

namespace sheaf::files {

// References into the host's metrics, which outlive the module.
struct Probe {
  explicit Probe(Metrics& metrics)
      : files(metrics.MakeCounter("sheaf_files_opened_total", "Data files opened.", {})),
        bytes(metrics.MakeCounter("sheaf_files_read_bytes_total", "Bytes read from files.", {})),
        rows(metrics.MakeCounter("sheaf_files_rows_total", "Rows given to results.", {})),
        groups_pruned(metrics.MakeCounter("sheaf_files_row_groups_pruned_total",
                                          "Parquet row groups that statistics ruled out.", {})),
        refused(metrics.MakeCounter("sheaf_files_refused_total",
                                    "Requests for files outside of the roots.", {})) {}

  observe::Counter& files;
  observe::Counter& bytes;
  observe::Counter& rows;
  observe::Counter& groups_pruned;
  observe::Counter& refused;
};

}  // namespace sheaf::files
