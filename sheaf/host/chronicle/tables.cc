#include "sheaf/host/chronicle/tables.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "sheaf/base/core/nearest.h"
#include "sheaf/wire/records/arrow_schema.h"
#include "sheaf/wire/records/row_batch.h"

namespace sheaf::chronicle {
namespace {

using persistence::SummaryQuery;
using persistence::Work;
using persistence::WorkType;
using records::Row;

constexpr size_t kPageRows = 1'000;

struct TablePlan final : module::PlanState {
  const records::Table* table = nullptr;  // A constant of the program.
  std::optional<int64_t> limit, id;
  SummaryQuery query;  // Of summaries alone.
};

Result<const records::Table*> TableOf(const std::string& name) {
  if (const auto* table = records::FindTable(name)) return table;
  std::vector<std::string_view> names;
  for (const auto* table : records::kTables) names.push_back(table->name);
  return Fail(Kind::kInvalid, "spec.table: " + core::UnknownWord("table", name, names));
}

// What only some tables can be asked for.
Status ReadFilter(command::ObjectReader& read, TablePlan& plan) {
  const bool summaries = plan.table == &records::kJobs || plan.table == &records::kProcesses ||
                         plan.table == &records::kReservations;
  using Text = std::optional<std::string>;
  for (auto& [key, to] : {std::pair<std::string_view, Text&>("user", plan.query.user),
                          std::pair<std::string_view, Text&>("class", plan.query.class_name),
                          std::pair<std::string_view, Text&>("host", plan.query.host)}) {
    if (!read.Has(key)) continue;
    if (!summaries) return read.Bad(key, "no filter: only jobs, processes and reservations have");
    SHEAF_ASSIGN(to, read.RequiredString(key));
  }
  if (!read.Has("id")) return Done();
  if (plan.table != &records::kJobHistory) return read.Bad("id", "no id: only job_history has");
  SHEAF_ASSIGN(plan.id, read.Integer("id", 0, INT64_MIN, INT64_MAX));
  return Done();
}

// One reading of one table: rows in pages, each a batch.
class Reading {
 public:
  Reading(const TablesParts& parts, const TablePlan& plan, module::ResultWriter& writer,
          const module::RunContext& context)
      : parts_(parts),
        table_(*plan.table),
        limit_(plan.limit),
        id_(plan.id),
        query_(plan.query),
        left_(plan.limit.value_or(INT64_MAX)),
        writer_(writer),
        context_(context) {}

  Status Run() {
    schema_ = records::ArrowSchema(table_);
    SHEAF_TRY(writer_.Begin(schema_, 1));
    if (&table_ == &records::kJobs) {
      return Pages([&](const SummaryQuery& query) { return history().Jobs(query); });
    }
    if (&table_ == &records::kProcesses) {
      return Pages([&](const SummaryQuery& query) { return history().Processes(query); });
    }
    if (&table_ == &records::kReservations) {
      return Pages([&](const SummaryQuery& query) { return history().Reservations(query); });
    }
    if (&table_ == &records::kJobHistory) return Documents({WorkType::kJob});
    if (&table_ == &records::kResHistory) return Documents({WorkType::kReservation});
    if (&table_ == &records::kSvcHistory) {
      return Documents({WorkType::kService, WorkType::kArbitrary});
    }
    if (&table_ == &records::kDuccworks) {
      return Documents(
          {WorkType::kJob, WorkType::kReservation, WorkType::kService, WorkType::kArbitrary});
    }
    if (&table_ == &records::kOrckpt) return Checkpoint();
    if (&table_ == &records::kSmreg || &table_ == &records::kSmmeta) return Services();
    if (&table_ == &records::kRmnodes || &table_ == &records::kRmshares ||
        &table_ == &records::kRmload) {
      return Resources();
    }
    return Done();  // Nothing writes the rest of them.
  }

 private:
  persistence::WorkHistory& history() const { return *parts_.memory.history; }

  Status Write(std::vector<Row> rows) {
    SHEAF_TRY(context_.cancel.Check());
    if (static_cast<int64_t>(rows.size()) > left_) {
      rows.erase(rows.begin() + static_cast<ptrdiff_t>(left_), rows.end());
    }
    if (rows.empty()) return Done();
    left_ -= static_cast<int64_t>(rows.size());
    SHEAF_ASSIGN(auto batch, records::BatchOf(table_, schema_, rows));
    return writer_.Write(0, std::move(batch));
  }

  template <typename Ask>
  Status Pages(Ask ask) {
    SummaryQuery query = query_;
    while (left_ > 0) {
      query.limit = static_cast<size_t>(std::min<int64_t>(left_, kPageRows));
      SHEAF_ASSIGN(const auto page, ask(query));
      std::vector<Row> rows;
      for (const auto& summary : page.rows) rows.push_back(summary.row());
      SHEAF_TRY(Write(std::move(rows)));
      if (!page.next.has_value()) break;
      query.after = page.next;
    }
    return Done();
  }

