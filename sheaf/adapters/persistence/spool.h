// The spool: records that wait for a database, durable, in order, bounded.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "sheaf/base/async/mutex.h"
#include "sheaf/base/core/ledger.h"
#include "sheaf/drivers/files/file_system.h"
#include "sheaf/drivers/files/journal.h"
#include "sheaf/ports/persistence/epoch.h"
#include "sheaf/wire/command/json.h"

namespace sheaf::persistence {

struct SpoolOptions {
  std::string directory;               // Created when missing; locked while it is open.
  files::FileSystem* files = nullptr;  // Null: the machine's. Outlives the spool.
  std::string where;                   // Which database the records are for, without passwords.
  uint64_t bytes_max = uint64_t{256} << 20;  // Of records that wait.
  std::shared_ptr<Account> account;          // Charged with them; null: nobody's.
};

// A queue of records (see record.h) in a journal; docs/formats/spool.md says what lies where. What
// is put is durable when Put returns and stays until it was made or set aside. What waits is in
// memory too.
//
// Owner: the back end it stands before. Threads: Put and the questions from any; what takes records
//   out from one. Blocking: all but the questions wait for a disk.
// Errors: kBackpressure (full), kConflict (of another process, for another database), kUnsupported
//   (of a later program), those of Journal. After an error of the disk Mend begins a new journal.
class Spool final {
 public:
  static Result<std::unique_ptr<Spool>> Open(SpoolOptions options);
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  // A completion may use the last quarter too. A generation of resources takes the place of one
  // that waits under the same epoch.
  enum class Weight : uint8_t { kCompletion, kOther };
  Status Put(const Json& record, Weight weight);

  struct Front {
    uint64_t number = 0;
    Json record;
  };
  // Those that are to be made next, at most so many; none when nothing waits.
  Result<std::vector<Front>> front(size_t most = 1) const;
  // The records were made: they are gone.
  Status Made(const std::set<uint64_t>& numbers);
  // Others stand in its place, before all else.
  Status Replace(uint64_t number, std::span<const Json> records);
  // Writes those that are meant to a readable file beside the journal; how many they were.
  using Which = std::function<bool(uint64_t number, const Epoch& epoch)>;
  Result<uint64_t> SetAside(const Which& which, const std::string& why, const std::string& at);
  // After an error of the disk: a new journal of what waits.
  Status Mend();

  struct Usage {
    uint64_t records = 0, bytes = 0, set_aside = 0;
    bool full = false;    // Something was refused, and more than half is still there.
    bool broken = false;  // The disk failed; see Mend.
  };
  Usage usage() const;
  bool empty() const;
  // What was found damaged at the opening, by file and place; copies are among kept_files.
  const std::vector<std::string>& damaged() const { return damaged_; }
  std::vector<std::string> kept_files() const;
  const SpoolOptions& options() const { return options_; }

 private:
  struct Entry {
    uint64_t number = 0;
    std::string bytes;  // The record's.
    Epoch epoch;
    bool is_generation = false;
  };
  explicit Spool(SpoolOptions options) : options_(std::move(options)) {}

  Status Read();
  Status FindKept();
  Status KeepDamaged();
  Status ReadBase(const Json& base) SHEAF_REQUIRES(mutex_);
  Status ReadRecord(const Json& json) SHEAF_REQUIRES(mutex_);
  static Result<Entry> EntryOf(const Json& json);
  void Push(Entry entry) SHEAF_REQUIRES(mutex_);
  void Drop(const std::set<uint64_t>& numbers) SHEAF_REQUIRES(mutex_);
  Status CheckRoom(size_t bytes, Weight weight) SHEAF_REQUIRES(mutex_);
  std::string Base() const SHEAF_REQUIRES(mutex_);
  enum class Sync : uint8_t { kNow, kWhenDue };
  Status Gone(const std::set<uint64_t>& numbers, Sync sync);
  Status WriteAside(const std::string& lines);
  enum class Journal : uint8_t { kSame, kNew };
  Status Compact(Journal journal);
  bool IsLarge() const SHEAF_REQUIRES(mutex_);

  const SpoolOptions options_;
  std::unique_ptr<files::FileSystem> own_files_;  // Null when it is borrowed.
  files::FileSystem* files_ = nullptr;
  std::unique_ptr<files::DirectoryLock> lock_;
  std::vector<std::string> damaged_;
  std::unique_ptr<files::File> aside_;  // Of this process, once there is one.
  int unsafe_ = 0;                      // Removals that are not synced yet.

  mutable Mutex mutex_;
  CondVar compacted_;
  bool compacting_ SHEAF_GUARDED_BY(mutex_) = false;  // Nobody appends meanwhile.
  // Shared with those who wait for it to sync while Mend makes another.
  std::shared_ptr<files::Journal> journal_ SHEAF_GUARDED_BY(mutex_);
  std::deque<Entry> waiting_ SHEAF_GUARDED_BY(mutex_);
  uint64_t next_ SHEAF_GUARDED_BY(mutex_) = 1;
  uint64_t bytes_ SHEAF_GUARDED_BY(mutex_) = 0;
  std::string where_ SHEAF_GUARDED_BY(mutex_);  // As it was found.
  uint64_t set_aside_ SHEAF_GUARDED_BY(mutex_) = 0;
  std::set<std::string> kept_ SHEAF_GUARDED_BY(mutex_);
  bool full_ SHEAF_GUARDED_BY(mutex_) = false;
  bool broken_ SHEAF_GUARDED_BY(mutex_) = false;
};

}  // namespace sheaf::persistence
