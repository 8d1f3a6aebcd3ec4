// One partition of a flight: batches in memory, in a file, or first in the one and then the other.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "sheaf/adapters/store/context.h"
#include "sheaf/adapters/store/flight_file.h"
#include "sheaf/adapters/store/held_bytes.h"
#include "sheaf/base/async/async.h"
#include "sheaf/ports/store/flight.h"
#include "sheaf/wire/columnar/columnar.h"

namespace sheaf::store {

// Calls to make once no lock is held.
using Wakes = std::vector<std::function<void()>>;

// The batches [0, file) are in the file, [file, count) in memory. A spill moves memory to the file
// from the front, and what comes later goes straight to the file; a reader sees one sequence.
//
// Owner: a Body. Threads: any; writes of one partition wait for one another, readers for neither
// writes nor spills. Blocking: writes, Spill, Finish and reads from a file.
// Errors: kExhausted, kDependency (disk), kCorrupt (a checksum). A failed write stays failed.
class Partition final {
 public:
  enum class Place : uint8_t { kMemory, kFile };
  Partition(Context& context, FileName name, Schema schema, Place place);
  // A partition of the index: a finished file that is opened when it is first read.
  Partition(Context& context, FileName name, Schema schema, uint64_t file_bytes, Flight::Size size);
  ~Partition();

  // Gathers, cuts, appends. True when something is held back and no FlushDue is awaited yet.
  Result<bool> Write(Batch batch, Wakes& wakes);
  Status Flush(Wakes& wakes);
  // Hands over what is due. True when something younger is held back: call again.
  Result<bool> FlushDue(Wakes& wakes);
  // Moves what is in memory to the file; later batches follow it there.
  Status Spill();
  // Spill, the trailer, a sync: the file is whole and its bytes are on the disk.
  Status Finish();
  // No batch comes any more. `error` empty: committed.
  void End(const std::optional<Error>& error, Wakes& wakes);
  // Lets go of everything; no reader is open. The file is removed.
  void Discard();
  void Unmap();
  // Before a reader begins: opens the file, or looks whether it is as long as it should be.
  Status OpenToRead();

  bool in_file() const;
  Flight::Size size() const;
  Bytes memory_bytes() const;  // Charged to the store.
  uint64_t file_bytes() const;

  // A reader's place in this partition; the reader owns it.
  struct Cursor {
    size_t next = 0;
    std::unique_ptr<FileCursor> file;
    std::function<void()> wake;  // Guarded by the partition, as is `waiting`.
    bool waiting = false;
  };
  Result<FlightReader::Step> Next(Cursor& cursor, std::function<void()> wake);
  void Leave(Cursor& cursor);  // `cursor` is about to die.

 private:
  struct Kept {
    Batch batch;
    Bytes charged;
  };
  Status Hand(std::vector<Batch> ready, Wakes& wakes) SHEAF_REQUIRES(write_mutex_);
  Status AppendAll(std::vector<Batch> pieces, Wakes& wakes) SHEAF_REQUIRES(write_mutex_);
  Status Append(Batch batch, Bytes charged, Wakes& wakes) SHEAF_REQUIRES(write_mutex_);
  Status AppendToFile(const arrow::RecordBatch& batch) SHEAF_REQUIRES(write_mutex_);
  Status SpillHeld() SHEAF_REQUIRES(write_mutex_);
  Status EnsureFile() SHEAF_REQUIRES(write_mutex_);
  void TakeWakes(Wakes& wakes) SHEAF_REQUIRES(mutex_);
  void StopWaiting(Cursor& cursor) SHEAF_REQUIRES(mutex_);
  void ChargeFile() SHEAF_EXCLUDES(mutex_);

  Context& context_;  // Borrowed from the body, which shares it.
  const FileName name_;
  const Schema schema_;  // Shared with every batch.

  // Held by a whole write or spill, also while the disk is slow. Taken before mutex_.
  mutable Mutex write_mutex_;
  columnar::Gatherer gatherer_ SHEAF_GUARDED_BY(write_mutex_);
  HeldBytes held_ SHEAF_GUARDED_BY(write_mutex_);
  bool to_file_ SHEAF_GUARDED_BY(write_mutex_) = false;
  bool awaits_flush_ SHEAF_GUARDED_BY(write_mutex_) = false;
  bool finished_ SHEAF_GUARDED_BY(write_mutex_) = false;
  std::optional<Error> write_error_ SHEAF_GUARDED_BY(write_mutex_);
  std::optional<Error> file_error_ SHEAF_GUARDED_BY(write_mutex_);  // Its end may be torn.

  mutable Mutex mutex_;
  std::vector<Kept> memory_ SHEAF_GUARDED_BY(mutex_);  // Batches from memory_base_ on.
  size_t memory_base_ SHEAF_GUARDED_BY(mutex_) = 0;
  size_t memory_first_ SHEAF_GUARDED_BY(mutex_) = 0;  // Batches before it are in the file.
  size_t count_ SHEAF_GUARDED_BY(mutex_) = 0;
  Flight::Size size_ SHEAF_GUARDED_BY(mutex_);
  Bytes memory_bytes_ SHEAF_GUARDED_BY(mutex_);
  std::shared_ptr<FlightFile> file_ SHEAF_GUARDED_BY(mutex_);  // Shared with its cursors.
  uint64_t file_bytes_ SHEAF_GUARDED_BY(mutex_) = 0;           // Charged to the disk.
  bool on_disk_ SHEAF_GUARDED_BY(mutex_) = false;              // A file of ours exists.
  bool ended_ SHEAF_GUARDED_BY(mutex_) = false;
  std::optional<Error> error_ SHEAF_GUARDED_BY(mutex_);
  std::vector<Cursor*> waiting_ SHEAF_GUARDED_BY(mutex_);  // Borrowed; Leave takes them out.
};

}  // namespace sheaf::store
