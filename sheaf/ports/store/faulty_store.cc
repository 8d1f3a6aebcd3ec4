#include "sheaf/ports/store/faulty_store.h"

#include <utility>

namespace sheaf::store {
namespace {

Error Refused() { return Error{Kind::kDependency, Effect::kNone, "injected", {}}; }
Error Late() { return Error{Kind::kDeadline, Effect::kUnknown, "injected", {}}; }

// Calls `call`, or not, as the fault says.
template <typename Call>
auto With(Fault fault, Call call) -> decltype(call()) {
  if (fault == Fault::kRefuse) return Refused();
  auto done = call();
  if (fault == Fault::kApplyThenTimeout && done.ok()) return Late();
  return done;
}

class FaultyWriter final : public FlightWriter {
 public:
  FaultyWriter(std::unique_ptr<FlightWriter> inner, FaultyStore::Next next)
      : inner_(std::move(inner)), next_(std::move(next)) {}

  const FlightPtr& flight() const override { return inner_->flight(); }
  Status Write(uint32_t partition, Batch batch) override {
    return With(next_("Write"), [&] { return inner_->Write(partition, std::move(batch)); });
  }
  Status Flush() override {
    return With(next_("Flush"), [&] { return inner_->Flush(); });
  }
  Result<std::vector<Result<RecordPtr>>> Commit(std::vector<CommitTarget> targets,
                                                std::function<Status()> fence) override {
    const Fault fault = next_("Commit");
    if (fault == Fault::kRefuse) inner_->Abort(Refused());
    return With(fault, [&] { return inner_->Commit(std::move(targets), std::move(fence)); });
  }
  void Abort(Error reason) override { inner_->Abort(std::move(reason)); }

 private:
  const std::unique_ptr<FlightWriter> inner_;
  const FaultyStore::Next next_;
};

}  // namespace

Result<std::unique_ptr<FlightWriter>> FaultyStore::OpenWriter(WriterOptions options) {
  SHEAF_ASSIGN(auto writer, With(next_("OpenWriter"),
                                 [&] { return inner_.OpenWriter(std::move(options)); }));
  return std::unique_ptr<FlightWriter>(std::make_unique<FaultyWriter>(std::move(writer), next_));
}

Result<FlightPtr> FaultyStore::LookupGeneration(const Path& path, uint64_t generation) {
  return With(next_("LookupGeneration"), [&] { return inner_.LookupGeneration(path, generation); });
}

Status FaultyStore::Drop(const Path& path, std::optional<uint64_t> generation) {
  return With(next_("Drop"), [&] { return inner_.Drop(path, generation); });
}

Result<RecordPtr> FaultyStore::Pin(const Path& path, std::optional<uint64_t> generation,
                                   bool pinned) {
  return With(next_("Pin"), [&] { return inner_.Pin(path, generation, pinned); });
}

Result<RecordPtr> FaultyStore::Touch(const Path& path, std::optional<uint64_t> generation,
                                     std::optional<int64_t> ttl_s) {
  return With(next_("Touch"), [&] { return inner_.Touch(path, generation, ttl_s); });
}

}  // namespace sheaf::store
