// Every metric of host/web.
#pragma once

#include <array>
#include <map>
#include <string>

#include "sheaf/base/observe/metrics.h"

namespace sheaf::web {

// Of one route; "other" stands for all that is no route, so that nobody outside makes series.
struct Probe {
  Probe(Metrics& metrics, const std::string& route)
      : seconds(metrics.MakeHistogram("sheaf_http_request_seconds",
                                      "From a request read to its answer given.",
                                      {{"route", route}}, observe::DurationBounds())) {
    for (int status = 2; status <= 5; ++status) {
      requests_total[status] = &metrics.MakeCounter(
          "sheaf_http_requests_total", "Requests answered, by class of status.",
          {{"route", route}, {"status", std::to_string(status) + "xx"}});
    }
  }

  observe::Histogram& seconds;
  std::map<int, observe::Counter*> requests_total;  // By the status's first digit.
};

}  // namespace sheaf::web
