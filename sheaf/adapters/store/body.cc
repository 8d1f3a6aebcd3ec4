#include "sheaf/adapters/store/body.h"

#include <utility>

#include "sheaf/adapters/store/errors.h"

namespace sheaf::store {
namespace {

// Above this a file is unmapped with its last reader; the kernel allows 65,530 maps a process.
constexpr int64_t kMappedMax = 8192;

void CallAll(Wakes& wakes) {
  for (auto& wake : wakes) wake();
  wakes.clear();
}

// What the store hands out. Each is one pin.
class Handle final : public Flight {
 public:
  Handle(BodyPtr body, RecordPtr record) : body_(std::move(body)), record_(std::move(record)) {
    ++body_->standing().handles;
  }
  ~Handle() override {
    body_->Touch();
    --body_->standing().handles;
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  uint64_t generation() const override { return body_->generation(); }
  const Schema& schema() const override { return body_->schema(); }
  uint32_t partitions() const override { return body_->partitions(); }
  bool complete() const override { return body_->complete(); }
  Size size() const override { return body_->size(); }
  Size size(uint32_t partition) const override {
    SHEAF_CHECK(partition < body_->partitions());
    return body_->partition(partition).size();
  }
  Result<std::unique_ptr<FlightReader>> OpenReader(uint32_t partition) override {
    return body_->OpenReader(partition, record_);
  }
  void WhenReadable(std::function<void()> call) override { body_->WhenReadable(std::move(call)); }
  void WhenEnded(std::function<void()> call) override { body_->WhenEnded(std::move(call)); }
  bool damaged() const override { return body_->standing().damaged.load(); }
  Status outcome() const override { return body_->outcome(); }

 private:
  const BodyPtr body_;  // Shared: see Body.
  const RecordPtr record_;
};

}  // namespace

class BodyReader final : public FlightReader {
 public:
  BodyReader(BodyPtr body, uint32_t number, RecordPtr record)
      : body_(std::move(body)), record_(std::move(record)), partition_(body_->partition(number)) {}
  ~BodyReader() override {
    partition_.Leave(cursor_);
    body_->LeaveReader();
  }
  BodyReader(const BodyReader&) = delete;
  BodyReader& operator=(const BodyReader&) = delete;

  Result<Step> Next(std::function<void()> wake) override {
    auto step = partition_.Next(cursor_, std::move(wake));
    if (!step.ok()) return body_->Noted(std::move(step).error(), record_);
    return step;
  }

