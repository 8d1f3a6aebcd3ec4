#include "sheaf/services/files/source_file.h"

#include <arrow/buffer.h>
#include <arrow/result.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "sheaf/services/files/errors.h"
#include "sheaf/wire/columnar/columnar.h"

namespace sheaf::files {
namespace {

constexpr int64_t kPieceBytes = 4 << 20;  // Between two looks at the context.

}  // namespace

Status ReadContext::Check() const {
  SHEAF_TRY(cancel.Check());
  if (clock != nullptr && deadline.Passed(clock->Now())) {
    return Fail(Kind::kDeadline, "the deadline passed while files were being read");
  }
  return Done();
}

Result<std::shared_ptr<SourceFile>> SourceFile::Open(const FoundFile& file, ReadContext context) {
  SHEAF_TRY(context.Check());
  // Non-blocking: a pipe that took the file's place must not hold the thread.
  auto fd = OpenPlace(file.place, O_NONBLOCK | O_NOCTTY);
  if (!fd.ok()) {
    Error error = std::move(fd).error();
    return Fail(error.kind, "'" + file.name + "' cannot be read: " + error.message);
  }
  struct stat facts {};
  if (::fstat(fd->get(), &facts) != 0) return CannotOpen(file.name, std::strerror(errno));
  if (!S_ISREG(facts.st_mode)) return NotRegular(file.name);
  if (FoundFile::TokenOf(facts) != file.Token()) return Changed(file.name);
  if (context.probe != nullptr) context.probe->files.Increment();
  return std::make_shared<SourceFile>(std::move(*fd), facts.st_size, std::move(context));
}

Status SourceFile::CheckUnchanged(const FoundFile& file) const {
  struct stat facts {};
  if (::fstat(fd_.get(), &facts) != 0 || FoundFile::TokenOf(facts) != file.Token()) {
    return Changed(file.name);
  }
  return Done();
}

arrow::Status SourceFile::Close() {
  closed_ = true;
  return arrow::Status::OK();
}

arrow::Status SourceFile::Seek(int64_t position) {
  if (position < 0) return arrow::Status::Invalid("a negative position");
  position_ = position;
  return arrow::Status::OK();
}

arrow::Result<int64_t> SourceFile::Read(int64_t nbytes, void* out) {
  ARROW_ASSIGN_OR_RAISE(const int64_t size, ReadAt(position_, nbytes, true, out));
  position_ += size;
  return size;
}

arrow::Result<std::shared_ptr<arrow::Buffer>> SourceFile::Read(int64_t nbytes) {
  ARROW_ASSIGN_OR_RAISE(auto buffer, ReadAt(position_, nbytes, true));
  position_ += buffer->size();
  return buffer;
}

arrow::Result<int64_t> SourceFile::ReadAt(int64_t position, int64_t nbytes, bool allow_short_read,
                                          void* out) {
  if (closed_) return arrow::Status::Invalid("the file is closed");
  if (position < 0 || nbytes < 0) return arrow::Status::Invalid("a negative position or size");
  int64_t done = 0;
  while (done < nbytes) {
    if (Status status = context_.Check(); !status.ok()) return columnar::ToArrow(status.error());
    const int64_t piece = std::min(nbytes - done, kPieceBytes);
    const ssize_t got = ::pread(fd_.get(), static_cast<char*>(out) + done,
                                static_cast<size_t>(piece), position + done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      return columnar::ToArrow(
          Fail(Kind::kDependency, std::string("the disk failed: ") + std::strerror(errno)));
    }
    if (got == 0) break;
    done += got;
  }
  if (context_.probe != nullptr) context_.probe->bytes.Add(static_cast<double>(done));
  if (done < nbytes && !allow_short_read) {
    return arrow::Status::IOError("the file ends at byte ", position + done);
  }
  return done;
}

arrow::Result<std::shared_ptr<arrow::Buffer>> SourceFile::ReadAt(int64_t position, int64_t nbytes,
                                                                 bool allow_short_read) {
  if (position < 0 || nbytes < 0) return arrow::Status::Invalid("a negative position or size");
  const int64_t there = std::max<int64_t>(size_ - position, 0);
  if (nbytes > there && !allow_short_read) {
    return arrow::Status::IOError("the file ends at byte ", size_);
  }
  ARROW_ASSIGN_OR_RAISE(
      auto buffer, arrow::AllocateResizableBuffer(std::min(nbytes, there), context_.pool.get()));
  ARROW_ASSIGN_OR_RAISE(const int64_t size,
                        ReadAt(position, buffer->size(), allow_short_read, buffer->mutable_data()));
  ARROW_RETURN_NOT_OK(buffer->Resize(size, false));
  return std::shared_ptr<arrow::Buffer>(std::move(buffer));
}

}  // namespace sheaf::files