  Status Documents(std::initializer_list<WorkType> types) {
    const auto most = static_cast<size_t>(std::min(limit_.value_or(kDocumentsMax), left_));
    for (const WorkType type : types) {
      std::vector<Work> works;
      if (id_.has_value()) {
        SHEAF_ASSIGN(auto work, history().Get(type, *id_));
        works.push_back(std::move(work));
      } else {
        SHEAF_ASSIGN(works, history().Newest(type, most));
      }
      std::vector<Row> rows;
      for (const Work& work : works) {
        Row row(table_);
        row.At("type") = std::string(persistence::WorkTypeName(type));
        row.At("ducc_id") = work.id;
        if (&table_ == &records::kDuccworks) {
          if (work.specification.empty()) continue;
          row.At("specification") = work.specification;
        } else {
          row.At("history") = true;
          row.At("work") = records::Blob{persistence::EncodeWork(work)};
        }
        rows.push_back(std::move(row));
      }
      SHEAF_TRY(Write(std::move(rows)));
    }
    return Done();
  }

  Status Checkpoint() {
    SHEAF_ASSIGN(auto base, persistence::EncodeBase(parts_.live()));
    Row row(table_);
    row.At("id") = int32_t{0};
    row.At("work") = records::Blob{std::move(base.work)};
    row.At("p2jmap") = records::Blob{std::move(base.process_to_job)};
    return Write({std::move(row)});
  }

  Status Services() {
    SHEAF_ASSIGN(auto all, parts_.memory.services->Live());
    SHEAF_ASSIGN(const auto archived, parts_.memory.services->Archived());
    all.insert(all.end(), archived.begin(), archived.end());
    std::vector<Row> rows;
    for (const auto& one : all) {
      if (&table_ == &records::kSmreg) {
        rows.push_back(one.submitted.row());
      } else {
        rows.push_back(one.state.row());
        rows.back().At("numeric_id") = std::to_string(one.id);
      }
    }
    return Write(std::move(rows));
  }

  Status Resources() {
    if (parts_.memory.resources == nullptr) return Done();
    SHEAF_ASSIGN(const auto all, parts_.memory.resources->Read());
    std::vector<Row> rows;
    if (&table_ == &records::kRmnodes) {
      for (const auto& node : all.nodes) rows.push_back(node.row());
    } else if (&table_ == &records::kRmshares) {
      for (const auto& share : all.shares) rows.push_back(share.row());
    } else {
      for (const auto& load : all.load) rows.push_back(load.row());
    }
    return Write(std::move(rows));
  }

  const TablesParts& parts_;
  const records::Table& table_;
  const std::optional<int64_t> limit_, id_;
  const SummaryQuery query_;
  int64_t left_;
  module::ResultWriter& writer_;
  const module::RunContext& context_;
  Schema schema_;
};

}  // namespace

Tables::Tables(TablesParts parts) : parts_(std::move(parts)) {
  for (const records::Table* table : records::kTables) {
    const std::string name(table->name);
    Path path = Path::Make({std::string(kTablesSpace), name}).value();
    auto command = std::make_shared<Command>();
    command->service = kTablesService;
    command->spec = {{"table", name}};
    command->options.priority = 9;   // It is short, and asked for when a node is busy.
    command->options.share = false;  // Each reader sees what is there when it comes.
    commands_.emplace(path, std::move(command));
    all_.push_back({std::move(path), records::ArrowSchema(*table)});
  }
  std::sort(all_.begin(), all_.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
}

std::shared_ptr<const Command> Tables::At(const Path& path) const {
  if (path.empty() || path.space() != kTablesSpace) return nullptr;
  const auto found = commands_.find(path);
  return found == commands_.end() ? nullptr : found->second;
}

Result<module::Plan> Tables::MakePlan(const module::PlanRequest& request) {
  if (!request.inputs.empty()) {
    return Fail(Kind::kInvalid, "the service 'sheaf' takes no inputs, but has '" +
                                    request.inputs.begin()->first + "'");
  }
  auto state = std::make_shared<TablePlan>();
  command::ObjectReader read(request.spec, "spec");
  SHEAF_ASSIGN(const std::string name, read.RequiredString("table"));
  SHEAF_ASSIGN(state->table, TableOf(name));
  if (read.Has("limit")) {
    SHEAF_ASSIGN(state->limit, read.Integer("limit", 0, 1, INT64_MAX));
  }
  SHEAF_TRY(ReadFilter(read, *state));
  SHEAF_TRY(read.Finish());
  module::Plan plan;
  plan.schema = records::ArrowSchema(*state->table);
  plan.sources.push_back({"sheaf:" + name, ""});  // Never fresh: it grows all the time.
  plan.state = std::move(state);
  return plan;
}

Status Tables::Run(const module::Plan& plan, const std::map<std::string, module::RunInput>&,
                   module::ResultWriter& writer, const module::RunContext& context) {
  const auto* state = dynamic_cast<const TablePlan*>(plan.state.get());
  SHEAF_CHECK(state != nullptr);
  return Reading(parts_, *state, writer, context).Run();
}

}  // namespace sheaf::chronicle
