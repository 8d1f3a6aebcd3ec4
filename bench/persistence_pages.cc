// Summaries of one user in a range of time, page by page, among millions.
#include <random>

#include "bench/persistence.h"

namespace bench {
namespace {

using namespace sheaf::persistence;  // NOLINT(google-build-using-namespace): a program

constexpr int64_t kUsers = 1'000;
constexpr int64_t kBegun = 1'700'000'000'000, kApart = 1'000;

size_t Jobs() { return Sized(10'000, 1'000'000, 10'000'000); }
enum class Which : uint8_t { kFirst, kLater };

size_t Queries() { return Sized(20, 2'000, 2'000); }

// Rows first, their indexes after; these are all that a query by user and time could choose from.
void Fill(const std::string& path) {
  const auto database = OpenBare(path);
  const auto index = [&](std::string_view column) {
    return sheaf::core::Sql::IndexName("jobs", column);
  };
  std::vector<sheaf::core::Sql> again;
  for (size_t i = 0; i < sheaf::records::kJobs.columns(); ++i) {
    const auto& column = sheaf::records::kJobs.ColumnAt(i);
    if (!column.index) continue;
    Sure(database->Run(sheaf::core::Sql("drop index if exists ") + index(column.column)));
    const bool asked = column.column == "class" || column.column == "state" ||
                       column.column == "submission_time";
    if (!asked) continue;
    again.push_back(sheaf::core::Sql("create index ") + index(column.column) + " on jobs(" +
                    sheaf::core::Sql::Name(column.column) + ")");
  }
  Sure(database->Run("drop index sheaf_jobs_page"));
  Sure(database->Run(
      "with recursive job(id) as (select 1 union all select id + 1 from job where id < ?1) "
      "insert into jobs(\"user\", class, ducc_id, submission_time, duration, memory, processes, "
      "reason, state, total_wi, done_wi, description) "
      "select 'user' || ((id * 7919) % ?2), 'normal', id, ?3 + id * ?4, 60000, 16, 1, 'EndOfJob', "
      "'Completed', 100, 100, 'a job of the bench' from job",
      {static_cast<int64_t>(Jobs()), kUsers, kBegun, kApart}));
  Sure(database->Run("create index sheaf_jobs_page on jobs(\"user\", submission_time, ducc_id)"));
  for (const auto& sql : again) Sure(database->Run(sql));
}

}  // namespace

void PageRows() {
  const testkit::TemporaryDirectory directory;
  const std::string path = directory.path() + "/sheaf.db";
  { const Open schema(path); }
  Fill(path);
  const Open sheaf(path);
  WorkHistory& history = *sheaf.opened.parts.history;
  const int64_t span = static_cast<int64_t>(Jobs()) * kApart;
  const auto measure = [&](Which page_asked) {
    std::minstd_rand random(1);
    size_t rows = 0;
    const double p99 = Percentile99(Queries(), [&](size_t) {
      SummaryQuery query{.user = "user" + std::to_string(random() % kUsers)};
      query.from = kBegun + static_cast<int64_t>(random()) % (span / 2);
      query.to = *query.from + span / 4;
      if (page_asked == Which::kLater) query.after = Cursor{*query.from + span / 8, 0, 0};
      const auto page = Sure(history.Jobs(query));
      for (const auto& row : page.rows) SHEAF_CHECK(row.Get<"user">() == *query.user);
      rows += page.rows.size();
    });
    SHEAF_CHECK(rows > 0);
    return Measured{p99, rows};
  };
  const std::string among = " page of 100 by user and time of " + std::to_string(Jobs()) + ", p99";
  Against({"pages/SQLite, first" + among, "s", 1, Row::Better::kLower}, 0.01,
          [&] { return measure(Which::kFirst); });
  Against({"pages/SQLite, later" + among, "s", 1, Row::Better::kLower}, 0.01,
          [&] { return measure(Which::kLater); });
}

}  // namespace bench
