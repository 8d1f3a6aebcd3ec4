#include "sheaf/host/endpoint/core.h"

#include "sheaf/drivers/flight/flight.h"

namespace sheaf::endpoint {
namespace {

constexpr size_t kSchemasMax = 1024;

}  // namespace

Result<std::shared_ptr<arrow::Buffer>> SchemaCache::Message(const Schema& schema) {
  {
    MutexLock lock(mutex_);
    const auto found = entries_.find(schema.get());
    if (found != entries_.end()) return found->second.message;
  }
  SHEAF_ASSIGN(auto message, flight::SerializeSchema(*schema));
  MutexLock lock(mutex_);
  if (entries_.size() >= kSchemasMax) entries_.clear();
  entries_[schema.get()] = {schema, message};
  return message;
}

Result<RequestPtr> Core::Open(const flight::CallPtr& call) {
  auto request = std::make_shared<Request>(call, clock(), parts.log, probe);
  switch (state.load()) {
    case Endpoint::State::kReady: return request;
    case Endpoint::State::kStarting:
      return request->Failed(
          Fail(Kind::kNotReady, "the server is starting; try again", R"({"after_ms":500})"));
    case Endpoint::State::kFenced:
      return request->Failed(Fail(Kind::kNotReady,
                                  "another server has taken this one's place; ask that one, or "
                                  "start this one again"));
    case Endpoint::State::kDraining:
      return request->Failed(Fail(Kind::kShuttingDown, "the server is stopping"));
  }
  __builtin_unreachable();
}

void Core::Post(std::function<void()> work, const std::function<void(Error)>& refuse) {
  if (requests.TryPost(std::move(work))) return;
  refuse(Fail(Kind::kBackpressure, "too many requests wait to be looked at; try again",
              R"({"after_ms":250})"));
}

}  // namespace sheaf::endpoint
