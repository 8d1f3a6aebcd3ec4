// Work that is over, as history keeps it: one readable document and the summaries inside it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sheaf/base/core/result.h"
#include "sheaf/wire/records/row.h"
#include "sheaf/wire/records/tables.h"

namespace sheaf::persistence {

using JobSummary = records::Record<records::kJobs>;
using ProcessSummary = records::Record<records::kProcesses>;
using ReservationSummary = records::Record<records::kReservations>;

enum class WorkType : uint8_t { kJob, kReservation, kService, kArbitrary };

// As tables say it: "job", "reservation", "service", "AP".
std::string_view WorkTypeName(WorkType type);
Result<WorkType> FindWorkType(std::string_view name);
// Where its document lies: job_history, res_history, svc_history (services and arbitrary ones).
const records::Table& HistoryTable(WorkType type);

// A value. Texts are UTF-8.
struct Work {
  WorkType type = WorkType::kJob;
  int64_t id = 0;
  std::optional<JobSummary> job;                  // Of a job.
  std::optional<ReservationSummary> reservation;  // Of a reservation.
  std::vector<ProcessSummary> processes;          // Everything that was given space.
  std::string specification;                      // JSON as text; empty = none.
  std::string detail;                             // Whatever else there is to say.
  bool operator==(const Work&) const = default;
};

// A job has a summary of a job, a reservation its own, nothing else has either; every summary
// carries the work's id, its keys and its time (submission_time, start). kInvalid says what is
// wrong.
Status CheckWork(const Work& work);

// The same work under another id, in every part.
void SetNumber(Work& work, int64_t id);

// The document, format 1: a JSON object {"format", "type", "id", "job"?, "reservation"?,
// "processes", "specification"?, "detail"?}, summaries by the application's names.
std::string EncodeWork(const Work& work);
// kCorrupt says what is malformed; kUnsupported names a format of later programs.
Result<Work> DecodeWork(std::string_view document);

// The summaries of the document as rows of their tables, in a fixed order.
std::vector<records::Row> SummaryRows(const Work& work);

}  // namespace sheaf::persistence