 private:
  const BodyPtr body_;  // Shared: see Body.
  const RecordPtr record_;
  Partition& partition_;
  Partition::Cursor cursor_;
};

Body::Body(ContextPtr context, Options options)
    : context_(std::move(context)), options_(std::move(options)) {}

BodyPtr Body::Make(ContextPtr context, Options options) {
  BodyPtr body(new Body(std::move(context), std::move(options)));
  const Options& chosen = body->options_;
  for (uint32_t i = 0; i < chosen.partitions; ++i) {
    body->partitions_.push_back(std::make_unique<Partition>(
        *body->context_, FileName{chosen.generation, i}, chosen.schema, chosen.place));
  }
  body->Touch();
  body->context_->Register(chosen.generation, body);
  return body;
}

BodyPtr Body::Restore(ContextPtr context, uint64_t generation, Schema schema,
                      const std::vector<StoredPartition>& stored) {
  Options options;
  options.generation = generation;
  options.schema = std::move(schema);
  options.partitions = static_cast<uint32_t>(stored.size());
  options.place = Partition::Place::kFile;
  BodyPtr body(new Body(std::move(context), std::move(options)));
  for (uint32_t i = 0; i < stored.size(); ++i) {
    body->partitions_.push_back(
        std::make_unique<Partition>(*body->context_, FileName{generation, i}, body->options_.schema,
                                    stored[i].file_bytes, stored[i].size));
  }
  body->committed_ = body->ended_ = body->readable_ = true;
  body->Touch();
  body->context_->Register(generation, body);
  return body;
}

Body::~Body() {
  Unmap();
  context_->Unregister(generation());
  if (standing_.index_rows.load() > 0) return;
  for (auto& partition : partitions_) partition->Discard();
}

Flight::Size Body::size() const {
  Flight::Size sum;
  for (const auto& partition : partitions_) {
    const Flight::Size one = partition->size();
    sum.rows += one.rows;
    sum.bytes += one.bytes;
  }
  return sum;
}

Bytes Body::memory_bytes() const {
  Bytes sum;
  for (const auto& partition : partitions_) sum += partition->memory_bytes();
  return sum;
}

uint64_t Body::file_bytes() const {
  uint64_t sum = 0;
  for (const auto& partition : partitions_) sum += partition->file_bytes();
  return sum;
}

Status Body::outcome() const {
  MutexLock lock(mutex_);
  if (error_.has_value()) return *error_;
  return Done();
}

void Body::Touch() { standing_.last_used_nanos = context_->clock.Now().time_since_epoch().count(); }

Status Body::Write(uint32_t partition, Batch batch) {
  Wakes wakes;
  auto held = partitions_[partition]->Write(std::move(batch), wakes);
  if (!wakes.empty() || !readable_.load()) SeeFirstBatch();
  CallAll(wakes);
  if (!held.ok()) return std::move(held).error();
  if (*held) ArmTimer(partition, columnar::kGatherWait);
  return Done();
}

Status Body::Flush() {
  Status first;
  Wakes wakes;
  for (auto& partition : partitions_) {
    Status flushed = partition->Flush(wakes);
    if (first.ok()) first = std::move(flushed);
  }
  SeeFirstBatch();
  CallAll(wakes);
  return first;
}

void Body::FlushDue(uint32_t partition) {
  if (ended_.load()) return;
  Wakes wakes;
  // An error stays with the partition and is the next Write's or the Commit's.
  const auto held = partitions_[partition]->FlushDue(wakes);
  SeeFirstBatch();
  CallAll(wakes);
  if (held.ok() && *held) ArmTimer(partition, columnar::kGatherWait / 4);
}

void Body::ArmTimer(uint32_t partition, Duration wait) {
  if (context_->timers == nullptr) return;
  const auto due = [weak = weak_from_this(), partition] {
    if (const BodyPtr body = weak.lock(); body != nullptr) body->FlushDue(partition);
  };
  context_->timers->After(wait, [executor = context_->executor, due] {
    if (executor == nullptr || !executor->TryPost(due)) due();
  });
}

Status Body::Spill() {
  const Bytes before = memory_bytes();
  for (auto& partition : partitions_) SHEAF_TRY(partition->Spill());
  if (before.count > 0) ++context_->spilled;
  return Done();
}

Status Body::Finish() {
  for (auto& partition : partitions_) SHEAF_TRY(partition->Finish());
  return Done();
}

void Body::End(std::optional<Error> error) {
  Wakes wakes;
  {
    MutexLock lock(mutex_);
    if (ended_.exchange(true)) return;
    error_ = error;
    readable_ = true;
    for (Wakes* calls : {&when_readable_, &when_ended_}) {
      for (auto& call : *calls) wakes.push_back(std::move(call));
      calls->clear();
    }
  }
  for (auto& partition : partitions_) partition->End(error, wakes);
  CallAll(wakes);
}

void Body::SeeFirstBatch() {
  if (readable_.load() || size().rows == 0) return;
  Wakes wakes;
  {
    MutexLock lock(mutex_);
    if (readable_.exchange(true)) return;
    wakes.swap(when_readable_);
  }
  CallAll(wakes);
}

FlightPtr Body::NewHandle(RecordPtr record) {
  return std::make_shared<Handle>(shared_from_this(), std::move(record));
}

Result<std::unique_ptr<FlightReader>> Body::OpenReader(uint32_t partition,
                                                       const RecordPtr& record) {
  SHEAF_CHECK(partition < partitions());
  {
    MutexLock lock(mutex_);
    if (discarded_) return errors::Gone(generation());
    ++standing_.readers;
  }
  auto reader = std::make_unique<BodyReader>(shared_from_this(), partition, record);
  if (file_bytes() > 0 && !mapped_.exchange(true)) ++context_->mapped_files;
  if (Status opened = partitions_[partition]->OpenToRead(); !opened.ok()) {
    return Noted(std::move(opened).error(), record);
  }
  return std::unique_ptr<FlightReader>(std::move(reader));
}

Error Body::Noted(Error error, const RecordPtr& record) {
  if (error.kind != Kind::kCorrupt) return error;
  standing_.damaged = true;
  context_->probe.corrupt.Increment();
  error = errors::Damaged(record.get(), generation(), error.message);
  context_->log.Error("flight damaged", {{"error", error.message}});
  return error;
}

void Body::LeaveReader() {
  Touch();
  if (--standing_.readers == 0 && context_->mapped_files.load() > kMappedMax) Unmap();
}

void Body::WhenReadable(std::function<void()> call) {
  {
    MutexLock lock(mutex_);
    if (!readable_.load()) {
      when_readable_.push_back(std::move(call));
      return;
    }
  }
  call();
}

void Body::WhenEnded(std::function<void()> call) {
  {
    MutexLock lock(mutex_);
    if (!ended_.load()) {
      when_ended_.push_back(std::move(call));
      return;
    }
  }
  call();
}

bool Body::Discard() {
  {
    MutexLock lock(mutex_);
    if (standing_.readers.load() > 0) return false;
    discarded_ = true;
  }
  for (auto& partition : partitions_) partition->Discard();
  return true;
}

void Body::Unmap() {
  if (!mapped_.exchange(false)) return;
  --context_->mapped_files;
  for (auto& partition : partitions_) partition->Unmap();
}

}  // namespace sheaf::store
