// PLAN  the contract of ports/flights, kept by another node over a real Flight server

#include <gtest/gtest.h>

#include "sheaf/adapters/cluster/cluster.h"
#include "sheaf/adapters/flights/flights.h"
#include "sheaf/adapters/query_state/query_state.h"
#include "sheaf/adapters/store/local_store.h"
#include "sheaf/host/endpoint/endpoint.h"
#include "sheaf/host/tasks/tasks.h"
#include "sheaf/ports/flights/contract/flights_contract.h"

namespace sheaf::flights::contract {
namespace {

class RemoteNode final : public Node {
 public:
  explicit RemoteNode(ScriptedService& service) : service_(service) {
    endpoint_ =
        endpoint::Endpoint::Start({.ticket_key = std::string(32, 'k')}, {.engine = engine_,
                                                                         .actions = actions_,
                                                                         .cluster = *cluster_,
                                                                         .timers = timers_,
                                                                         .log = log_,
                                                                         .metrics = metrics_})
            .value();
    endpoint_->SetState(endpoint::Endpoint::State::kReady);
    store_->Listen([this](const store::Change& change) { Announce(change); });
    const std::string uri = "grpc://127.0.0.1:" + std::to_string(endpoint_->port());
    remote_ = OpenRemote(uri, clock_, {.turn = std::chrono::milliseconds(100)}).value();
  }
  ~RemoteNode() override {
    remote_.reset();
    engine_.CancelAll();
    endpoint_->Stop(std::chrono::seconds(1));
  }
  Flights& flights() override { return *remote_; }

 private:
  void Announce(const store::Change& change) {
    auto& catalog = cluster_->catalog();
    if (!change.found) {
      EXPECT_TRUE(catalog.Drop(change.path, change.generation).ok());
      return;
    }
    const auto& record = *change.found->record;
    EXPECT_TRUE(catalog
                    .Commit(change.path, {.generation = record.generation,
                                          .schema = change.found->flight->schema(),
                                          .rows = record.rows,
                                          .bytes = record.bytes,
                                          .created = record.created,
                                          .expires = record.expires,
                                          .tier = record.tier,
                                          .pinned = record.pinned,
                                          .partitions = record.partitions,
                                          .identity = record.from.identity})
                    .ok());
  }

  ScriptedService& service_;
  time::SystemClock clock_;
  observe::NullLog log_;
  observe::MemoryMetrics metrics_;
  Timers timers_{clock_};
  std::unique_ptr<query_state::QueryState> states_ = query_state::MakeMemoryQueryState(clock_);
  std::unique_ptr<cluster::Cluster> cluster_ =
      cluster::MakeMemoryCluster(core::NewId<core::NodeTag>(), clock_);
  std::unique_ptr<store::Store> store_ =
      store::OpenLocal({.clock = clock_, .log = log_, .metrics = metrics_, .timers = &timers_})
          .value();
  admission::Admission admission_{{}, clock_, metrics_, nullptr};
  tasks::Engine engine_{
      {},
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
                         "no service '" + std::string(name) + "'; did you mean 'scripted'?");
           }}};
  tasks::Actions actions_{engine_, *cluster_};
  std::unique_ptr<endpoint::Endpoint> endpoint_;
  std::unique_ptr<Flights> remote_;
};

INSTANTIATE_TEST_SUITE_P(Remote, FlightsContract,
                         testing::Values(Backend{.name = "remote",
                                                 .open =
                                                     [](ScriptedService& service) {
                                                       return std::make_unique<RemoteNode>(service);
                                                     },
                                                 .metadata_without_progress = false}));

}  // namespace
}  // namespace sheaf::flights::contract
