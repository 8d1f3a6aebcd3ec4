// Every metric of ports/persistence.
#pragma once

#include <array>
#include <string>

#include "sheaf/base/observe/metrics.h"
#include "sheaf/ports/persistence/verb.h"

namespace sheaf::persistence {

struct Probe {
  explicit Probe(Metrics& metrics)
      : retries(metrics.MakeCounter("sheaf_persistence_retries_total",
                                    "Calls of the database made again", {})) {
    for (size_t i = 0; i < kVerbNames.size(); ++i) {
      const std::string verb(kVerbNames[i]);
      done[i] = &metrics.MakeCounter("sheaf_persistence_calls_total", "Calls of the database",
                                     {{"verb", verb}, {"outcome", "done"}});
      failed[i] = &metrics.MakeCounter("sheaf_persistence_calls_total", "Calls of the database",
                                       {{"verb", verb}, {"outcome", "failed"}});
      seconds[i] = &metrics.MakeHistogram("sheaf_persistence_call_seconds",
                                          "From a call of the database to its answer",
                                          {{"verb", verb}}, observe::DurationBounds());
    }
  }

  observe::Counter& retries;
  std::array<observe::Counter*, kVerbNames.size()> done{};  // Never null; owned by Metrics.
  std::array<observe::Counter*, kVerbNames.size()> failed{};
  std::array<observe::Histogram*, kVerbNames.size()> seconds{};
};

}  // namespace sheaf::persistence
