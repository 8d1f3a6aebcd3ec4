#include "sheaf/adapters/store/partition.h"

#include <arrow/record_batch.h>

#include <algorithm>

namespace sheaf::store {

Partition::Partition(Context& context, FileName name, Schema schema, Place place)
    : context_(context), name_(name), schema_(std::move(schema)) {
  MutexLock write_lock(write_mutex_);
  to_file_ = place == Place::kFile;
}

Partition::Partition(Context& context, FileName name, Schema schema, uint64_t file_bytes,
                     Flight::Size size)
    : context_(context), name_(name), schema_(std::move(schema)) {
  {
    MutexLock write_lock(write_mutex_);
    to_file_ = finished_ = true;
  }
  MutexLock lock(mutex_);
  size_ = size;
  file_bytes_ = file_bytes;
  on_disk_ = ended_ = true;
  context_.disk->Charge({static_cast<int64_t>(file_bytes)});
}

Partition::~Partition() {
  MutexLock lock(mutex_);
  context_.memory->Release(memory_bytes_);
  context_.disk->Release({static_cast<int64_t>(file_bytes_)});
}

Result<bool> Partition::Write(Batch batch, Wakes& wakes) {
  MutexLock write_lock(write_mutex_);
  if (write_error_.has_value()) return *write_error_;
  const Instant now = context_.clock.Now();
  auto ready = gatherer_.Add(std::move(batch), now);
  if (ready.ok()) {
    SHEAF_TRY(Hand(std::move(*ready), wakes));
    ready = gatherer_.Due(now);
  }
  if (!ready.ok()) {
    write_error_ = ready.error();
    return std::move(ready).error();
  }
  SHEAF_TRY(Hand(std::move(*ready), wakes));
  return !gatherer_.empty() && !std::exchange(awaits_flush_, true);
}

Status Partition::Flush(Wakes& wakes) {
  MutexLock write_lock(write_mutex_);
  if (write_error_.has_value()) return *write_error_;
  auto ready = gatherer_.Flush();
  if (!ready.ok()) write_error_ = ready.error();
  if (!ready.ok()) return std::move(ready).error();
  return Hand(std::move(*ready), wakes);
}

Result<bool> Partition::FlushDue(Wakes& wakes) {
  MutexLock write_lock(write_mutex_);
  if (write_error_.has_value()) return *write_error_;
  auto ready = gatherer_.Due(context_.clock.Now());
  if (!ready.ok()) write_error_ = ready.error();
  if (!ready.ok()) return std::move(ready).error();
  SHEAF_TRY(Hand(std::move(*ready), wakes));
  return awaits_flush_ = !gatherer_.empty();
}

Status Partition::Hand(std::vector<Batch> ready, Wakes& wakes) {
  for (Batch& batch : ready) {
    auto pieces = columnar::CutToLimit(batch);
    batch.reset();
    Status done = pieces.ok() ? AppendAll(std::move(*pieces), wakes) : pieces.error();
    if (!done.ok()) {
      write_error_ = done.error();
      return done;
    }
  }
  return Done();
}

Status Partition::AppendAll(std::vector<Batch> pieces, Wakes& wakes) {
  Bytes held;
  if (!to_file_) {
    for (const Batch& piece : pieces) held += held_.Add(*piece);
    context_.memory->Charge(held);
  }
  for (size_t i = 0; i < pieces.size(); ++i) {
    // Pieces share their buffers: the last one to leave memory takes the charge along.
    const Bytes charged = i + 1 == pieces.size() ? held : Bytes{};
    SHEAF_TRY(Append(std::move(pieces[i]), charged, wakes));
  }
  return Done();
}

Status Partition::Append(Batch batch, Bytes charged, Wakes& wakes) {
  const Bytes bytes = columnar::TrueBytes(*batch);
  const int64_t rows = batch->num_rows();
  if (to_file_) {
    SHEAF_TRY(AppendToFile(*batch));
    batch.reset();
  }
  MutexLock lock(mutex_);
  if (batch == nullptr) {
    memory_base_ = ++memory_first_;
  } else {
    memory_.push_back({std::move(batch), charged});
    memory_bytes_ += charged;
  }
  ++count_;
  size_.rows += rows;
  size_.bytes += bytes.count;
  TakeWakes(wakes);
  return Done();
}

Status Partition::EnsureFile() {
  if (file_error_.has_value()) return *file_error_;
  {
    MutexLock lock(mutex_);
    if (file_ != nullptr) return Done();
  }
  auto made = FlightFile::Create(context_.files, context_.FilePath(name_), name_, schema_);
  if (!made.ok()) file_error_ = made.error();
  if (!made.ok()) return std::move(made).error();
  MutexLock lock(mutex_);
  file_ = std::move(*made);
  on_disk_ = true;
  return Done();
}

Status Partition::AppendToFile(const arrow::RecordBatch& batch) {
  SHEAF_TRY(EnsureFile());
  std::shared_ptr<FlightFile> file;
  {
    MutexLock lock(mutex_);
    file = file_;
  }
  Status appended = file->Append(batch);
  if (!appended.ok()) file_error_ = appended.error();
  ChargeFile();
  return appended;
}

void Partition::ChargeFile() {
  MutexLock lock(mutex_);
  const uint64_t now = file_->bytes();
  context_.disk->Charge({static_cast<int64_t>(now - file_bytes_)});
  file_bytes_ = now;
}

Status Partition::Spill() {
  MutexLock write_lock(write_mutex_);
  return SpillHeld();
}

Status Partition::SpillHeld() {
  SHEAF_CHECK(context_.has_disk());
  if (to_file_) return Done();
  SHEAF_TRY(EnsureFile());
  while (true) {
    Kept kept;
    {
      MutexLock lock(mutex_);
      if (memory_first_ == count_) break;
      kept = memory_[memory_first_ - memory_base_];
    }
    SHEAF_TRY(AppendToFile(*kept.batch));
    {
      MutexLock lock(mutex_);
      memory_[memory_first_ - memory_base_].batch.reset();
      memory_bytes_ -= kept.charged;
      if (++memory_first_ == count_) {
        memory_ = {};
        memory_base_ = count_;
      }
    }
    context_.memory->Release(kept.charged);
    context_.probe.spilled_bytes.Add(static_cast<double>(kept.charged.count));
  }
  held_.Clear();
  to_file_ = true;
  MutexLock lock(mutex_);
  if (ended_) file_->Seal();
  return Done();
}

Status Partition::Finish() {
  MutexLock write_lock(write_mutex_);
  if (finished_) return Done();
  if (write_error_.has_value()) return *write_error_;
  SHEAF_CHECK(gatherer_.empty());
  SHEAF_TRY(SpillHeld());
  SHEAF_TRY(EnsureFile());
  std::shared_ptr<FlightFile> file;
  {
    MutexLock lock(mutex_);
    file = file_;
  }
  Status finished = file->Finish();
  if (!finished.ok()) file_error_ = finished.error();
  if (finished.ok()) finished_ = true;
  ChargeFile();
  return finished;
}

void Partition::End(const std::optional<Error>& error, Wakes& wakes) {
  MutexLock write_lock(write_mutex_);
  MutexLock lock(mutex_);
  if (file_ != nullptr) file_->Seal();
  ended_ = true;
  error_ = error;
  TakeWakes(wakes);
}

void Partition::Discard() {
  std::vector<Kept> dropped;  // Dies outside the locks.
  bool remove = false;
  {
    MutexLock write_lock(write_mutex_);
    MutexLock lock(mutex_);
    dropped.swap(memory_);
    held_.Clear();
    to_file_ = finished_ = true;  // Nothing is ever spilled again.
    context_.memory->Release(std::exchange(memory_bytes_, {}));
    context_.disk->Release({static_cast<int64_t>(std::exchange(file_bytes_, 0))});
    file_.reset();
    remove = std::exchange(on_disk_, false);
  }
  if (!remove) return;
  const Status removed = context_.files.Remove(context_.FilePath(name_));
  if (!removed.ok() && removed.error().kind != Kind::kNotFound) {
    context_.log.Warn("flight file not removed", {{"error", removed.error().message}});
  }
}

void Partition::Unmap() {
  MutexLock lock(mutex_);
  if (file_ != nullptr) file_->Unmap();
}

Status Partition::OpenToRead() {
  const auto opened = [this](uint64_t& bytes) -> std::shared_ptr<FlightFile> {
    MutexLock lock(mutex_);
    bytes = on_disk_ ? file_bytes_ : 0;
    return file_;
  };
  uint64_t bytes = 0;
  if (auto file = opened(bytes); file != nullptr) return file->CheckLength();
  if (bytes == 0) return Done();
  MutexLock write_lock(write_mutex_);  // Of the index, so nobody writes: one reader opens it.
  if (opened(bytes) != nullptr) return Done();
  SHEAF_ASSIGN(auto file,
               FlightFile::Open(context_.files, context_.FilePath(name_), name_, schema_, bytes));
  MutexLock lock(mutex_);
  count_ = memory_base_ = memory_first_ = file->batches();
  file_ = std::move(file);
  return Done();
}

bool Partition::in_file() const {
  MutexLock write_lock(write_mutex_);
  return to_file_;
}

Flight::Size Partition::size() const {
  MutexLock lock(mutex_);
  return size_;
}

Bytes Partition::memory_bytes() const {
  MutexLock lock(mutex_);
  return memory_bytes_;
}

uint64_t Partition::file_bytes() const {
  MutexLock lock(mutex_);
  return file_bytes_;
}

void Partition::TakeWakes(Wakes& wakes) {
  for (Cursor* cursor : waiting_) {
    cursor->waiting = false;
    wakes.push_back(std::move(cursor->wake));
    cursor->wake = nullptr;
  }
  waiting_.clear();
}

void Partition::StopWaiting(Cursor& cursor) {
  if (!cursor.waiting) return;
  cursor.waiting = false;
  waiting_.erase(std::find(waiting_.begin(), waiting_.end(), &cursor));
}

Result<FlightReader::Step> Partition::Next(Cursor& cursor, std::function<void()> wake) {
  using What = FlightReader::Step::What;
  std::shared_ptr<FlightFile> file;
  std::function<void()> stale;  // Dies outside the lock.
  {
    MutexLock lock(mutex_);
    StopWaiting(cursor);
    stale = std::exchange(cursor.wake, nullptr);
    if (cursor.next < memory_first_) {
      file = file_;
    } else if (cursor.next < count_) {
      return FlightReader::Step{What::kBatch, memory_[cursor.next++ - memory_base_].batch};
    } else if (!ended_) {
      cursor.wake = std::move(wake);
      cursor.waiting = true;
      waiting_.push_back(&cursor);
      return FlightReader::Step{What::kPending, nullptr};
    } else if (error_.has_value()) {
      return *error_;
    } else {
      return FlightReader::Step{What::kEnd, nullptr};
    }
  }
  if (cursor.file == nullptr) cursor.file = std::make_unique<FileCursor>(std::move(file));
  SHEAF_ASSIGN(Batch batch, cursor.file->Read(cursor.next));
  ++cursor.next;
  return FlightReader::Step{What::kBatch, std::move(batch)};
}

void Partition::Leave(Cursor& cursor) {
  std::function<void()> stale;  // Dies outside the lock.
  MutexLock lock(mutex_);
  StopWaiting(cursor);
  stale = std::exchange(cursor.wake, nullptr);
}

}  // namespace sheaf::store
