// WorkHistory: what ran, and what is running now so that a restart finds it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sheaf/base/core/result.h"
#include "sheaf/ports/persistence/checkpoint.h"
#include "sheaf/ports/persistence/epoch.h"
#include "sheaf/ports/persistence/work.h"

namespace sheaf::persistence {

enum class Saved : uint8_t { kNew, kAlready };

// Where a page ended: rows are sorted by time, newest first, then by id and share, greatest first.
struct Cursor {
  int64_t time = 0;
  int64_t id = 0;
  int64_t share = 0;
  auto operator<=>(const Cursor&) const = default;
};

// Which summaries; what is not given does not matter. Times are submission_time of jobs and
// reservations and start of processes; `from` belongs to the range, `to` does not. A host is where
// a process ran, a job had one, or a reservation names it among its hosts.
struct SummaryQuery {
  std::optional<std::string> user, class_name, state, host;
  std::optional<int64_t> from, to;
  std::optional<Cursor> after;
  size_t limit = 100;  // At most kPageMax.
};
inline constexpr size_t kPageMax = 10'000;

template <typename Summary>
struct Page {
  std::vector<Summary> rows;
  std::optional<Cursor> next;  // Absent: these were the last.
};

// A WorkHistory keeps finished work and the checkpoint of live work.
//
// Owner: who opened the back end. Threads: any. Blocking: may wait for a disk or a network; never
//   call under a lock. Every write is a transaction, durable when it returns, and may be repeated
//   when its effect is unknown: nothing happens twice.
// Errors: OwnershipLost (see epoch.h), kInvalid, kNotFound, kConflict, kNotReady (a checkpoint
//   before Restore), kUnsupported (a named deviation of the back end), kForbidden, kBackpressure,
//   kDependency, kDeadline, kExhausted, kCorrupt.
class WorkHistory {
 public:
  virtual ~WorkHistory() = default;

  // All of them with their summaries, or none. kAlready: the same document was there; kConflict:
  // another document has this type and id. The epoch is a node's.
  virtual Result<std::vector<Saved>> Save(const Epoch& epoch, std::span<const Work> works) = 0;
  virtual Result<Work> Get(WorkType type, int64_t id) = 0;
  // At most `n`, greatest ids first. Reads no more than that.
  virtual Result<std::vector<Work>> Newest(WorkType type, size_t n) = 0;
  virtual Result<Page<JobSummary>> Jobs(const SummaryQuery& query) = 0;
  virtual Result<Page<ProcessSummary>> Processes(const SummaryQuery& query) = 0;
  virtual Result<Page<ReservationSummary>> Reservations(const SummaryQuery& query) = 0;

  // What was live under the epoch's scope. Nothing may be checkpointed under an epoch before.
  virtual Result<Restored> Restore(const Epoch& epoch, RestoreMode mode) = 0;
  // A new generation that holds exactly this. Costs as much as it holds.
  virtual Status Checkpoint(const Epoch& epoch, const LiveWork& live) = 0;
  // Adds to the newest generation. Costs as much as it changes.
  virtual Status Change(const Epoch& epoch, const ChangeSet& change) = 0;
  // Saves the work and makes the change (its removal from what is live) in one transaction.
  virtual Result<Saved> Finish(const Epoch& epoch, const Work& work, const ChangeSet& leaving) = 0;
};

}  // namespace sheaf::persistence
