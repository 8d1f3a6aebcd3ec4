#include "sheaf/host/tasks/pipe_flight.h"

#include <arrow/record_batch.h>

#include <utility>

namespace sheaf::tasks {

class PipeFlight::Reader final : public store::FlightReader {
 public:
  explicit Reader(std::shared_ptr<PipeFlight> pipe) : pipe_(std::move(pipe)) {}
  ~Reader() override {
    MutexLock lock(pipe_->mutex_);
    pipe_->reader_gone_ = true;
    pipe_->wake_ = nullptr;
    pipe_->queue_.clear();
    pipe_->queued_ = {};
    pipe_->room_.NotifyAll();
  }

  Result<Step> Next(std::function<void()> wake) override {
    MutexLock lock(pipe_->mutex_);
    if (!pipe_->queue_.empty()) {
      Step step{Step::What::kBatch, std::move(pipe_->queue_.front())};
      pipe_->queue_.pop_front();
      pipe_->queued_ -= columnar::TrueBytes(*step.batch);
      pipe_->room_.NotifyAll();
      return step;
    }
    if (!pipe_->outcome_.ok()) return pipe_->outcome_.error();
    if (pipe_->done_) return Step{Step::What::kEnd, nullptr};
    pipe_->wake_ = std::move(wake);
    return Step{};
  }

 private:
  std::shared_ptr<PipeFlight> pipe_;  // Shared with the writer.
};

Status PipeFlight::Write(Batch batch, const CancelToken& token) {
  const Bytes bytes = columnar::TrueBytes(*batch);
  auto registration = token.OnCancel([this] {
    MutexLock lock(mutex_);
    room_.NotifyAll();
  });
  std::function<void()> wake;
  {
    MutexLock lock(mutex_);
    // A batch larger than the queue goes alone: it exists already.
    while (!queue_.empty() && queued_ + bytes > queue_max_ && !reader_gone_ && !token.cancelled()) {
      room_.Wait(mutex_);
    }
    SHEAF_TRY(token.Check());
    if (reader_gone_) return Fail(Kind::kCancelled, "the one reader of this result is gone");
    queue_.push_back(batch);
    queued_ += bytes;
    size_.rows += batch->num_rows();
    size_.bytes += bytes.count;
    wake = std::exchange(wake_, nullptr);
  }
  readable_.Set();
  if (wake) wake();
  return Done();
}

void PipeFlight::End(Status outcome) {
  std::function<void()> wake;
  {
    MutexLock lock(mutex_);
    done_ = true;
    outcome_ = std::move(outcome);
    wake = std::exchange(wake_, nullptr);
  }
  readable_.Set();
  ended_.Set();
  if (wake) wake();
}

bool PipeFlight::complete() const {
  MutexLock lock(mutex_);
  return done_ && outcome_.ok();
}

store::Flight::Size PipeFlight::size() const {
  MutexLock lock(mutex_);
  return size_;
}

Status PipeFlight::outcome() const {
  MutexLock lock(mutex_);
  return outcome_;
}

Result<std::unique_ptr<store::FlightReader>> PipeFlight::OpenReader(uint32_t) {
  MutexLock lock(mutex_);
  if (opened_) {
    return Fail(Kind::kResultGone, "a result with retain_s 0 can be read once; run it again");
  }
  opened_ = true;
  return std::unique_ptr<store::FlightReader>(std::make_unique<Reader>(shared_from_this()));
}

}  // namespace sheaf::tasks
