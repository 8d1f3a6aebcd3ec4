// PLAN  the contract of ports/flights, kept by the task engine
#include <gtest/gtest.h>

#include "sheaf/adapters/cluster/cluster.h"
#include "sheaf/adapters/query_state/query_state.h"
#include "sheaf/adapters/store/local_store.h"
#include "sheaf/host/tasks/tasks.h"
#include "sheaf/ports/flights/contract/flights_contract.h"

namespace sheaf::flights::contract {
namespace {

class EngineNode final : public Node {
 public:
  explicit EngineNode(ScriptedService& service) : service_(service) {}
  Flights& flights() override { return flights_; }

 private:
  ScriptedService& service_;
  time::SystemClock clock_;
  observe::NullLog log_;
  observe::MemoryMetrics metrics_;
  Timers timers_{clock_};
  std::unique_ptr<query_state::QueryState> states_ = query_state::MakeMemoryQueryState(clock_);
  std::unique_ptr<cluster::Cluster> cluster_ = cluster::MakeMemoryCluster({"engine"}, clock_);
  std::unique_ptr<store::Store> store_ =
      store::OpenLocal({.clock = clock_, .log = log_, .metrics = metrics_, .timers = &timers_})
          .value();
  admission::Admission admission_{{}, clock_, metrics_, nullptr};
  tasks::Engine engine_{{},
                        {.store = *store_,
                         .states = *states_,
                         .admission = admission_,
                         .timers = timers_,
                         .log = log_,
                         .metrics = metrics_,
                         .account = Account::Root("test", {}),
                         .service = [this](std::string_view name) -> module::Service* {
                           return name == service_.name() ? &service_ : nullptr;
                         },
                         .unknown_service =
                             [](std::string_view name) {
                               return Fail(Kind::kUnknownService,
                                           "no service '" + std::string(name) +
                                               "'; there is: scripted");
                             }}};
  tasks::Actions actions_{engine_, *cluster_};
  tasks::LocalFlights flights_{engine_, actions_};
};

INSTANTIATE_TEST_SUITE_P(Engine, FlightsContract,
                         testing::Values(Backend{
                             .name = "engine", .open = [](ScriptedService& service) {
                               return std::make_unique<EngineNode>(service);
                             }}));

}  // namespace
}  // namespace sheaf::flights::contract
