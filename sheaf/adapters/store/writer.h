// The writer of one flight.
#pragma once

#include <functional>
#include <vector>

#include "sheaf/adapters/store/body.h"
#include "sheaf/ports/store/store.h"

namespace sheaf::store {

class LocalStore;

class LocalWriter final : public FlightWriter {
 public:
  LocalWriter(LocalStore& store, BodyPtr body);
  ~LocalWriter() override;
  LocalWriter(const LocalWriter&) = delete;
  LocalWriter& operator=(const LocalWriter&) = delete;

  const FlightPtr& flight() const override { return handle_; }
  Status Write(uint32_t partition, Batch batch) override;
  Status Flush() override;
  Result<std::vector<Result<RecordPtr>>> Commit(std::vector<CommitTarget> targets,
                                                std::function<Status()> fence) override;
  void Abort(Error reason) override;

 private:
  Error Over() const;
  Status MakeRoom(uint32_t partition, const arrow::RecordBatch& batch);

  LocalStore& store_;  // Borrowed; outlives this.
  const BodyPtr body_;  // Shared: see Body.
  const FlightPtr handle_;
};

}  // namespace sheaf::store
