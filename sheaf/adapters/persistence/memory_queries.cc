// Queries of summaries over the memory core: every row is looked at.
#include <algorithm>
#include <sstream>

#include "sheaf/adapters/persistence/checks.h"
#include "sheaf/adapters/persistence/memory_core.h"

namespace sheaf::persistence {
namespace {

bool Is(const std::optional<std::string>& wanted, const std::string* there) {
  return !wanted.has_value() || (there != nullptr && *there == *wanted);
}

bool InRange(const SummaryQuery& query, const Cursor& at) {
  return (!query.from || at.time >= *query.from) && (!query.to || at.time < *query.to) &&
         (!query.after || at < *query.after);
}

bool NamesHost(const std::string& hosts, const std::string& host) {
  std::istringstream words(hosts);
  for (std::string word; words >> word;) {
    if (word == host) return true;
  }
  return false;
}

// Sorts what was found, newest first, and cuts it to a page.
template <typename Summary>
Page<Summary> Cut(std::vector<std::pair<Cursor, const Summary*>> found, size_t limit) {
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.first > b.first; });
  Page<Summary> page;
  for (size_t i = 0; i < found.size() && i < limit; ++i) page.rows.push_back(*found[i].second);
  if (found.size() > limit) page.next = found[limit - 1].first;
  return page;
}

template <typename Summary>
bool Matches(const SummaryQuery& query, const Summary& row) {
  return Is(query.user, row.template Find<"user">()) &&
         Is(query.class_name, row.template Find<"class">());
}

}  // namespace

Result<Page<JobSummary>> MemoryCore::Jobs(const SummaryQuery& query) const {
  SHEAF_TRY(CheckLimit(query));
  std::vector<std::pair<Cursor, const JobSummary*>> found;
  for (const auto& [key, work] : works_) {
    if (!work.job) continue;
    const JobSummary& job = *work.job;
    const Cursor at{job.Get<"submission_time">(), work.id, 0};
    const bool there = !query.host || std::any_of(work.processes.begin(), work.processes.end(),
                                                  [&](const ProcessSummary& process) {
                                                    return Is(query.host, process.Find<"host">());
                                                  });
    if (there && InRange(query, at) && Matches(query, job) &&
        Is(query.state, job.Find<"state">())) {
      found.emplace_back(at, &job);
    }
  }
  return Cut(std::move(found), query.limit);
}

Result<Page<ProcessSummary>> MemoryCore::Processes(const SummaryQuery& query) const {
  SHEAF_TRY(CheckLimit(query));
  std::vector<std::pair<Cursor, const ProcessSummary*>> found;
  for (const auto& [key, work] : works_) {
    for (const ProcessSummary& process : work.processes) {
      const Cursor at{process.Get<"start">(), work.id, process.Get<"share_id">()};
      if (InRange(query, at) && Matches(query, process) &&
          Is(query.state, process.Find<"state_scheduler">()) &&
          Is(query.host, process.Find<"host">())) {
        found.emplace_back(at, &process);
      }
    }
  }
  return Cut(std::move(found), query.limit);
}

Result<Page<ReservationSummary>> MemoryCore::Reservations(const SummaryQuery& query) const {
  SHEAF_TRY(CheckLimit(query));
  std::vector<std::pair<Cursor, const ReservationSummary*>> found;
  for (const auto& [key, work] : works_) {
    if (!work.reservation) continue;
    const ReservationSummary& row = *work.reservation;
    const Cursor at{row.Get<"submission_time">(), work.id, 0};
    if (InRange(query, at) && Matches(query, row) && Is(query.state, row.Find<"state">()) &&
        (!query.host || NamesHost(row.Get<"hosts">(), *query.host))) {
      found.emplace_back(at, &row);
    }
  }
  return Cut(std::move(found), query.limit);
}

}  // namespace sheaf::persistence
