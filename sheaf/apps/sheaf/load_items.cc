#include "sheaf/apps/sheaf/load_items.h"

#include <array>
#include <charconv>
#include <filesystem>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "sheaf/wire/command/ticket.h"
#include "sheaf/wire/properties/properties.h"
#include "sheaf/wire/records/row_json.h"

namespace sheaf::app {

using persistence::JobSummary;
using persistence::Listing;
using persistence::Loadable;
using persistence::Registration;
using persistence::Work;
using persistence::WorkType;
using properties::Entry;
using records::ColumnType;

const std::string_view kWorkloadHeader =
    "suite\tfile\tuser\tclass\tthreads\tmemory_gb\tmachines\ttod_ms\twork_items\tsum_ms\tmin_ms\t"
    "median_ms\tmax_ms";

namespace {

Error At(const std::string& name, size_t line, const std::string& what) {
  return Fail(Kind::kInvalid, name + ": line " + std::to_string(line) + ": " + what);
}

template <typename Number>
std::optional<Number> NumberIn(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Result<std::vector<Entry>> Parse(const LoadText& file) {
  auto parsed = properties::ParseProperties(file.text);
  if (!parsed.ok()) return std::move(parsed).error().In(file.name);
  return parsed;
}

std::string StemOf(const std::string& name) {
  return std::filesystem::path(name).replace_extension().string();
}

// By what it says, whatever the spelling of its file: a comment's date makes no other item.
std::string HashOf(std::string_view kind, std::string_view said) {
  return core::ToHex(command::Sha256(std::string(kind) + "\n" + std::string(said)));
}

// ---- Registrations ----

// What both halves may say and neither keeps as a property.
struct Identity {
  std::optional<int64_t> id;
  std::optional<bool> archived;
};

template <typename T>
Status Agree(std::optional<T>& known, T value, const std::string& name, const Entry& entry) {
  if (known.has_value() && *known != value) {
    return At(name, entry.line, "another " + entry.key + " than in the other half");
  }
  known = value;
  return Done();
}

// True when the entry was one of them.
Result<bool> TakeIdentity(const std::string& name, const Entry& entry, Identity& identity) {
  if (entry.key == "numeric_id") {
    const auto id = NumberIn<int64_t>(entry.value);
    if (!id.has_value() || *id < 0) {
      return At(name, entry.line, "numeric_id is '" + entry.value + "', not a number from 0");
    }
    SHEAF_TRY(Agree(identity.id, *id, name, entry));
    return true;
  }
  if (entry.key == "is_archived") {
    if (entry.value != "true" && entry.value != "false") {
      return At(name, entry.line, "is_archived is '" + entry.value + "', neither true nor false");
    }
    SHEAF_TRY(Agree(identity.archived, entry.value == "true", name, entry));
    return true;
  }
  return false;
}

struct Half {
  records::Row row;
  std::vector<std::string> dropped;
};

Status TakeHalf(const LoadText& file, UnknownKeys unknown, Identity& identity, Half& half) {
  SHEAF_ASSIGN(const auto entries, Parse(file));
  for (const Entry& entry : entries) {
    SHEAF_ASSIGN(const bool taken, TakeIdentity(file.name, entry, identity));
    if (taken) continue;
    if (half.row.table->Place(entry.key).has_value()) {
      half.row.At(entry.key) = entry.value;
    } else if (unknown == UnknownKeys::kDrop) {
      half.dropped.push_back(entry.key);
    } else {
      return At(file.name, entry.line,
                "no column keeps '" + entry.key + "'; --drop-unknown loads the rest");
    }
  }
  return Done();
}

// The uuid is a column of both, and an application sees that of the state.
Status MoveUuid(const LoadText& submitted, Half& from, Half& to) {
  records::Value uuid = std::exchange(from.row.At("uuid"), records::Absent{});
  if (std::holds_alternative<records::Absent>(uuid)) return Done();
  records::Value& present = to.row.At("uuid");
  if (!std::holds_alternative<records::Absent>(present) && !(present == uuid)) {
    return Fail(Kind::kInvalid, submitted.name + ": another uuid than in the other half");
  }
  present = std::move(uuid);
  return Done();
}

// ---- Jobs ----

// A key of a job's properties and the column of its summary that it fills.
struct JobKey {
  std::string_view key, pname;
};
constexpr std::array kJobKeys = {
    JobKey{"user", "user"},
    JobKey{"scheduling_class", "class"},
    JobKey{"class", "class"},
    JobKey{"submission_time", "submission_time"},
    JobKey{"tod", "submission_time"},
    JobKey{"duration", "duration"},
    JobKey{"process_memory_size", "memory"},
    JobKey{"memory", "memory"},
    JobKey{"process_deployments_max", "processes"},
    JobKey{"machines", "processes"},
    JobKey{"total_wi", "total_wi"},
    JobKey{"done_wi", "done_wi"},
    JobKey{"state", "state"},
    JobKey{"reason", "reason"},
    JobKey{"description", "description"},
};

Status Fill(const std::string& name, const Entry& entry, records::Row& job) {
  for (const auto& [key, pname] : kJobKeys) {
    if (key != entry.key) continue;
    const ColumnType type = job.table->ColumnAt(*job.table->Place(pname)).type;
    const auto small = NumberIn<int32_t>(entry.value);
    const auto large = NumberIn<int64_t>(entry.value);
    records::Value value = entry.value;
    if (type == ColumnType::kInteger && small.has_value()) value = *small;
    if (type == ColumnType::kLong && large.has_value()) value = *large;
    if (!records::Fits(value, type)) {
      return At(name, entry.line, entry.key + " is '" + entry.value + "', not a whole number");
    }
    job.At(pname) = std::move(value);
  }
  return Done();
}

bool Lacks(const records::Row& row, std::string_view pname) {
  return std::holds_alternative<records::Absent>(row.At(pname));
}

Result<LoadItem> ItemOf(std::string name, Work work) {
  if (auto checked = persistence::CheckWork(work); !checked.ok()) {
    return std::move(checked).error().In(name);
  }
  LoadItem item;
  item.what.name = std::move(name);
  item.what.hash = HashOf("work", persistence::EncodeWork(work));
  item.what.what = std::move(work);
  return item;
}

// ---- The workload table ----

constexpr size_t kFields = 13;

Result<std::array<std::string_view, kFields>> Split(const std::string& name, size_t line,
                                                    std::string_view text) {
  std::array<std::string_view, kFields> fields;
  size_t count = 0;
  for (size_t from = 0; from <= text.size(); ++count) {
    const size_t end = std::min(text.find('\t', from), text.size());
    if (count < kFields) fields[count] = text.substr(from, end - from);
    from = end + 1;
  }
  if (count == kFields) return fields;
  return At(name, line,
            std::to_string(count) + " columns, and a workload has " + std::to_string(kFields));
}

constexpr std::array<std::string_view, kFields> kFieldNames = {
    "suite",  "file",       "user",   "class",  "threads",   "memory_gb", "machines",
    "tod_ms", "work_items", "sum_ms", "min_ms", "median_ms", "max_ms"};
constexpr size_t kTexts = 4;  // The first ones; numbers follow, each absent or from 0.
constexpr size_t kSuite = 0, kFile = 1, kUser = 2, kClass = 3, kMemory = 5, kMachines = 6,
                 kTod = 7, kItems = 8;

}  // namespace

int64_t DerivedId(std::string_view kind, std::string_view name) {
  const std::string hash =
      command::Sha256("id\n" + std::string(kind) + "\n" + std::string(name));
  constexpr size_t kHashBytes = 7;
  uint64_t number = 0;
  for (size_t i = 0; i < kHashBytes; ++i) number = number << 8 | static_cast<uint8_t>(hash[i]);
  return -1 - static_cast<int64_t>(number % (uint64_t{1} << 53));
}

Result<LoadItem> RegistrationOf(const LoadText& submitted, const LoadText& state,
                                UnknownKeys unknown) {
  Identity identity;
  Half first{records::Row(records::kSmreg), {}}, second{records::Row(records::kSmmeta), {}};
  SHEAF_TRY(TakeHalf(submitted, unknown, identity, first));
  SHEAF_TRY(TakeHalf(state, unknown, identity, second));
  SHEAF_TRY(MoveUuid(submitted, first, second));
  const std::string stem = StemOf(submitted.name);
  Registration registration;
  const auto named = NumberIn<int64_t>(std::filesystem::path(stem).filename().string());
  if (identity.id.has_value()) {
    registration.id = *identity.id;
  } else {
    registration.id = named.has_value() && *named >= 0 ? *named : DerivedId("service", stem);
  }
  registration.submitted = persistence::Submitted::Of(first.row);
  registration.state = persistence::ActiveState::Of(second.row);
  LoadItem item;
  item.what.name = stem;
  if (identity.archived.value_or(false)) item.what.listing = Listing::kArchived;
  item.what.hash = HashOf("registration", Json{{"id", registration.id},
                                               {"archived", identity.archived.value_or(false)},
                                               {"submitted", records::ToJson(first.row)},
                                               {"state", records::ToJson(second.row)}}
                                              .dump());
  item.what.what = std::move(registration);
  for (const Half* half : {&first, &second}) {
    for (const std::string& key : half->dropped) {
      item.note += (item.note.empty() ? "without " : ", ") + key;
    }
  }
  return item;
}

Result<LoadItem> JobOf(const LoadText& file) {
  SHEAF_ASSIGN(const auto entries, Parse(file));
  Work work{.type = WorkType::kJob};
  records::Row job(records::kJobs);
  Json specification = Json::object();
  std::optional<int64_t> id;
  for (const Entry& entry : entries) {
    specification[entry.key] = entry.value;
    SHEAF_TRY(Fill(file.name, entry, job));
    if (entry.key != "job_id") continue;
    id = NumberIn<int64_t>(entry.value);
    if (!id.has_value() || *id < 0) {
      return At(file.name, entry.line, "job_id is '" + entry.value + "', not a number from 0");
    }
  }
  if (Lacks(job, "user")) return Fail(Kind::kInvalid, file.name + ": a job has a user");
  if (Lacks(job, "submission_time")) job.At("submission_time") = int64_t{0};
  if (Lacks(job, "state")) job.At("state") = std::string("Undefined");
  work.id = id.value_or(DerivedId("job", StemOf(file.name)));
  job.At("ducc_id") = work.id;
  work.job = JobSummary::Of(job);
  work.specification = specification.dump();
  return ItemOf(file.name, std::move(work));
}

Result<LoadItem> JobOfLine(const std::string& name, size_t line, std::string_view text) {
  if (!records::IsUtf8(text)) return At(name, line, "not UTF-8");
  SHEAF_ASSIGN(const auto fields, Split(name, line, text));
  Json specification = Json::object();
  std::array<std::optional<int64_t>, kFields> numbers;
  for (size_t i = 0; i < kFields; ++i) {
    if (i < kTexts) {
      if (fields[i].empty()) return At(name, line, std::string(kFieldNames[i]) + " is empty");
      specification[std::string(kFieldNames[i])] = fields[i];
    } else if (!fields[i].empty()) {
      numbers[i] = NumberIn<int64_t>(fields[i]);
      const int64_t max = i <= kItems && i != kTod ? INT32_MAX : INT64_MAX;
      if (!numbers[i].has_value() || *numbers[i] < 0 || *numbers[i] > max) {
        return At(name, line,
                  std::string(kFieldNames[i]) + " is '" + std::string(fields[i]) +
                      "', not a whole number from 0 to " + std::to_string(max));
      }
      specification[std::string(kFieldNames[i])] = *numbers[i];
    }
  }
  if (!numbers[kTod].has_value()) return At(name, line, "tod_ms is empty");
  const std::string about = std::string(fields[kSuite]) + "/" + std::string(fields[kFile]);
  Work work{.type = WorkType::kJob, .id = DerivedId("workload", about)};
  JobSummary& job = work.job.emplace();
  job.Set<"ducc_id">(work.id)
      .Set<"user">(std::string(fields[kUser]))
      .Set<"class">(std::string(fields[kClass]))
      .Set<"submission_time">(*numbers[kTod])
      .Set<"state">("Completed")
      .Set<"reason">("EndOfJob")
      .Set<"description">(about);
  const auto small = [&numbers](size_t i) { return static_cast<int32_t>(*numbers[i]); };
  if (numbers[kMemory]) job.Set<"memory">(small(kMemory));
  if (numbers[kMachines]) job.Set<"processes">(small(kMachines));
  if (numbers[kItems]) job.Set<"total_wi">(small(kItems)).Set<"done_wi">(small(kItems));
  work.specification = specification.dump();
  return ItemOf(name + ":" + std::to_string(line), std::move(work));
}

}  // namespace sheaf::app
