// Queries of summaries in SQL, page by page.
#include "sheaf/adapters/persistence/checks.h"
#include "sheaf/adapters/persistence/sql_dialect.h"
#include "sheaf/adapters/persistence/sql_history.h"

namespace sheaf::persistence {
namespace {

using records::Dialect;
using records::Parameter;

// Puts a WHERE together, value by value.
class Conditions {
 public:
  explicit Conditions(Dialect dialect) : dialect_(dialect) {}

  // The next value's place.
  Sql Bind(Value value) {
    values_.push_back(std::move(value));
    return Parameter(values_.size(), dialect_);
  }
  void Add(const Sql& condition) {
    where_ += where_.empty() ? Sql(" WHERE ") : Sql(" AND ");
    where_ += condition;
  }
  void Equals(std::string_view column, const std::optional<std::string>& text) {
    if (text.has_value()) Add(Sql::Name(column) + "=" + Bind(*text));
  }
  // `hosts` names the host among others, with blanks between.
  void Names(std::string_view column, const std::optional<std::string>& host) {
    if (!host.has_value()) return;
    const Sql place = Bind(" " + *host + " ");
    const Sql hosts = Sql("' '||") + Sql::Name(column) + "||' '";
    Add(PlaceIn(hosts, place, dialect_) + ">0");
  }
  const Sql& where() const { return where_; }
  const Values& values() const { return values_; }
  Dialect dialect() const { return dialect_; }

 private:
  const Dialect dialect_;
  Sql where_;
  Values values_;
};

// What a page is sorted by, newest first.
struct Order {
  std::string_view time;
  std::vector<std::string_view> rest;  // Of the cursor's id and share.
};

void InRange(const SummaryQuery& query, const Order& order, Conditions& conditions) {
  const Sql time = Sql::Name(order.time);
  if (query.from) conditions.Add(time + ">=" + conditions.Bind(*query.from));
  if (query.to) conditions.Add(time + "<" + conditions.Bind(*query.to));
  if (!query.after) return;
  Sql left = Sql("(") + time, right = Sql("(") + conditions.Bind(query.after->time);
  const std::array<int64_t, 2> rest = {query.after->id, query.after->share};
  for (size_t i = 0; i < order.rest.size(); ++i) {
    left += Sql(",") + Sql::Name(order.rest[i]);
    right += Sql(",") + conditions.Bind(rest[i]);
  }
  conditions.Add(left + ")<" + right + ")");
}

template <typename Summary>
Result<Page<Summary>> ReadPage(SqlSession& session, const Table& table, const SummaryQuery& query,
                               const Order& order, Conditions& conditions) {
  Sql sql =
      records::Select(table) + conditions.where() + " ORDER BY " + Sql::Name(order.time) + " DESC";
  for (const auto column : order.rest) sql += Sql(",") + Sql::Name(column) + " DESC";
  sql += Sql(" LIMIT ") + conditions.Bind(static_cast<int64_t>(query.limit) + 1);
  SHEAF_ASSIGN(auto rows, ReadRows(session, table, sql, conditions.values()));
  Page<Summary> page;
  if (rows.size() > query.limit) {
    const Row& last = rows[query.limit - 1];
    page.next = Cursor{Get<int64_t>(last, order.time), Get<int64_t>(last, order.rest[0]),
                       order.rest.size() > 1 ? Get<int64_t>(last, order.rest[1]) : 0};
    rows.erase(rows.begin() + static_cast<ptrdiff_t>(query.limit), rows.end());
  }
  for (const Row& row : rows) page.rows.push_back(Summary::Of(row));
  return page;
}

const Order& BySubmission() {
  static const Order kOrder{"submission_time", {"ducc_id"}};
  return kOrder;
}

}  // namespace

Result<Page<JobSummary>> SqlHistory::Jobs(const SummaryQuery& query) {
  SHEAF_TRY(CheckLimit(query));
  Page<JobSummary> page;
  SHEAF_TRY(store_->Read([&](SqlSession& session) -> Status {
    Conditions conditions(session.dialect());
    conditions.Equals("user", query.user);
    conditions.Equals("class", query.class_name);
    conditions.Equals("state", query.state);
    if (query.host) {
      const Sql id = Sql::Name("ducc_id"), processes = Sql::Name("processes");
      conditions.Add(Sql("EXISTS (SELECT 1 FROM ") + processes + " WHERE " + processes + "." + id +
                     "=" + Sql::Name("jobs") + "." + id + " AND " + Sql::Name("host") + "=" +
                     conditions.Bind(*query.host) + ")");
    }
    InRange(query, BySubmission(), conditions);
    SHEAF_ASSIGN(page,
                 ReadPage<JobSummary>(session, records::kJobs, query, BySubmission(), conditions));
    return Done();
  }));
  return page;
}

Result<Page<ProcessSummary>> SqlHistory::Processes(const SummaryQuery& query) {
  SHEAF_TRY(CheckLimit(query));
  Page<ProcessSummary> page;
  SHEAF_TRY(store_->Read([&](SqlSession& session) -> Status {
    const Order order{"start", {"ducc_id", "share_id"}};
    Conditions conditions(session.dialect());
    conditions.Equals("user", query.user);
    conditions.Equals("class", query.class_name);
    conditions.Equals("state_scheduler", query.state);
    conditions.Equals("host", query.host);
    InRange(query, order, conditions);
    SHEAF_ASSIGN(page,
                 ReadPage<ProcessSummary>(session, records::kProcesses, query, order, conditions));
    return Done();
  }));
  return page;
}

Result<Page<ReservationSummary>> SqlHistory::Reservations(const SummaryQuery& query) {
  SHEAF_TRY(CheckLimit(query));
  Page<ReservationSummary> page;
  SHEAF_TRY(store_->Read([&](SqlSession& session) -> Status {
    Conditions conditions(session.dialect());
    conditions.Equals("user", query.user);
    conditions.Equals("class", query.class_name);
    conditions.Equals("state", query.state);
    conditions.Names("hosts", query.host);
    InRange(query, BySubmission(), conditions);
    SHEAF_ASSIGN(page, ReadPage<ReservationSummary>(session, records::kReservations, query,
                                                    BySubmission(), conditions));
    return Done();
  }));
  return page;
}

}  // namespace sheaf::persistence
