#include "sheaf/apps/sheaf/node.h"

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include "sheaf/adapters/cluster/cluster.h"
#include "sheaf/adapters/observe/observe.h"
#include "sheaf/adapters/query_state/query_state.h"
#include "sheaf/adapters/secrets/secrets.h"
#include "sheaf/adapters/store/local_store.h"
#include "sheaf/apps/sheaf/backend.h"
#include "sheaf/apps/sheaf/built_in.h"
#include "sheaf/apps/sheaf/node_identity.h"
#include "sheaf/apps/sheaf/state_directory.h"
#include "sheaf/drivers/files/files.h"
#include "sheaf/drivers/grpc/allocator.h"
#include "sheaf/host/admission/admission.h"
#include "sheaf/host/chronicle/chronicle.h"
#include "sheaf/host/chronicle/tables.h"
#include "sheaf/host/endpoint/endpoint.h"
#include "sheaf/host/modules/modules.h"
#include "sheaf/host/tasks/tasks.h"
#include "sheaf/host/web/web.h"

namespace sheaf::app {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;

// The part of the budget that the allocator may hold beyond it, for the next large message.
constexpr int64_t kFreeMemoryPart = 8;

// What is left of `grace`, but a moment in any case: what was cancelled must be able to end.
Duration Left(Clock& clock, Deadline deadline) {
  return std::max<Duration>(deadline.Left(clock.Now()), milliseconds(200));
}

cluster::CatalogEntry EntryOf(const store::Found& found) {
  const store::FlightRecord& record = *found.record;
  return {.generation = record.generation,
          .schema = found.flight->schema(),
          .rows = record.rows,
          .bytes = record.bytes,
          .created = record.created,
          .expires = record.expires,
          .tier = record.tier,
          .pinned = record.pinned,
          .partitions = record.partitions,
          .identity = record.from.identity};
}

class LiveNode final : public Node {
 public:
  explicit LiveNode(NodeOptions options)
      : options_(std::move(options)),
        settings_(options_.config.settings()),
        log_(clock_, {.format = settings_.log.format == settings::LogFormat::kJson
                                    ? observe::LogFormat::kJson
                                    : observe::LogFormat::kText,
                      .level = serves() ? settings_.log.level
                                        : std::max(settings_.log.level, observe::Level::kWarn)}),
        metrics_(observe::MakePrometheusMetrics()),
        account_(Account::Root("node", settings_.memory.budget)),
        free_memory_(std::make_shared<grpc::FreeMemory>(
            account_, Bytes{settings_.memory.budget.count / kFreeMemoryPart})),
        files_(files::OpenLocalFiles()),
        executor_({.name = "node", .threads_max = 8, .queue_max = 65'536}),
        timers_(clock_) {}
  ~LiveNode() override { Stop(Duration(0)); }

  std::optional<StartError> Start() {
    if (auto status = options_.config.Check(); !status.ok()) {
      return StartError{StartStage::kSettings, status.error()};
    }
    if (auto status = MakeModules(); !status.ok()) {
      return StartError{StartStage::kSettings, status.error()};
    }
    if (auto status = OpenState(); !status.ok()) {
      return StartError{StartStage::kState, status.error()};
    }
    BuildEngine();
    // Ports first: who asks meanwhile hears NOT_READY, and a port that is taken is told at once.
    if (auto status = Listen(); !status.ok()) {
      return StartError{StartStage::kListen, status.error()};
    }
    if (auto status = StartModules(); !status.ok()) {
      const bool disk = status.error().kind == Kind::kDependency;
      return StartError{disk ? StartStage::kState : StartStage::kSettings, status.error()};
    }
    if (auto status = Announce(); !status.ok()) {
      return StartError{StartStage::kState, status.error()};
    }
    ArmMaintenance();
    return std::nullopt;
  }

  flights::Flights& flights() override { return *flights_; }
  std::string flight_uri() const override { return flight_uri_; }
  std::string http_uri() const override { return http_uri_; }
  bool left_behind() const override { return modules_ != nullptr && modules_->left_behind(); }

  void Stop(Duration grace) override {
    if (std::exchange(stopped_, true)) return;
    const Deadline deadline = Deadline::After(clock_, grace);
    SetState(cluster::Node::State::kDraining);
    if (endpoint_ != nullptr) endpoint_->SetState(endpoint::Endpoint::State::kDraining);
    if (engine_ != nullptr) {
      auto drained = std::make_shared<Event>();  // Shared with the engine's late call.
      engine_->Drain([drained] { drained->Set(); });
      if (!drained->WaitFor(deadline.Left(clock_.Now()))) {
        log_.Warn("cancelling what still runs", {{"tasks", engine_->active()}});
        engine_->CancelAll();
        // So that the chronicle hears of their ends.
        static_cast<void>(drained->WaitFor(Left(clock_, deadline)));
      }
    }
    if (endpoint_ != nullptr) endpoint_->Stop(Left(clock_, deadline));
    if (web_ != nullptr) web_->Stop(Left(clock_, deadline));
    if (admission_ != nullptr) admission_->Close();
    EndMaintenance();
    if (memory_.ending != nullptr) memory_.ending->Set();  // It was opened.
    if (chronicle_ != nullptr) chronicle_->Stop();
    if (modules_ != nullptr) modules_->Stop();
    if (node_was_ready_) log_.Info("stopped");
  }

 private:
  bool serves() const { return options_.mode == NodeOptions::Mode::kServe; }

  Status OpenState() {
    state_dir_ = settings_.state.dir;
    if (options_.state == NodeOptions::State::kTemporary) {
      SHEAF_ASSIGN(state_dir_, temporary_.Make());
    }
    state_dir_ = fs::absolute(state_dir_).lexically_normal().string();
    SHEAF_TRY(MakePrivate(*files_, state_dir_));
    using Spill = store::LocalStoreOptions::Spill;
    // The store's lock is the directory's: whoever has it may write beside it.
    SHEAF_ASSIGN(store_, store::OpenLocal(
                             {.clock = clock_,
                              .log = log_,
                              .metrics = *metrics_,
                              .directory = state_dir_ + "/flights",
                              .memory_budget = settings_.memory.store_budget,
                              .disk_budget = settings_.disk.budget,
                              .spill = settings_.store.spill ? Spill::kAllowed : Spill::kForbidden,
                              .replaced_ms = settings_.store.replaced_ms,
                              .account = account_,
                              .timers = &timers_,
                              .executor = &executor_,
                              .files = files_.get()}));
    SHEAF_ASSIGN(identity_, LoadNodeIdentity(*files_, state_dir_));
    return OpenChronicle();
  }

  // A visitor has one too: whoever acquires first makes what waits.
  SpoolParts SpoolPartsOf() {
    return {
        .bytes_max = static_cast<uint64_t>(settings_.persistence.spool_bytes_max.count),
        .log = log_,
        .metrics = *metrics_,
        .account = account_->Open("spool")};
  }

  Status OpenChronicle() {
    const bool goes = options_.state == NodeOptions::State::kTemporary;
    SHEAF_ASSIGN(memory_, OpenBackend(goes ? "none" : settings_.persistence.backend,
                                      {.state_dir = state_dir_,
                                       .clock = clock_,
                                       .background = executor_,
                                       .password_file = settings_.persistence.password_file,
                                       .spool = SpoolPartsOf()}));
    auto options = ChronicleOptionsOf(settings_, memory_);
    options.start = !serves()                                         ? chronicle::Start::kAside
                    : options_.restart == NodeOptions::Restart::kCold ? chronicle::Start::kCold
                                                                      : chronicle::Start::kWarm;
    auto opened = chronicle::Chronicle::Open(std::move(options), {.memory = memory_.parts,
                                                                  .clock = clock_,
                                                                  .log = log_,
                                                                  .metrics = *metrics_,
                                                                  .chance = RandomPart});
    if (!opened.ok()) return std::move(opened).error().In(memory_.shown);
    chronicle_ = std::move(opened).value();
    tables_ = std::make_unique<chronicle::Tables>(
        chronicle::TablesParts{.memory = memory_.parts,
                               .live = [this] { return chronicle_->live(); },
                               .generation = [this] { return chronicle_->generation(); }});
    return Done();
  }

  void BuildEngine() {
    cluster_ = cluster::MakeMemoryCluster(identity_.id, clock_);
    states_ = query_state::MakeMemoryQueryState(clock_);
    std::vector<std::unique_ptr<secrets::Secrets>> sources;
    sources.push_back(secrets::MakeEnvironmentSecrets([](const char* name) {
      return ::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing here sets variables.
    }));
    sources.push_back(secrets::MakeFileSecrets(state_dir_ + "/secrets"));
    secrets_ = secrets::MakeSecretsChain(std::move(sources));
    admission_ = std::make_unique<admission::Admission>(
        admission::AdmissionOptions{.running_max = static_cast<size_t>(settings_.tasks.running_max),
                                    .queue_max = static_cast<size_t>(settings_.tasks.queue_max)},
        clock_, *metrics_, account_);
    modules_ =
        std::make_unique<modules::Modules>(clock_, timers_, log_, *metrics_, cluster_->services());
    engine_ = std::make_unique<tasks::Engine>(
        tasks::EngineOptions{.threads_max = static_cast<size_t>(settings_.tasks.threads_max),
                             .claim_window = settings_.store.claim_s,
                             .owner = identity_.id.text,
                             .default_tier = settings_.store.default_tier,
                             .default_retain = settings_.tasks.retain_s},
        tasks::EngineParts{.store = *store_,
                           .states = *states_,
                           .admission = *admission_,
                           .timers = timers_,
                           .log = log_,
                           .metrics = *metrics_,
                           .account = account_->Open("tasks"),
                           .service = [this](std::string_view name) -> module::Service* {
                             if (name == tables_->name()) return tables_.get();
                             auto found = modules_->Find(name);
                             return found.ok() ? *found : nullptr;
                           },
                           .unknown_service = [this](std::string_view name) -> Error {
                             auto found = modules_->Find(name);
                             if (found.ok())
                               return Fail(Kind::kNotReady, "the service has just come; ask again");
                             return std::move(found).error();
                           },
                           .watcher = chronicle_.get(),
                           .own = tables_.get()});
    actions_ = std::make_unique<tasks::Actions>(*engine_, *cluster_);
    actions_->Add("HealthCheck", "{} -> what is ready, per module, with the age of what is said",
                  [this](const Json&, const flights::Context&) -> tasks::Actions::Answer {
                    return std::vector<Json>{Health()};
                  });
    flights_ = std::make_unique<tasks::LocalFlights>(*engine_, *actions_);
  }

  // Before anything is opened: a name that nobody has is a mistake in the settings.
  Status MakeModules() {
    SHEAF_ASSIGN(made_, app::MakeModules(settings_));
    return Done();
  }

  Status StartModules() {
    for (auto& made : made_) SHEAF_TRY(modules_->Add(std::move(made)));
    made_.clear();
    return modules_->Start({.flights = *flights_,
                            .secrets = *secrets_,
                            .log = log_,
                            .metrics = *metrics_,
                            .clock = clock_,
                            .timers = timers_,
                            .executor = executor_,
                            .account = account_->Open("modules"),
                            .setting = [this](std::string_view key) { return Setting(key); },
                            .state_dir = state_dir_});
  }

  // An embedded node reads what its caller could read: the roots of its options come first.
  std::optional<Json> Setting(std::string_view key) const {
    auto value = options_.config.Value(key);
    if (key != "files.roots" || options_.roots.empty()) return value;
    Json roots = options_.roots;
    if (value && value->is_array()) roots.insert(roots.end(), value->begin(), value->end());
    return roots;
  }

  Status Listen() {
    if (!serves()) return Done();
    SHEAF_TRY(ListenFlight());
    return settings_.http.enabled ? ListenHttp() : Done();
  }

  Status ListenFlight() {
    flight::ServerOptions server;
    server.host = settings_.flight.listen.host;
    server.port = settings_.flight.listen.port;
    server.receive_bytes_max = settings_.flight.receive_bytes_max;
    server.streams_max = static_cast<int>(settings_.flight.streams_max);
    server.keepalive = settings_.flight.keepalive_ms;
    server.keepalive_timeout = settings_.flight.keepalive_timeout_ms;
    server.idle_read = settings_.flight.idle_read_s;
    server.idle_write = settings_.flight.idle_write_s;
    server.account = account_->Open("flight");
    server.free_memory = free_memory_;
    SHEAF_ASSIGN(endpoint_, endpoint::Endpoint::Start(
                                {.server = std::move(server), .ticket_key = identity_.ticket_key},
                                {.engine = *engine_,
                                 .actions = *actions_,
                                 .cluster = *cluster_,
                                 .timers = timers_,
                                 .log = log_,
                                 .metrics = *metrics_}));
    settings::Listen bound = settings_.flight.listen;
    bound.port = static_cast<uint16_t>(endpoint_->port());
    flight_uri_ = "grpc://" + bound.Text();
    return Done();
  }

  Status ListenHttp() {
    web::WebOptions options;
    options.server.host = settings_.http.listen.host;
    options.server.port = settings_.http.listen.port;
    options.version = kVersion;
    SHEAF_ASSIGN(web_, web::StartWeb(std::move(options), {.flights = *flights_,
                                                          .cluster = *cluster_,
                                                          .executor = executor_,
                                                          .log = log_,
                                                          .metrics = *metrics_,
                                                          .clock = clock_,
                                                          .health = [this] { return Health(); },
                                                          .ready = [this] { return IsReady(); }}));
    settings::Listen bound = settings_.http.listen;
    bound.port = web_->port();
    http_uri_ = "http://" + bound.Text();
    return Done();
  }

  // From here on the node is seen: its flights in the catalog, itself among the members.
  Status Announce() {
    store_->Listen([this](const store::Change& change) {
      auto revision = change.found ? cluster_->catalog().Commit(change.path, EntryOf(*change.found))
                                   : cluster_->catalog().Drop(change.path, change.generation);
      if (revision.ok()) return;
      log_.Error("the catalog does not take a change",
                 {{"path", change.path.Text()}, {"reason", revision.error().message}});
    });
    for (const auto& own : tables_->All()) {
      SHEAF_TRY(cluster_->catalog().Commit(own.path, {.schema = own.schema,
                                                      .rows = -1,
                                                      .bytes = -1,
                                                      .created = clock_.Wall(),
                                                      .tier = Tier::kMemory}));
    }
    SHEAF_TRY(cluster_->membership().Join({.id = identity_.id,
                                           .name = settings_.node.name,
                                           .flight_uri = flight_uri_,
                                           .http_uri = http_uri_,
                                           .version = kVersion,
                                           .state = cluster::Node::State::kReady,
                                           .last_seen = clock_.Wall()}));
    node_state_ = cluster::Node::State::kReady;
    node_was_ready_ = true;
    if (endpoint_ != nullptr) endpoint_->SetState(endpoint::Endpoint::State::kReady);
    if (serves()) chronicle_->Resume(*engine_);
    return Done();
  }

  void SetState(cluster::Node::State state) {
    node_state_ = state;
    if (cluster_ != nullptr) {
      static_cast<void>(cluster_->membership().SetState(identity_.id, state));
    }
  }

  bool IsReady() const {
    if (node_state_ != cluster::Node::State::kReady || chronicle_->lost()) return false;
    for (const auto& one : modules_->States()) {
      if (one.state != modules::ModuleState::State::kReady) return false;
    }
    return true;
  }

  std::string_view StateName() const {
    if (chronicle_->lost()) return "fenced";
    switch (node_state_.load()) {
      case cluster::Node::State::kStarting: return "starting";
      case cluster::Node::State::kReady: return "ready";
      case cluster::Node::State::kDraining: return "draining";
    }
    __builtin_unreachable();
  }

  Json Health() const {
    const store::Usage usage = store_->usage();
    return {{"ready", IsReady()},
            {"state", StateName()},
            {"node", settings_.node.name},
            {"version", kVersion},
            {"tasks", engine_->active()},
            {"flights", usage.flights},
            {"memory", {{"used", account_->used().count}, {"limit", account_->limit().count}}},
            {"disk", {{"used", usage.disk_used.count}, {"limit", usage.disk_limit.count}}},
            {"persistence", chronicle_->StateJson()},
            {"modules", modules_->HealthJson()}};
  }

  // What the chronicle is told, and says, once a second.
  void LookAtChronicle() {
    std::vector<chronicle::Offered> offered;
    for (const auto& one : modules_->States()) {
      const bool ready = one.state == modules::ModuleState::State::kReady;
      for (const auto& service : one.services) {
        offered.push_back({service, one.name, settings_.node.name, ready, one.reason});
      }
    }
    if (serves()) chronicle_->Offer(std::move(offered));
    if (endpoint_ != nullptr && chronicle_->lost() && node_state_ == cluster::Node::State::kReady) {
      endpoint_->SetState(endpoint::Endpoint::State::kFenced);
    }
  }

  // Once a second the store removes what expired and evicts; on a thread that may wait.
  void ArmMaintenance() {
    MutexLock lock(mutex_);
    if (!maintained_) return;
    maintenance_ = timers_.After(seconds(1), [this] {
      auto pass = std::make_shared<Gate::Pass>(maintaining_.Enter());
      if (!*pass) return;
      const bool posted = executor_.TryPost([this, pass] {
        store_->Maintain();
        LookAtChronicle();
        free_memory_->Look();
        if (auto reaped = states_->Reap(); !reaped.ok()) {
          log_.Warn("query states were not reaped", {{"reason", reaped.error().message}});
        }
        ArmMaintenance();
      });
      if (!posted) ArmMaintenance();
    });
  }
  void EndMaintenance() {
    std::optional<Timers::Handle> armed;
    {
      MutexLock lock(mutex_);
      maintained_ = false;
      armed = std::exchange(maintenance_, std::nullopt);
    }
    if (armed) timers_.Cancel(*armed);
    maintaining_.Close();
  }

  const NodeOptions options_;
  const Settings& settings_;
  time::SystemClock clock_;
  observe::SpdLog log_;
  const std::unique_ptr<Metrics> metrics_;
  const std::shared_ptr<Account> account_;
  const std::shared_ptr<grpc::FreeMemory> free_memory_;  // Shared with the Flight server.
  const std::unique_ptr<files::FileSystem> files_;
  TemporaryState temporary_;
  std::string state_dir_;
  Executor executor_;
  Timers timers_;
  std::unique_ptr<store::Store> store_;
  NodeIdentity identity_;
  Backend memory_;
  std::unique_ptr<chronicle::Chronicle> chronicle_;
  std::unique_ptr<chronicle::Tables> tables_;
  std::unique_ptr<cluster::Cluster> cluster_;
  std::unique_ptr<query_state::QueryState> states_;
  std::unique_ptr<secrets::Secrets> secrets_;
  std::unique_ptr<admission::Admission> admission_;
  std::vector<std::unique_ptr<module::Module>> made_;  // Until they are added.
  std::unique_ptr<modules::Modules> modules_;
  std::unique_ptr<tasks::Engine> engine_;
  std::unique_ptr<tasks::Actions> actions_;
  std::unique_ptr<tasks::LocalFlights> flights_;
  std::unique_ptr<endpoint::Endpoint> endpoint_;
  std::unique_ptr<web::Web> web_;
  std::string flight_uri_, http_uri_;
  std::atomic<cluster::Node::State> node_state_{cluster::Node::State::kStarting};
  bool node_was_ready_ = false;
  bool stopped_ = false;
  Mutex mutex_;
  bool maintained_ SHEAF_GUARDED_BY(mutex_) = true;
  std::optional<Timers::Handle> maintenance_ SHEAF_GUARDED_BY(mutex_);
  Gate maintaining_;
};

}  // namespace

Started StartNode(NodeOptions options) {
  grpc::TuneAllocator();
  auto node = std::make_unique<LiveNode>(std::move(options));
  Started started;
  started.failed = node->Start();
  if (!started.failed) started.node = std::move(node);
  return started;
}

}  // namespace sheaf::app
