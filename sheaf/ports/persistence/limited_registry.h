// A registry seen by one who may do less: the same shape as every decorator.
#pragma once

#include "sheaf/ports/persistence/service_registry.h"

namespace sheaf::persistence {

// Owner: who made it. Threads: as the inner one. What is not permitted is kForbidden.
class LimitedRegistry final : public ServiceRegistry {
 public:
  LimitedRegistry(ServiceRegistry& inner, Access access) : inner_(inner), access_(access) {}

  Access MayDo() const override { return access_; }
  Status Store(const Epoch& epoch, const Registration& registration) override {
    SHEAF_TRY(Need(Access::kReadWrite));
    return inner_.Store(epoch, registration);
  }
  Status UpdateSubmitted(const Epoch& epoch, int64_t id, const Submitted& submitted) override {
    SHEAF_TRY(Need(Access::kReadWrite));
    return inner_.UpdateSubmitted(epoch, id, submitted);
  }
  Status UpdateState(const Epoch& epoch, int64_t id, const ActiveState& state) override {
    SHEAF_TRY(Need(Access::kReadWrite));
    return inner_.UpdateState(epoch, id, state);
  }
  Status Archive(const Epoch& epoch, const Registration& last) override {
    SHEAF_TRY(Need(Access::kReadWrite));
    return inner_.Archive(epoch, last);
  }
  Result<Registration> Get(int64_t id) override {
    SHEAF_TRY(Need(Access::kReadOnly));
    return inner_.Get(id);
  }
  Result<std::vector<Registration>> Live() override {
    SHEAF_TRY(Need(Access::kReadOnly));
    return inner_.Live();
  }
  Result<std::vector<Registration>> Archived() override {
    SHEAF_TRY(Need(Access::kReadOnly));
    return inner_.Archived();
  }

 private:
  Status Need(Access needed) const {
    if (access_ <= needed) return Done();
    return Fail(Kind::kForbidden, access_ == Access::kNone
                                      ? "the registry of services is closed to this caller"
                                      : "this caller may only read the registry of services");
  }
  ServiceRegistry& inner_;  // Borrowed from who made this; outlives it.
  const Access access_;
};

}  // namespace sheaf::persistence
