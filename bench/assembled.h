// A node put together in this process as the program does it, over a store in memory, without
// services: for what only a filled catalog or a call without a wire can show.
#pragma once

#include <memory>
#include <string>

#include "sheaf/adapters/cluster/cluster.h"
#include "sheaf/adapters/observe/observe.h"
#include "sheaf/adapters/query_state/query_state.h"
#include "sheaf/adapters/store/local_store.h"
#include "sheaf/host/admission/admission.h"
#include "sheaf/host/endpoint/endpoint.h"
#include "sheaf/host/tasks/tasks.h"

namespace bench {

// Owner: main. Threads: as its parts.
struct Assembled {
  explicit Assembled(sheaf::Log& given) : log(given) {}

  sheaf::endpoint::EndpointParts parts() {
    return {.engine = engine,
            .actions = actions,
            .cluster = *cluster,
            .timers = timers,
            .log = log,
            .metrics = *metrics};
  }
  static sheaf::endpoint::EndpointOptions options() {
    sheaf::endpoint::EndpointOptions options;
    options.ticket_key = std::string(sheaf::command::TicketBox::kKeyBytes, 'k');
    return options;
  }

  sheaf::Log& log;  // Borrowed from main.
  sheaf::time::SystemClock clock;
  std::unique_ptr<sheaf::Metrics> metrics = sheaf::observe::MakePrometheusMetrics();
  std::shared_ptr<sheaf::Account> account = sheaf::Account::Root("node", {});
  sheaf::Timers timers{clock};
  std::unique_ptr<sheaf::query_state::QueryState> states =
      sheaf::query_state::MakeMemoryQueryState(clock);
  std::unique_ptr<sheaf::store::Store> store =
      sheaf::store::OpenLocal({.clock = clock, .log = log, .metrics = *metrics, .timers = &timers})
          .value();
  sheaf::admission::Admission admission{{}, clock, *metrics, account};
  std::unique_ptr<sheaf::cluster::Cluster> cluster =
      sheaf::cluster::MakeMemoryCluster(sheaf::core::NewId<sheaf::core::NodeTag>(), clock);
  sheaf::tasks::Engine engine{
      {},
      {.store = *store,
       .states = *states,
       .admission = admission,
       .timers = timers,
       .log = log,
       .metrics = *metrics,
       .account = account->Open("tasks"),
       .service = [](std::string_view) -> sheaf::module::Service* { return nullptr; },
       .unknown_service = [](std::string_view name) -> sheaf::Error {
         return sheaf::Fail(sheaf::Kind::kUnknownService, "no service " + std::string(name));
       }}};
  sheaf::tasks::Actions actions{engine, *cluster};
};

}  // namespace bench
