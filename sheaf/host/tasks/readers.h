// Readers between flights and services: chains of partitions, Arrow's own reader, interests.
#pragma once

#include <arrow/record_batch.h>

#include <functional>
#include <memory>
#include <vector>

#include "sheaf/base/async/async.h"
#include "sheaf/ports/store/store.h"

namespace sheaf::tasks {

// All partitions of a flight, one after another, each opened when its turn comes.
//
// Threads, blocking: as FlightReader.
class ChainReader final : public store::FlightReader {
 public:
  explicit ChainReader(store::FlightPtr flight) : flight_(std::move(flight)) {}
  Result<Step> Next(std::function<void()> wake) override;

 private:
  store::FlightPtr flight_;  // Shared: pins the data while it is read.
  uint32_t next_ = 0;
  std::unique_ptr<store::FlightReader> reader_;
};

// A flight as a service reads it: waits for the writer, obeys the run's cancel.
class BlockingReader final : public arrow::RecordBatchReader {
 public:
  BlockingReader(store::FlightPtr flight, CancelToken cancel)
      : schema_(flight->schema()), reader_(std::move(flight)), cancel_(std::move(cancel)) {}
  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override;

 private:
  const Schema schema_;
  ChainReader reader_;
  const CancelToken cancel_;
};

// Passes a reader on and calls `closed(read_to_end)` once when it dies. At the end asks `at_end`,
// whose error takes the end's place.
class WatchedReader final : public store::FlightReader {
 public:
  WatchedReader(std::unique_ptr<store::FlightReader> inner, std::function<Status()> at_end,
                std::function<void(bool read_to_end)> closed)
      : inner_(std::move(inner)), at_end_(std::move(at_end)), closed_(std::move(closed)) {}
  ~WatchedReader() override;
  Result<Step> Next(std::function<void()> wake) override;

 private:
  std::unique_ptr<store::FlightReader> inner_;
  std::function<Status()> at_end_;
  std::function<void(bool)> closed_;
  bool read_to_end_ = false;
};

}  // namespace sheaf::tasks
