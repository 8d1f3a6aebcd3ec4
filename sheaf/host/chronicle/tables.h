// The tables of ports/persistence as flights: ["sheaf", "jobs"] and the rest of them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "sheaf/host/tasks/own_flights.h"
#include "sheaf/ports/module/service.h"
#include "sheaf/ports/persistence/persistence.h"
#include "sheaf/wire/records/tables.h"

namespace sheaf::chronicle {

inline constexpr std::string_view kTablesService = "sheaf";
inline constexpr std::string_view kTablesSpace = "sheaf";  // The namespace of their paths.
inline constexpr int64_t kDocumentsMax = 1'000;  // Of history's documents, unless limit says more.

struct TablesParts {
  persistence::Persistence& memory;
  std::function<persistence::LiveWork()> live;
  std::function<uint64_t()> generation;
};

// The service behind them: {"table": "jobs", "limit"?: n}; of summaries also "user", "class" and
// "host", of job_history also "id". Rows are read page by page, the newest
// first, when somebody reads them; private columns are not in the schema. Summaries come whole;
// of documents the newest kDocumentsMax. What nothing fills yet is empty.
//
// Owner: main. Threads: any. Blocking: MakePlan never; Run reads the database.
class Tables final : public module::Service, public tasks::OwnFlights {
 public:
  explicit Tables(TablesParts parts);

  std::string_view name() const override { return kTablesService; }
  Result<module::Plan> MakePlan(const module::PlanRequest& request) override;
  Status Run(const module::Plan& plan, const std::map<std::string, module::RunInput>& inputs,
             module::ResultWriter& writer, const module::RunContext& context) override;

  std::vector<tasks::OwnFlight> All() const override { return all_; }
  std::shared_ptr<const Command> At(const Path& path) const override;
  uint64_t generation() const override { return parts_.generation(); }

 private:
  TablesParts parts_;
  std::vector<tasks::OwnFlight> all_;
  std::map<Path, std::shared_ptr<const Command>> commands_;  // Shared with the runs they start.
};

}  // namespace sheaf::chronicle
