// Every metric of host/modules.
#pragma once

#include <string>

#include "sheaf/base/observe/metrics.h"

namespace sheaf::modules {

// Of one module.
struct Probe {
  Probe(Metrics& metrics, const std::string& module)
      : ready(metrics.MakeGauge("sheaf_module_ready", "1 while the module is ready.",
                                {{"module", module}})),
        failures_total(metrics.MakeCounter(
            "sheaf_module_failures_total",
            "Calls of the module that failed, threw or did not return in time.",
            {{"module", module}})) {}

  observe::Gauge& ready;
  observe::Counter& failures_total;
};

}  // namespace sheaf::modules
