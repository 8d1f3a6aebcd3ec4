#include "sheaf/ports/persistence/work.h"

#include <utility>

#include "sheaf/wire/records/row_json.h"

namespace sheaf::persistence {
namespace {

constexpr int64_t kFormat = 1;
// A document is as large as memory lets it be: nothing is skipped for its size.
constexpr command::JsonLimits kDocumentLimits{
    .bytes_max = size_t{1} << 32, .depth_max = 64, .values_max = size_t{1} << 28};

Error Wrong(const Work& work, std::string_view what) {
  return Fail(Kind::kInvalid, std::string(WorkTypeName(work.type)) + " " + std::to_string(work.id) +
                                  ": " + std::string(what));
}

Status CheckRow(const Work& work, const records::Row& row, std::string_view time) {
  if (Status fits = row.Check(); !fits.ok()) return Wrong(work, fits.error().message);
  if (std::get<int64_t>(row.At("ducc_id")) != work.id) {
    return Wrong(work, "a row of " + std::string(row.table->name) + " has another ducc_id");
  }
  if (std::holds_alternative<records::Absent>(row.At(time))) {
    return Wrong(work, "a row of " + std::string(row.table->name) + " has no " + std::string(time));
  }
  return Done();
}

template <typename Summary>
Result<Summary> ReadSummary(const records::Table& table, const Json& json) {
  SHEAF_ASSIGN(const records::Row row, records::RowFromJson(table, json));
  return Summary::Of(row);
}

Result<Work> ReadDocument(const Json& document) {
  command::ObjectReader read(document, "document");
  SHEAF_ASSIGN(const int64_t format, read.Integer("format", 0, 0, INT64_MAX));
  if (format < kFormat) return Fail(Kind::kInvalid, "a document without a format");
  if (format > kFormat) {
    return Fail(Kind::kUnsupported, "a document of format " + std::to_string(format) +
                                        ", this program reads " + std::to_string(kFormat));
  }
  Work work;
  SHEAF_ASSIGN(const std::string type, read.RequiredString("type"));
  SHEAF_ASSIGN(work.type, FindWorkType(type));
  SHEAF_ASSIGN(work.id, read.Integer("id", 0, INT64_MIN, INT64_MAX));
  SHEAF_ASSIGN(work.specification, read.String("specification", ""));
  SHEAF_ASSIGN(work.detail, read.String("detail", ""));
  if (const Json* job = read.Take("job"); job != nullptr) {
    SHEAF_ASSIGN(work.job, ReadSummary<JobSummary>(records::kJobs, *job));
  }
  if (const Json* reservation = read.Take("reservation"); reservation != nullptr) {
    SHEAF_ASSIGN(work.reservation,
                 ReadSummary<ReservationSummary>(records::kReservations, *reservation));
  }
  if (const Json* processes = read.Take("processes"); processes != nullptr) {
    if (!processes->is_array()) return read.Bad("processes", "a list");
    for (const Json& each : *processes) {
      SHEAF_ASSIGN(auto process, ReadSummary<ProcessSummary>(records::kProcesses, each));
      work.processes.push_back(std::move(process));
    }
  }
  SHEAF_TRY(read.Finish());
  return work;
}

}  // namespace

std::string_view WorkTypeName(WorkType type) {
  switch (type) {
    case WorkType::kJob: return "job";
    case WorkType::kReservation: return "reservation";
    case WorkType::kService: return "service";
    case WorkType::kArbitrary: return "AP";
  }
  __builtin_unreachable();
}

Result<WorkType> FindWorkType(std::string_view name) {
  for (const WorkType type :
       {WorkType::kJob, WorkType::kReservation, WorkType::kService, WorkType::kArbitrary}) {
    if (WorkTypeName(type) == name) return type;
  }
  return Fail(Kind::kInvalid, "no type of work is called '" + std::string(name) + "'");
}

const records::Table& HistoryTable(WorkType type) {
  switch (type) {
    case WorkType::kJob: return records::kJobHistory;
    case WorkType::kReservation: return records::kResHistory;
    case WorkType::kService:
    case WorkType::kArbitrary: return records::kSvcHistory;
  }
  __builtin_unreachable();
}

Status CheckWork(const Work& work) {
  if (work.job.has_value() != (work.type == WorkType::kJob)) {
    return Wrong(work, "a job and only a job has a summary of a job");
  }
  if (work.reservation.has_value() != (work.type == WorkType::kReservation)) {
    return Wrong(work, "a reservation and only a reservation has a summary of one");
  }
  if (work.job) SHEAF_TRY(CheckRow(work, work.job->row(), "submission_time"));
  if (work.reservation) SHEAF_TRY(CheckRow(work, work.reservation->row(), "submission_time"));
  for (const auto& process : work.processes) SHEAF_TRY(CheckRow(work, process.row(), "start"));
  if (!records::IsUtf8(work.specification) || !records::IsUtf8(work.detail)) {
    return Wrong(work, "a text that is not UTF-8");
  }
  return Done();
}

void SetNumber(Work& work, int64_t id) {
  work.id = id;
  if (work.job) work.job->Set<"ducc_id">(id);
  if (work.reservation) work.reservation->Set<"ducc_id">(id);
  for (auto& process : work.processes) process.Set<"ducc_id">(id);
}

std::string EncodeWork(const Work& work) {
  Json document = {{"format", kFormat}, {"type", WorkTypeName(work.type)}, {"id", work.id}};
  if (work.job) document["job"] = records::ToJson(work.job->row());
  if (work.reservation) document["reservation"] = records::ToJson(work.reservation->row());
  Json processes = Json::array();
  for (const auto& process : work.processes) processes.push_back(records::ToJson(process.row()));
  document["processes"] = std::move(processes);
  if (!work.specification.empty()) document["specification"] = work.specification;
  if (!work.detail.empty()) document["detail"] = work.detail;
  return document.dump();
}

Result<Work> DecodeWork(std::string_view document) {
  auto json = command::ParseJson(document, kDocumentLimits);
  if (!json.ok()) return Fail(Kind::kCorrupt, "a document of history: " + json.error().message);
  auto work = ReadDocument(*json);
  if (!work.ok() && work.error().kind == Kind::kInvalid) {
    return Fail(Kind::kCorrupt, work.error().message);
  }
  return work;
}

std::vector<records::Row> SummaryRows(const Work& work) {
  std::vector<records::Row> rows;
  if (work.job) rows.push_back(work.job->row());
  if (work.reservation) rows.push_back(work.reservation->row());
  for (const auto& process : work.processes) rows.push_back(process.row());
  return rows;
}

}  // namespace sheaf::persistence
