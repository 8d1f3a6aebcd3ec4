// A source into a database, in batches, and a check of it afterwards.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "sheaf/apps/sheaf/load_source.h"
#include "sheaf/base/time/clock.h"

namespace sheaf::app {

enum class Outcome : uint8_t { kLoaded, kDuplicate, kRejected, kIgnored };
std::string_view OutcomeName(Outcome outcome);

// What became of one thing; in the order of the source, apart from those that no batch was for.
struct LoadedItem {
  Outcome outcome = Outcome::kLoaded;
  std::string name;
  std::string reason;  // Or what of it was not kept.
  const persistence::Loadable* item = nullptr;  // Of loaded and duplicate ones, for the call.
};

// How many, and a sum over the hashes of all that are in the database now.
struct LoadCounts {
  std::array<int64_t, 4> of{};
  std::array<uint64_t, 4> hashes{};
  int64_t operator[](Outcome outcome) const { return of[static_cast<size_t>(outcome)]; }
  int64_t kept() const { return (*this)[Outcome::kLoaded] + (*this)[Outcome::kDuplicate]; }
};

struct LoadOptions {
  enum class Mode : uint8_t { kLoad, kAsk } mode = Mode::kLoad;  // Ask: nothing is changed.
  size_t batch_items = 5000;
  size_t batch_bytes = size_t{16} << 20;  // Of texts; one that is larger is a batch.
};

// Takes what a walk finds to the database. One that the database refuses does not keep those
// beside it from being loaded.
//
// Owner: the command. Threads: one. Blocking: all. Errors: those of Administration that are not an
//   item's fault, and what `report` returns, between batches.
class Loading final : public LoadListener {
 public:
  using Told = std::function<void(const LoadedItem&)>;
  Loading(persistence::Administration& administration, Clock& clock,
          const persistence::Report& report, const LoadOptions& options, Told told)
      : administration_(administration),
        clock_(clock),
        report_(report),
        options_(options),
        told_(std::move(told)) {}

  Status Found(LoadItem item, size_t bytes) override;
  Status Rejected(const std::string& name, const std::string& reason) override;
  Status Ignored(const std::string& name, const std::string& reason) override;
  // What still waits for its batch to be full.
  Status Flush();
  const LoadCounts& counts() const { return counts_; }

 private:
  Result<std::vector<persistence::Loaded>> Ask(std::span<const persistence::Loadable> items);
  Status Put(std::span<const persistence::Loadable> items, std::span<const std::string> notes);
  void Tell(const LoadedItem& item);

  persistence::Administration& administration_;  // Borrowed from the caller, as all here.
  Clock& clock_;
  const persistence::Report& report_;
  const LoadOptions options_;
  const Told told_;
  std::vector<persistence::Loadable> batch_;
  std::vector<std::string> notes_;
  size_t batch_bytes_ = 0;
  LoadCounts counts_;
};

}  // namespace sheaf::app
