#include "sheaf/adapters/store/writer.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <utility>

#include "sheaf/adapters/store/errors.h"
#include "sheaf/adapters/store/store_core.h"

namespace sheaf::store {

LocalWriter::LocalWriter(LocalStore& store, BodyPtr body)
    : store_(store), body_(std::move(body)), handle_(body_->NewHandle()) {
  ++store_.context().open_writers;
}

LocalWriter::~LocalWriter() {
  Abort(errors::Abandoned());
  --store_.context().open_writers;
}

// Why nothing more can be done: the error that ended the flight, or that it was committed.
Error LocalWriter::Over() const {
  Status outcome = body_->outcome();
  if (!outcome.ok()) return std::move(outcome).error();
  return Fail(Kind::kInternal, "the flight is no longer written");
}

Status LocalWriter::Write(uint32_t partition, Batch batch) {
  SHEAF_CHECK(partition < body_->partitions());
  if (body_->ended()) return Over();
  if (batch->schema() != body_->schema() &&
      !batch->schema()->Equals(*body_->schema(), /*check_metadata=*/false)) {
    return Fail(Kind::kInternal, "a batch of schema " + batch->schema()->ToString() +
                                     " for a flight of " + body_->schema()->ToString());
  }
  if (batch->num_rows() == 0) return Done();
  SHEAF_TRY(MakeRoom(partition, *batch));
  return body_->Write(partition, std::move(batch));
}

Status LocalWriter::MakeRoom(uint32_t partition, const arrow::RecordBatch& batch) {
  const Bytes bytes = columnar::TrueBytes(batch);
  if (!body_->partition(partition).in_file()) {
    const auto& limit = body_->options().memory_max;
    if (limit.has_value() && body_->memory_bytes() + bytes > *limit) {
      if (!body_->MaySpill()) return errors::FlightTooLarge(*limit);
      SHEAF_TRY(body_->Spill());
    } else {
      SHEAF_TRY(store_.pressure().MakeMemory(*body_, bytes));
    }
  }
  if (!body_->partition(partition).in_file()) return Done();
  return store_.pressure().MakeDisk(bytes);
}

Status LocalWriter::Flush() { return body_->Flush(); }

Result<std::vector<Result<RecordPtr>>> LocalWriter::Commit(std::vector<CommitTarget> targets,
                                                           std::function<Status()> fence) {
  if (body_->ended()) return Over();
  auto committed = store_.Commit(body_, targets, fence);
  if (committed.ok()) {
    body_->End(std::nullopt);
  } else {
    body_->End(committed.error());
  }
  return committed;
}

void LocalWriter::Abort(Error reason) { body_->End(std::move(reason)); }

}  // namespace sheaf::store
