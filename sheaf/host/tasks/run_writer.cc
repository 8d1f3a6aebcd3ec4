#include "sheaf/host/tasks/run_writer.h"

#include <algorithm>

namespace sheaf::tasks {
namespace {

constexpr Bytes kPipeBytes = 32_MiB;

}  // namespace

Status RunWriter::Begin(Schema schema, uint32_t partitions) {
  if (begun()) return Fail(Kind::kInternal, "the service began its result twice");
  SHEAF_TRY(run_->cancel.token().Check());
  const auto& options = run_->node->command->options;
  bool outermost_single_use = run_->single_use;
  Tier tier = Tier::kMemory;
  {
    MutexLock lock(engine_.mutex_);
    for (const auto& [id, interest] : run_->interests) {
      if (interest.hold == Hold::kParent) outermost_single_use = false;
      if (interest.target.has_value()) tier = std::max(tier, interest.target->sink.tier);
    }
  }
  std::optional<Bytes> memory_max;
  if (options.memory_bytes.has_value()) memory_max = Bytes{*options.memory_bytes};
  if (outermost_single_use) {
    // A generation is drawn without a writer's data: the pipe keeps nothing.
    const Bytes window = memory_max.has_value() ? std::min(*memory_max, kPipeBytes) : kPipeBytes;
    pipe_ = std::make_shared<PipeFlight>(0, std::move(schema), window);
    engine_.FlightOpened(run_, pipe_);
    return Done();
  }
  store::WriterOptions writer{.schema = std::move(schema),
                              .partitions = partitions,
                              .tier = tier,
                              .spill = run_->single_use ? store::WriterOptions::Spill::kForbidden
                                                        : store::WriterOptions::Spill::kAllowed,
                              .memory_max = run_->single_use ? memory_max : std::nullopt};
  SHEAF_ASSIGN(writer_, engine_.parts_.store.OpenWriter(std::move(writer)));
  engine_.FlightOpened(run_, writer_->flight());
  return Done();
}

Status RunWriter::Write(uint32_t partition, Batch batch) {
  SHEAF_TRY(run_->cancel.token().Check());
  if (pipe_ != nullptr) {
    SHEAF_ASSIGN(auto cut, columnar::CutToLimit(batch));
    for (auto& piece : cut) SHEAF_TRY(pipe_->Write(std::move(piece), run_->cancel.token()));
    return Done();
  }
  if (writer_ == nullptr) return Fail(Kind::kInternal, "the service wrote before Begin");
  return writer_->Write(partition, std::move(batch));
}

Result<std::vector<Result<store::RecordPtr>>> RunWriter::Commit(
    std::vector<store::CommitTarget> targets, std::function<Status()> fence) {
  if (pipe_ != nullptr) {
    pipe_->End(Done());
    return std::vector<Result<store::RecordPtr>>();
  }
  return writer_->Commit(std::move(targets), std::move(fence));
}

void RunWriter::Abort(const Error& reason) {
  if (pipe_ != nullptr) pipe_->End(reason);
  if (writer_ != nullptr) writer_->Abort(reason);
}

}  // namespace sheaf::tasks
