#include "sheaf/adapters/persistence/sqlite_persistence.h"

#include <deque>
#include <utility>

#include "sheaf/adapters/persistence/sqlite_session.h"
#include "sheaf/base/async/event.h"
#include "sheaf/base/async/mutex.h"

namespace sheaf::persistence {
namespace {

// One connection writes, one reads. Writers that wait at once share a transaction: whoever finds
// nobody writing runs the acts of all, each in its savepoint, and commits for them.
class SqliteStore final : public SqlStore {
 public:
  SqliteStore(std::unique_ptr<sqlite::Database> writer, std::unique_ptr<sqlite::Database> reader,
              size_t group_max)
      : writer_(std::move(writer)), reader_(std::move(reader)), group_max_(group_max) {}

  Status Write(const Act& act) override {
    Waiting mine{act, {}, false};
    mutex_.Lock();
    queue_.push_back(&mine);
    while (!mine.done && writing_) changed_.Wait(mutex_);
    while (!mine.done) {
      writing_ = true;
      std::vector<Waiting*> group;
      while (!queue_.empty() && group.size() < group_max_) {
        group.push_back(queue_.front());
        queue_.pop_front();
      }
      mutex_.Unlock();
      Run(group);
      mutex_.Lock();
      for (Waiting* each : group) each->done = true;
      writing_ = false;
      changed_.NotifyAll();
      while (!mine.done && writing_) changed_.Wait(mutex_);
    }
    mutex_.Unlock();
    return std::move(mine.status);
  }

  Status Read(const Act& act) override {
    if (reader_ == nullptr) return Write(act);
    MutexLock lock(reading_);
    SHEAF_TRY(reader_->Run("begin"));
    SqliteSession session(*reader_);
    Status done = act(session);
    if (Status over = reader_->Run("commit"); !over.ok() && done.ok()) return over;
    return done;
  }

 private:
  struct Waiting {
    const Act& act;
    Status status;
    bool done;
  };

  void Run(const std::vector<Waiting*>& group) {
    auto transaction = sqlite::Transaction::Begin(*writer_);
    if (!transaction.ok()) {
      for (Waiting* each : group) each->status = transaction.error();
      return;
    }
    bool changed = false;
    for (Waiting* each : group) {
      each->status = RunOne(each->act);
      changed = changed || each->status.ok();
    }
    if (!changed) return;  // Rolled back; nobody waits for a sync.
    Status committed = transaction->Commit();
    if (committed.ok()) return;
    for (Waiting* each : group) {
      if (each->status.ok()) each->status = committed.error();
    }
  }

  Status RunOne(const Act& act) {
    SHEAF_TRY(writer_->Run("savepoint one"));
    SqliteSession session(*writer_);
    Status done = act(session);
    if (!done.ok()) {
      // A full disk may have rolled all back already; then so does this, and commit will say it.
      if (Status undone = writer_->Run("rollback to one"); !undone.ok()) return undone;
    }
    if (Status released = writer_->Run("release one"); !released.ok()) return released;
    return done;
  }

  const std::unique_ptr<sqlite::Database> writer_;  // Used by the one who writes.
  const std::unique_ptr<sqlite::Database> reader_;  // Null: reads go with the writes.
  const size_t group_max_;
  Mutex reading_;  // Held while the reader is used.
  Mutex mutex_;
  CondVar changed_;
  std::deque<Waiting*> queue_ SHEAF_GUARDED_BY(mutex_);
  bool writing_ SHEAF_GUARDED_BY(mutex_) = false;
};

Result<std::unique_ptr<sqlite::Database>> OpenWriter(const SqliteOptions& options,
                                                     files::FileSystem& files) {
  SHEAF_ASSIGN(auto database, sqlite::Database::Open({.path = options.path, .vfs = options.vfs}));
  if (options.sharing == SqliteOptions::Sharing::kExclusive) {
    SHEAF_TRY(database->Run("pragma locking_mode = exclusive"));
  }
  // What a savepoint would undo stays here: no file elsewhere for it, and none to make each time.
  SHEAF_TRY(database->Run("pragma temp_store = memory"));
  SHEAF_TRY(database->Run("pragma cache_size = -65536"));  // KiB; a load meets every index.
  SHEAF_TRY(database->Run("pragma journal_mode = wal"));
  SHEAF_TRY(database->Run("pragma synchronous = full"));
  // A new file was changed to a write-ahead log through a journal that was then removed. Before
  // anything is committed that must last, or the journal comes back and rolls it back.
  SHEAF_TRY(files.SyncDirectory(files::DirectoryOf(options.path)));
  return database;
}

// What is borrowed is not deleted.
template <typename Is>
std::shared_ptr<Is> Borrow(Is* is) {
  return std::shared_ptr<Is>(is, [](Is*) {});
}

Upkeep UpkeepOf(const SqliteOptions& options) {
  Upkeep upkeep{.opening = options.opening, .older = options.older, .backups = options.path};
  if (options.files != nullptr) {
    upkeep.files = Borrow(options.files);
  } else {
    upkeep.files = files::OpenLocalFiles();
  }
  if (options.clock != nullptr) {
    upkeep.clock = Borrow(options.clock);
  } else {
    upkeep.clock = std::make_shared<time::SystemClock>();
  }
  upkeep.rest = [](Duration duration) { (void)Event().WaitFor(duration); };
  return upkeep;
}

// Not read-only: the last reader of a write-ahead log that may write removes it when it ends.
Result<std::unique_ptr<sqlite::Database>> OpenToLook(const SqliteOptions& options) {
  SHEAF_ASSIGN(auto database,
               sqlite::Database::Open({.path = options.path,
                                       .vfs = options.vfs,
                                       .mode = sqlite::OpenOptions::Mode::kReadWrite}));
  SHEAF_TRY(database->Run("pragma query_only = on"));
  return database;
}

Result<SqlPersistence> LookAtSqlite(const SqliteOptions& options) {
  SHEAF_ASSIGN(auto writer, OpenToLook(options));
  SHEAF_ASSIGN(auto reader, OpenToLook(options));
  return OpenOver(std::make_shared<SqliteStore>(std::move(writer), std::move(reader), 1),
                  options.checkpoint, options.background, UpkeepOf(options));
}

}  // namespace

Result<SqlPersistence> OpenSqlite(SqliteOptions options) {
  if (options.opening == Opening::kLook) {
    auto looked = LookAtSqlite(options);
    if (looked.ok() || looked.error().message.starts_with(options.path)) return looked;
    return std::move(looked).error().In(options.path);
  }
  Upkeep upkeep = UpkeepOf(options);
  SHEAF_ASSIGN(auto writer, OpenWriter(options, *upkeep.files));
  std::unique_ptr<sqlite::Database> reader;
  if (options.sharing == SqliteOptions::Sharing::kShared) {
    SHEAF_ASSIGN(reader, sqlite::Database::Open({.path = options.path,
                                                 .vfs = options.vfs,
                                                 .mode = sqlite::OpenOptions::Mode::kReadOnly}));
  }
  auto opened = OpenOver(std::make_shared<SqliteStore>(std::move(writer), std::move(reader),
                                                       std::max<size_t>(options.group_max, 1)),
                         options.checkpoint, options.background, std::move(upkeep));
  if (!opened.ok()) return std::move(opened).error().In(options.path);
  return opened;
}

}  // namespace sheaf::persistence
