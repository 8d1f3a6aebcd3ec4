// Keeps equal schemas once.
#pragma once

#include <memory>
#include <unordered_map>

#include "sheaf/base/async/mutex.h"
#include "sheaf/wire/columnar/batch.h"

namespace sheaf::cluster {

// Owner: a catalog. Threads: any. Blocking: a short lock. A schema is forgotten with its last
// user.
class Schemas final {
 public:
  // The object that stands for all schemas equal to `schema`, metadata included.
  Schema Intern(const Schema& schema);
  size_t size() const;  // Buckets kept, those of forgotten schemas included until the next sweep.

 private:
  void Sweep() SHEAF_REQUIRES(mutex_);

  mutable Mutex mutex_;
  std::unordered_multimap<size_t, std::weak_ptr<arrow::Schema>> known_ SHEAF_GUARDED_BY(mutex_);
  size_t sweep_at_ SHEAF_GUARDED_BY(mutex_) = 1024;
};

}  // namespace sheaf::cluster
