// A flight: record batches being written or whole, and the readers that follow them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "sheaf/base/async/async.h"
#include "sheaf/wire/columnar/columnar.h"

namespace sheaf::store {

// Reads one partition of a flight from batch 0, also while it is being written.
//
// Owner: who opened it; while it lives the flight's data stays. Threads: one call at a time, any
// thread. Blocking: Next never waits for a writer (a mapped page may be read from disk); Wait does.
// Errors: the writer's own error once what came before it is read; kCorrupt when a checksum fails.
class FlightReader {
 public:
  struct Step {
    enum class What : uint8_t { kBatch, kEnd, kPending };
    What what = What::kPending;
    Batch batch;
  };
  virtual ~FlightReader() = default;

  // kEnd only after the flight was committed. kPending: `wake` is called once, from any thread
  // (perhaps before Next returns); then ask again. After another answer it is never called.
  virtual Result<Step> Next(std::function<void()> wake) = 0;

  // Next for threads that may wait: the batch, or nullptr at the end, or the token's reason.
  Result<Batch> Wait(const CancelToken& token);
};

// A handle on a flight's data. Holding one pins the data: it is neither evicted nor removed.
//
// Owner: shared by index, writer, readers' openers and pins. Threads: every method, any thread.
// Blocking: OpenReader may open a file.
class Flight {
 public:
  struct Size {
    int64_t rows = 0;
    int64_t bytes = 0;
  };
  virtual ~Flight() = default;

  virtual uint64_t generation() const = 0;
  virtual const Schema& schema() const = 0;
  virtual uint32_t partitions() const = 0;
  virtual bool complete() const = 0;  // Committed (named or not); the sizes are final.
  virtual Size size() const = 0;      // So far.
  virtual Size size(uint32_t partition) const = 0;
  virtual Result<std::unique_ptr<FlightReader>> OpenReader(uint32_t partition) = 0;

  // Calls once when a first batch can be read, or the flight is complete or failed.
  virtual void WhenReadable(std::function<void()> call) = 0;
  // Calls once when the flight is complete or failed.
  virtual void WhenEnded(std::function<void()> call) = 0;
  // A read of it has found kCorrupt, in this process: it can never be read whole.
  virtual bool damaged() const = 0;
  // The writer's error; Done while it writes and after the commit.
  virtual Status outcome() const = 0;
};
using FlightPtr = std::shared_ptr<Flight>;

}  // namespace sheaf::store
