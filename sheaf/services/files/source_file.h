// A data file as Arrow's readers see it: an open descriptor, read with pread, never mapped (a
// file cut short under a mapping would end the process).
#pragma once

#include <arrow/io/interfaces.h>
#include <arrow/util/future.h>

#include <atomic>
#include <memory>
#include <string>

#include "sheaf/base/async/async.h"
#include "sheaf/base/core/core.h"
#include "sheaf/base/time/time.h"
#include "sheaf/services/files/bounded_pool.h"
#include "sheaf/services/files/find.h"
#include "sheaf/services/files/probe.h"

namespace sheaf::files {

// What every reading of a run obeys. A value; all borrowed things outlive the run.
struct ReadContext {
  CancelToken cancel;
  Deadline deadline;
  const Clock* clock = nullptr;
  std::shared_ptr<BoundedPool> pool;  // Of one file.
  Probe* probe = nullptr;

  // Done, or why the reading must stop.
  Status Check() const;
};

// Owner: shared by Arrow's readers and the buffers' makers. Threads: ReadAt from any; the rest
// one at a time. Blocking: waits for the disk. Errors: the context's reason before each 4 MiB;
// kDependency when the disk fails. A read never returns, or allocates, more than the file holds.
class SourceFile final : public arrow::io::RandomAccessFile {
 public:
  // `file` as it was found; kFailed when something else is there now.
  static Result<std::shared_ptr<SourceFile>> Open(const FoundFile& file, ReadContext context);
  // Of a descriptor that is open already.
  SourceFile(Descriptor fd, int64_t size, ReadContext context)
      : fd_(std::move(fd)), size_(size), context_(std::move(context)) {}

  int64_t size() const { return size_; }
  const ReadContext& context() const { return context_; }
  // kFailed when the file's size or time is not what it was when it was opened.
  Status CheckUnchanged(const FoundFile& file) const;

  arrow::Status Close() override;
  bool closed() const override { return closed_; }
  arrow::Result<int64_t> Tell() const override { return position_; }
  arrow::Status Seek(int64_t position) override;
  arrow::Result<int64_t> GetSize() override { return size_; }
  arrow::Result<int64_t> Read(int64_t nbytes, void* out) override;
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t nbytes) override;
  arrow::Result<int64_t> ReadAt(int64_t position, int64_t nbytes, bool allow_short_read,
                                void* out) override;
  arrow::Result<int64_t> ReadAt(int64_t position, int64_t nbytes, void* out) override {
    return ReadAt(position, nbytes, true, out);
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> ReadAt(int64_t position, int64_t nbytes,
                                                       bool allow_short_read) override;
  arrow::Result<std::shared_ptr<arrow::Buffer>> ReadAt(int64_t position, int64_t nbytes) override {
    return ReadAt(position, nbytes, true);
  }
  // On the calling thread: Arrow's own would work on its process-wide pool, and free what it read
  // there at a time of its own.
  arrow::Future<std::shared_ptr<arrow::Buffer>> ReadAsync(const arrow::io::IOContext&,
                                                          int64_t position, int64_t nbytes,
                                                          bool allow_short_read) override {
    return arrow::Future<std::shared_ptr<arrow::Buffer>>::MakeFinished(
        ReadAt(position, nbytes, allow_short_read));
  }
  arrow::Future<std::shared_ptr<arrow::Buffer>> ReadAsync(const arrow::io::IOContext& context,
                                                          int64_t position,
                                                          int64_t nbytes) override {
    return ReadAsync(context, position, nbytes, true);
  }

 private:
  const Descriptor fd_;
  const int64_t size_;
  const ReadContext context_;
  int64_t position_ = 0;
  std::atomic<bool> closed_{false};
};

}  // namespace sheaf::files
