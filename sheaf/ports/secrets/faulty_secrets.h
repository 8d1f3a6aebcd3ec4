// A fault is one more implementation: a store of secrets that is away now and then.
#pragma once

#include <functional>
#include <utility>

#include "sheaf/ports/secrets/secrets.h"

namespace sheaf::secrets {

enum class Fault : uint8_t { kNone, kRefuse };  // Reading changes nothing: there is no third.

// Owner: a test. Threads: as the inner one, if `next` may be called from any thread.
class FaultySecrets final : public Secrets {
 public:
  FaultySecrets(Secrets& inner, std::function<Fault()> next)
      : inner_(inner), next_(std::move(next)) {}

  Result<std::string> Get(std::string_view name) override {
    if (next_() == Fault::kRefuse) return Fail(Kind::kDependency, "injected: refused");
    return inner_.Get(name);
  }

 private:
  Secrets& inner_;  // Borrowed from the test; outlives this.
  std::function<Fault()> next_;
};

}  // namespace sheaf::secrets
