// Watches what DuckDB does not count: strings made inside expressions grow past its own limit.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>

#include "sheaf/base/async/async.h"
#include "sheaf/base/core/core.h"

namespace sheaf::sql {

// A MemoryWatch compares what the process has grown by since the first of the present runs began
// with what the runs may hold together. Whose growth it was cannot be told: the youngest run goes
// first, because it is the likeliest and has done the least.
//
// Owner: the service. Threads: any. Blocking: never.
class MemoryWatch final {
 public:
  // `resident` is asked; `slack` is what may grow besides (readers, caches, uploads).
  MemoryWatch(std::function<Bytes()> resident, Bytes slack)
      : resident_(std::move(resident)), slack_(slack) {}

  // One run. Its death ends its share.
  class Share {
   public:
    Share(MemoryWatch& watch, Bytes limit);
    ~Share();
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

    // Bytes that left DuckDB and are others' to count: results in the store.
    void Wrote(Bytes bytes);
    // True when the process outgrew all shares and this is the youngest.
    bool Outgrown();

   private:
    friend class MemoryWatch;
    MemoryWatch& watch_;  // Borrowed; outlives its shares.
    const Bytes limit_;
    std::list<Share*>::iterator place_;
  };

 private:
  const std::function<Bytes()> resident_;
  const Bytes slack_;
  Mutex mutex_;
  std::list<Share*> shares_ SHEAF_GUARDED_BY(mutex_);  // Youngest last; borrowed.
  Bytes limits_ SHEAF_GUARDED_BY(mutex_);
  Bytes written_ SHEAF_GUARDED_BY(mutex_);   // Since the baseline.
  Bytes baseline_ SHEAF_GUARDED_BY(mutex_);  // Resident when the first share was opened.
};

}  // namespace sheaf::sql
