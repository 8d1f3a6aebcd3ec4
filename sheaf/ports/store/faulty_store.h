// A store with faults, for the tests of whoever stands above one.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "sheaf/ports/store/store.h"

namespace sheaf::store {

enum class Fault : uint8_t {
  kNone,
  kRefuse,            // Nothing is done: kDependency, Effect::kNone, "injected".
  kApplyThenTimeout,  // It is done, and then said to be late: kDeadline, Effect::kUnknown.
};

// Passes every call on to a store, or does what `next` says about it.
//
// `next` is asked with the call's name ("OpenWriter", "Write", "Flush", "Commit", "Drop", "Pin",
// "Touch", "LookupGeneration") from any thread. A refused Commit ends the writer, as a disk that
// fails would: its followers get the error. Lookup and List cannot fail, so they never do.
//
// Owner: the test. Threads, blocking: as the store behind it.
class FaultyStore final : public Store {
 public:
  using Next = std::function<Fault(std::string_view call)>;
  FaultyStore(Store& inner, Next next) : inner_(inner), next_(std::move(next)) {}

  Result<std::unique_ptr<FlightWriter>> OpenWriter(WriterOptions options) override;
  std::optional<Found> Lookup(const Path& path) override { return inner_.Lookup(path); }
  Result<FlightPtr> LookupGeneration(const Path& path, uint64_t generation) override;
  std::vector<Found> List(const Path& prefix, const Path& after, size_t limit) override {
    return inner_.List(prefix, after, limit);
  }
  Status Drop(const Path& path, std::optional<uint64_t> generation) override;
  Result<RecordPtr> Pin(const Path& path, std::optional<uint64_t> generation,
                        bool pinned) override;
  Result<RecordPtr> Touch(const Path& path, std::optional<uint64_t> generation,
                          std::optional<int64_t> ttl_s) override;
  void Maintain() override { inner_.Maintain(); }
  void MarkRead(uint64_t generation) override { inner_.MarkRead(generation); }
  Usage usage() const override { return inner_.usage(); }
  void Listen(std::function<void(const Change&)> listener) override {
    inner_.Listen(std::move(listener));
  }

 private:
  Store& inner_;  // Borrowed from the test.
  const Next next_;
};

}  // namespace sheaf::store
