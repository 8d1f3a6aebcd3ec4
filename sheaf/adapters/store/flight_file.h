// One partition of a flight on disk: an Arrow IPC stream with an index of its blocks behind it.
// docs/formats/store.md is the format; pyarrow.ipc.open_stream reads the file as it is.
#pragma once

#include <arrow/ipc/type_fwd.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sheaf/adapters/store/trailer.h"
#include "sheaf/base/async/async.h"
#include "sheaf/base/core/core.h"
#include "sheaf/drivers/files/files.h"
#include "sheaf/wire/columnar/columnar.h"

namespace sheaf::store {

// A file being written or whole. Readers may follow what Append has returned from.
//
// Owner: a partition; cursors share it. Threads: Append and Finish one at a time; the rest any.
// Blocking: all but the sizes. Errors: kExhausted, kDependency (disk); kCorrupt names file and
// block.
class FlightFile final {
 public:
  // Creates the file; it begins with the schema.
  static Result<std::shared_ptr<FlightFile>> Create(files::FileSystem& files, std::string path,
                                                    FileName name, Schema schema);
  // Opens a finished file of exactly `bytes` and reads the index of its blocks.
  static Result<std::shared_ptr<FlightFile>> Open(files::FileSystem& files, std::string path,
                                                  FileName name, Schema schema, uint64_t bytes);
  ~FlightFile();

  Status Append(const arrow::RecordBatch& batch);
  // Writes the stream's end and the index of blocks, and syncs the data (not the directory).
  Status Finish();
  // Nothing is appended any more: closes the file. After Finish there is nothing to do.
  void Seal();

  uint64_t bytes() const;
  size_t batches() const;
  const std::string& path() const { return path_; }
  // As errors name it, which go to clients: the directory is the node's own affair.
  std::string shown() const { return path_.substr(path_.rfind('/') + 1); }
  const Schema& schema() const { return schema_; }
  // kCorrupt when the file no longer has the bytes that it should.
  Status CheckLength() const;
  // Lets the address space go; batches in readers' hands keep theirs.
  void Unmap();

  // For cursors. The n-th block, and its bytes verified against the checksum, at first.
  std::optional<Block> BlockAt(size_t number) const;
  Result<std::shared_ptr<arrow::Buffer>> ReadBlock(size_t number);

 private:
  class Sink;
  struct Entry {
    Block block;
    bool verified = false;
  };
  FlightFile(files::FileSystem& files, std::string path, FileName name, Schema schema);
  Result<std::shared_ptr<const files::Mapping>> MapTo(uint64_t end);
  Error Corrupt(std::string what) const;
  Status ReadTrailer(uint64_t bytes);

  files::FileSystem& files_;  // Borrowed from the store's context.
  const std::string path_;
  const FileName name_;
  const Schema schema_;
  std::shared_ptr<arrow::ipc::RecordBatchWriter> writer_;  // Shared as Arrow makes it. Null: whole.
  Sink* sink_ = nullptr;                                   // Inside writer_.

  mutable Mutex mutex_;
  std::shared_ptr<files::File> file_ SHEAF_GUARDED_BY(mutex_);  // Shared: Append holds it.
  std::vector<Entry> blocks_ SHEAF_GUARDED_BY(mutex_);
  size_t batches_ SHEAF_GUARDED_BY(mutex_) = 0;
  uint64_t bytes_ SHEAF_GUARDED_BY(mutex_) = 0;
  bool closed_ SHEAF_GUARDED_BY(mutex_) = false;  // Opened anew to be mapped.
  std::shared_ptr<const files::Mapping> mapping_ SHEAF_GUARDED_BY(mutex_);  // Shared with batches.
};

// Reads batches of a file in order, from any first one.
//
// Owner: a reader. Threads: one at a time. Blocking: may read the disk.
class FileCursor final {
 public:
  explicit FileCursor(std::shared_ptr<FlightFile> file);
  ~FileCursor();
  // `index` is below the file's batches() and above every index asked before.
  Result<Batch> Read(size_t index);

 private:
  class Feed;
  const std::shared_ptr<FlightFile> file_;  // Shared with the partition.
  std::shared_ptr<arrow::RecordBatchReader> reader_;
  Feed* feed_ = nullptr;  // Inside reader_.
};

}  // namespace sheaf::store
