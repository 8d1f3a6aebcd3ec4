#include "sheaf/adapters/persistence/postgres_persistence.h"

#include <utility>
#include <vector>

#include "sheaf/adapters/persistence/postgres_session.h"
#include "sheaf/base/async/mutex.h"

namespace sheaf::persistence {
namespace {

using postgres::Connection;
using postgres::Transaction;

// How often a transaction is run that meets others; they are many when this is not enough.
constexpr int kAttempts = 4;

// Sessions, made when they are needed and kept.
class Pool final {
 public:
  Pool(const PostgresOptions& options, postgres::Surroundings surroundings)
      : options_(options), surroundings_(std::move(surroundings)) {}

  // A session until it dies.
  class Lease final {
   public:
    Lease(Pool& pool, std::unique_ptr<Connection> connection)
        : pool_(&pool), connection_(std::move(connection)) {}
    Lease(Lease&&) = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (connection_ != nullptr) pool_->Return(std::move(connection_));
    }
    Connection& operator*() { return *connection_; }

   private:
    Pool* pool_;  // Borrowed from the store.
    std::unique_ptr<Connection> connection_;
  };

  Result<Lease> Take() {
    const auto deadline = Deadline::After(surroundings_.clock, options_.session_wait);
    postgres::ConnectOptions connect = options_.connect;
    {
      MutexLock lock(mutex_);
      while (idle_.empty() && made_ >= std::max<size_t>(options_.sessions_max, 1)) {
        const Instant now = surroundings_.clock.Now();
        if (deadline.Passed(now)) {
          return Fail(Kind::kBackpressure,
                      "all " + std::to_string(made_) + " sessions with the database are in use");
        }
        returned_.WaitFor(mutex_, deadline.Left(now));
      }
      if (!idle_.empty()) {
        Lease lease(*this, std::move(idle_.back()));
        idle_.pop_back();
        return lease;
      }
      ++made_;
      if (reached_ && connect.revive_deadline) connect.retry_deadline = *connect.revive_deadline;
    }
    auto opened = Connection::Open(std::move(connect), surroundings_);
    if (opened.ok()) return Lease(*this, *std::move(opened));
    MutexLock lock(mutex_);
    --made_;
    returned_.NotifyOne();
    return std::move(opened).error();
  }

 private:
  void Return(std::unique_ptr<Connection> connection) {
    MutexLock lock(mutex_);
    idle_.push_back(std::move(connection));
    reached_ = true;
    returned_.NotifyOne();
  }

  const PostgresOptions options_;
  const postgres::Surroundings surroundings_;
  Mutex mutex_;
  CondVar returned_;
  std::vector<std::unique_ptr<Connection>> idle_ SHEAF_GUARDED_BY(mutex_);
  size_t made_ SHEAF_GUARDED_BY(mutex_) = 0;
  bool reached_ SHEAF_GUARDED_BY(mutex_) = false;  // The server, once.
};

class PostgresStore final : public SqlStore {
 public:
  PostgresStore(const PostgresOptions& options, postgres::Surroundings surroundings)
      : pool_(options, std::move(surroundings)) {}

  Status Write(const Act& act) override { return Run(Transaction::Mode::kWrite, act); }
  Status Read(const Act& act) override { return Run(Transaction::Mode::kSnapshot, act); }

 private:
  Status Run(Transaction::Mode mode, const Act& act) {
    SHEAF_ASSIGN(auto lease, pool_.Take());
    for (int attempt = 1; true; ++attempt) {
      bool met_another = false;
      Status done = RunOnce(*lease, mode, act, met_another);
      if (done.ok() || !met_another || attempt == kAttempts) return done;
    }
  }

  static Status RunOnce(Connection& connection, Transaction::Mode mode, const Act& act,
                        bool& met_another) {
    SHEAF_ASSIGN(auto transaction, Transaction::Begin(connection, mode));
    PostgresSession session(connection);
    if (Status done = act(session); !done.ok()) {
      met_another = session.met_another();
      return done;
    }
    Status committed = transaction.Commit();
    if (!committed.ok() && committed.error().effect == Effect::kNone) {
      met_another = postgres::MetAnother(connection.sqlstate());
    }
    return committed;
  }

  Pool pool_;
};

}  // namespace

Result<SqlPersistence> OpenPostgres(PostgresOptions options, postgres::Surroundings surroundings) {
  SHEAF_ASSIGN(const std::string where,
               postgres::WhereOf(options.connect.url, options.connect.user));
  const std::string directory = options.backup_directory.empty() ? "." : options.backup_directory;
  Upkeep upkeep{.opening = options.opening,
                .older = options.older,
                .files = files::OpenLocalFiles(),
                .clock = std::shared_ptr<Clock>(&surroundings.clock, [](Clock*) {}),  // Main's.
                .backups = directory + "/postgresql",
                .rest = [wait = surroundings.wait](Duration duration) { (void)wait(duration); }};
  auto store = std::make_shared<PostgresStore>(options, std::move(surroundings));
  auto opened =
      OpenOver(std::move(store), options.checkpoint, options.background, std::move(upkeep));
  if (opened.ok() || opened.error().message.starts_with(where)) return opened;
  return std::move(opened).error().In(where);
}

}  // namespace sheaf::persistence
