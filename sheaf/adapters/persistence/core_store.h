// The four interfaces over one memory core behind one lock, with a place to write down what
// changed.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "sheaf/adapters/persistence/memory_core.h"
#include "sheaf/base/async/mutex.h"
#include "sheaf/wire/command/json.h"

namespace sheaf::persistence {

// Writes down what was done before it counts; see file_persistence.
class Recorder {
 public:
  virtual ~Recorder() = default;
  // Takes the record, in the order of calls, under the store's lock; never waits.
  virtual uint64_t Append(const Json& record) = 0;
  // Waits until the record of this number is safe; under no lock.
  virtual Status SyncTo(uint64_t number) = 0;
  // What a warm restore must say beside the state, or why it cannot be made.
  virtual Result<std::vector<std::string>> SetAside() = 0;
};

// Owner: the parts of one Persistence, together. Threads: any. A reader may see what is not safe
// yet; when it cannot be made safe, every later write fails.
class CoreStore final {
 public:
  explicit CoreStore(MemoryCore core = {}, std::unique_ptr<Recorder> recorder = nullptr)
      : recorder_(std::move(recorder)), core_(std::move(core)) {}

  template <typename Act>
  auto Read(Act act) {
    MutexLock lock(mutex_);
    return act(static_cast<const MemoryCore&>(core_));
  }
  // `act` changes the core; `record` says how, if it succeeds.
  template <typename Act>
  auto Write(Act act, const std::function<Json()>& record)
      -> decltype(act(std::declval<MemoryCore&>())) {
    uint64_t number = 0;
    std::optional<decltype(act(std::declval<MemoryCore&>()))> answer;
    {
      MutexLock lock(mutex_);
      answer.emplace(act(core_));
      if (!answer->ok() || recorder_ == nullptr) return *std::move(answer);
      number = recorder_->Append(record());
    }
    SHEAF_TRY(recorder_->SyncTo(number));
    return *std::move(answer);
  }
  Recorder* recorder() { return recorder_.get(); }

 private:
  const std::unique_ptr<Recorder> recorder_;  // Null: nothing is written down.
  Mutex mutex_;
  MemoryCore core_ SHEAF_GUARDED_BY(mutex_);
};

enum class OffersResources : uint8_t { kYes, kNo };
enum class OffersSummaries : uint8_t { kYes, kNo };
Persistence MakeParts(std::shared_ptr<CoreStore> store, OffersSummaries summaries,
                      OffersResources resources);

}  // namespace sheaf::persistence
