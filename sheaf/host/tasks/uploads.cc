// Uploads: one writer of a path, whole or not at all.
#include <arrow/record_batch.h>

#include <utility>

#include "sheaf/host/tasks/engine.h"

namespace sheaf::tasks {

class PathUpload final : public Upload {
 public:
  PathUpload(Engine& engine, Sink sink, std::string principal, TaskId id)
      : engine_(engine), sink_(std::move(sink)), principal_(std::move(principal)), id_(id) {}
  ~PathUpload() override { Abort(Fail(Kind::kCancelled, "the upload was given up")); }

  Status Open(Schema schema) {
    SHEAF_ASSIGN(writer_, engine_.parts_.store.OpenWriter(
                              {.schema = std::move(schema), .tier = sink_.tier}));
    return Done();
  }

  Status Write(Batch batch) override {
    rows_ += batch->num_rows();
    return writer_->Write(0, std::move(batch));
  }

  Result<flights::PutReceipt> Commit() override {
    auto writer = std::exchange(writer_, nullptr);
    auto committed = writer->Commit({{sink_, {.principal = principal_}}}, [] { return Done(); });
    FreePath();  // Before the client hears of it: its next upload must not meet this one.
    SHEAF_ASSIGN(auto records, std::move(committed));
    SHEAF_ASSIGN(const store::RecordPtr record, std::move(records.front()));
    engine_.probe_.uploads.Increment();
    return flights::PutReceipt{record->rows, record->bytes, record->generation, record->durable};
  }

  void Abort(Error reason) override {
    if (auto writer = std::exchange(writer_, nullptr)) writer->Abort(std::move(reason));
    FreePath();
  }

  int64_t rows() const override { return rows_; }

 private:
  void FreePath() {
    MutexLock lock(engine_.mutex_);
    const auto mine = engine_.writers_.find(sink_.path);
    if (mine != engine_.writers_.end() && mine->second.id == id_) engine_.writers_.erase(mine);
  }

  Engine& engine_;  // Borrowed; outlives every upload.
  const Sink sink_;
  const std::string principal_;
  const TaskId id_;
  std::unique_ptr<store::FlightWriter> writer_;
  int64_t rows_ = 0;
};

// Makes this upload the one writer of the path; a run that is committing there is waited for.
Status Engine::TakePath(const Path& path, const TaskId& id, const CancelToken& cancel) {
  while (true) {
    RunPtr committing;
    {
      MutexLock lock(mutex_);
      if (draining_) return Fail(Kind::kShuttingDown, "the server is stopping; ask another node");
      const auto [entry, fresh] = writers_.try_emplace(path, PathWriter{nullptr, id});
      const PathWriter& other = entry->second;
      if (!fresh && (other.run == nullptr || !other.run->committing)) {
        return Fail(Kind::kConflict,
                    "'" + path.Text() + "' is being written by " +
                        (other.run != nullptr ? "task " : "upload ") + other.id.text +
                        "; wait for it or choose another path",
                    Json({{"task", other.id.text}}).dump());
      }
      committing = other.run;  // Null when the path is ours.
    }
    if (committing == nullptr) break;
    SHEAF_TRY(WaitForEnd(committing, cancel));
  }
  parts_.watcher->Settle(path);
  return Done();
}

Status Engine::SettlePath(const Path& path, const CancelToken& cancel) {
  RunPtr committing;
  {
    MutexLock lock(mutex_);
    const auto writer = writers_.find(path);
    if (writer != writers_.end()) committing = writer->second.run;
    if (committing != nullptr && !committing->committing) committing = nullptr;
  }
  if (committing != nullptr) SHEAF_TRY(WaitForEnd(committing, cancel));
  parts_.watcher->Settle(path);
  return Done();
}

Result<std::unique_ptr<Upload>> Engine::OpenUpload(const Sink& sink, Schema schema,
                                                   const flights::Context& context) {
  SHEAF_TRY(AuthoriseWrite(sink.path, context.principal));
  SHEAF_TRY(TierIsHere(sink.tier));
  const TaskId id = core::NewId<core::TaskTag>();
  SHEAF_TRY(TakePath(sink.path, id, context.cancel));
  auto upload = std::make_unique<PathUpload>(*this, WithDefaults(sink), context.principal, id);
  const auto found = parts_.store.Lookup(sink.path);
  const uint64_t current = found.has_value() ? found->record->generation : 0;
  if (sink.if_generation.has_value() && *sink.if_generation != current) {
    return Fail(Kind::kConflict,
                "'" + sink.path.Text() + "' has generation " + std::to_string(current) +
                    ", and if_generation says " + std::to_string(*sink.if_generation),
                Json({{"generation", current}}).dump());
  }
  SHEAF_TRY(upload->Open(std::move(schema)));
  return std::unique_ptr<Upload>(std::move(upload));
}

}  // namespace sheaf::tasks
