#include "sheaf/host/tasks/readers.h"

namespace sheaf::tasks {

Result<store::FlightReader::Step> ChainReader::Next(std::function<void()> wake) {
  while (true) {
    if (reader_ == nullptr) {
      if (next_ == flight_->partitions()) return Step{Step::What::kEnd, nullptr};
      SHEAF_ASSIGN(reader_, flight_->OpenReader(next_++));
    }
    SHEAF_ASSIGN(Step step, reader_->Next(wake));
    if (step.what != Step::What::kEnd) return step;
    reader_.reset();
  }
}

arrow::Status BlockingReader::ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) {
  auto next = reader_.Wait(cancel_);
  if (!next.ok()) return columnar::ToArrow(next.error());
  *batch = std::move(next).value();
  return arrow::Status::OK();
}

WatchedReader::~WatchedReader() {
  inner_.reset();
  closed_(read_to_end_);
}

Result<store::FlightReader::Step> WatchedReader::Next(std::function<void()> wake) {
  SHEAF_ASSIGN(Step step, inner_->Next(std::move(wake)));
  if (step.what == Step::What::kEnd) {
    SHEAF_TRY(at_end_());
    read_to_end_ = true;
  }
  return step;
}

}  // namespace sheaf::tasks
