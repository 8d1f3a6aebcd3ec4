#include "sheaf/adapters/persistence/sql_purge.h"

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "sheaf/adapters/persistence/sql_dialect.h"
#include "sheaf/adapters/persistence/sql_pages.h"
#include "sheaf/wire/records/tables.h"

namespace sheaf::persistence {
namespace {

using records::Blob;
using std::chrono::milliseconds;

constexpr size_t kPageWorks = 10'000;               // Archived together…
constexpr int64_t kPageBytes = int64_t{16} << 20;   // …or fewer of this size.
constexpr int64_t kIdsAtOnce = 2'000;
constexpr size_t kBatchFirst = 8, kBatchMin = 4, kBatchMax = 512;  // Works of a transaction…
constexpr milliseconds kBatchLong{2};  // …which should not take longer.
constexpr milliseconds kRestMax{100};

Result<std::vector<WorkType>> TypesIn(std::string_view table) {
  using enum WorkType;
  if (table == "job_history" || table == "jobs") return std::vector{kJob};
  if (table == "res_history" || table == "reservations") return std::vector{kReservation};
  if (table == "svc_history") return std::vector{kService, kArbitrary};
  if (table == "processes") {
    return Fail(Kind::kInvalid,
                "processes go with the work that they belong to: name jobs, reservations or "
                "svc_history");
  }
  return Fail(Kind::kInvalid, "nothing is purged by table '" + std::string(table) +
                                  "': name jobs, reservations or svc_history");
}

int64_t EndOf(int64_t begin, int64_t duration) {
  int64_t end = 0;
  if (!__builtin_add_overflow(begin, std::max<int64_t>(duration, 0), &end)) return end;
  return std::numeric_limits<int64_t>::max();
}

// When the work ended; absent when nothing says so: it never grows old.
std::optional<int64_t> EndOf(const Work& work) {
  if (work.job) return EndOf(work.job->Get<"submission_time">(), work.job->Get<"duration">());
  if (work.reservation) {
    return EndOf(work.reservation->Get<"submission_time">(), work.reservation->Get<"duration">());
  }
  std::optional<int64_t> end;
  for (const auto& process : work.processes) {
    end = std::max(end.value_or(INT64_MIN),
                   std::max(process.Get<"start">(), process.Get<"stop">()));
  }
  return end;
}

// All rows of one work, the document first.
struct Going {
  std::vector<Row> rows;
  int64_t bytes = 0;
};

// The ids of candidates of one type, a page at a time, oldest first.
class Candidates {
 public:
  virtual ~Candidates() = default;
  virtual Result<std::vector<int64_t>> Next(SqlSession& session) = 0;
};

// Jobs or reservations that were submitted before; whether they ended is seen here.
class Submitted final : public Candidates {
 public:
  Submitted(const Table& summaries, int64_t before) : table_(summaries), before_(before) {}

  Result<std::vector<int64_t>> Next(SqlSession& session) override {
    std::vector<int64_t> ids;
    for (bool more = true; more && ids.empty();) {
      int64_t rows = 0;
      SHEAF_TRY(session.Query(
          Statement(session.dialect()), Values{before_, time_, id_, kIdsAtOnce},
          {ColumnType::kLong, ColumnType::kLong, ColumnType::kLong}, [&](const Values& read) {
            ++rows;
            time_ = std::get<int64_t>(read[0]);
            id_ = std::get<int64_t>(read[1]);
            const auto* duration = std::get_if<int64_t>(&read[2]);
            if (EndOf(time_, duration == nullptr ? 0 : *duration) < before_) ids.push_back(id_);
            return Done();
          }));
      more = rows > 0;
    }
    return ids;
  }

 private:
  Sql Statement(records::Dialect dialect) const {
    const auto value = [&](size_t n) { return records::Parameter(n, dialect); };
    return Sql("SELECT \"submission_time\",\"ducc_id\",\"duration\" FROM ") +
           Sql::Name(table_.name) + " WHERE \"submission_time\"<" + value(1) +
           " AND (\"submission_time\",\"ducc_id\")>(" + value(2) + "," + value(3) +
           ") ORDER BY \"submission_time\",\"ducc_id\" LIMIT " + value(4);
  }
  const Table& table_;
  const int64_t before_;
  int64_t time_ = INT64_MIN, id_ = INT64_MIN;
};

// Documents of one type by id, up to one.
class Numbered final : public Candidates {
 public:
  Numbered(WorkType type, int64_t last) : type_(type), last_(last) {}

  Result<std::vector<int64_t>> Next(SqlSession& session) override {
    const auto value = [&](size_t n) { return records::Parameter(n, session.dialect()); };
    const Sql sql = Sql("SELECT \"ducc_id\" FROM ") + Sql::Name(HistoryTable(type_).name) +
                    " WHERE \"type\"=" + value(1) + " AND \"ducc_id\">" + value(2) +
                    " AND \"ducc_id\"<=" + value(3) + " ORDER BY \"ducc_id\" LIMIT " + value(4);
    std::vector<int64_t> ids;
    SHEAF_TRY(session.Query(sql,
                            Values{std::string(WorkTypeName(type_)), after_, last_, kIdsAtOnce},
                            {ColumnType::kLong}, [&](const Values& read) {
                              ids.push_back(after_ = std::get<int64_t>(read[0]));
                              return Done();
                            }));
    return ids;
  }

 private:
  const WorkType type_;
  const int64_t last_;
  int64_t after_ = INT64_MIN;
};

// The greatest id of those that must go so that no more stay; INT64_MIN: none.
Result<int64_t> CutByRows(SqlSession& session, const Table& table, int64_t rows_max) {
  const Sql sql = Sql("SELECT \"ducc_id\" FROM ") + Sql::Name(table.name) +
                  " ORDER BY \"ducc_id\" DESC LIMIT 1 OFFSET " +
                  records::Parameter(1, session.dialect());
  int64_t cut = INT64_MIN;
  SHEAF_TRY(session.Query(sql, Values{rows_max}, {ColumnType::kLong}, [&](const Values& read) {
    cut = std::get<int64_t>(read[0]);
    return Done();
  }));
  return cut;
}

Result<int64_t> CutByBytes(SqlSession& session, const Table& table, int64_t bytes_max) {
  const Sql sql = Sql("SELECT max(\"ducc_id\") FROM (SELECT \"ducc_id\", sum(") +
                  BytesIn(Sql::Name("work"), session.dialect()) +
                  ") OVER (ORDER BY \"ducc_id\" DESC, \"type\") AS \"kept\" FROM " +
                  Sql::Name(table.name) + ") AS \"sums\" WHERE \"kept\">" +
                  records::Parameter(1, session.dialect());
  int64_t cut = INT64_MIN;
  SHEAF_TRY(session.Query(sql, Values{bytes_max}, {ColumnType::kLong}, [&](const Values& read) {
    if (const auto* id = std::get_if<int64_t>(&read[0])) cut = *id;
    return Done();
  }));
  return cut;
}

class Purge {
 public:
  Purge(SqlStore& store, const Upkeep& upkeep, const Archive& archive, const Report& report,
        PurgeMode mode)
      : store_(store), upkeep_(upkeep), archive_(archive), report_(report), mode_(mode) {}

  Status Apply(const Retention& retention) {
    SHEAF_ASSIGN(const auto types, TypesIn(retention.table));
    what_ = "purging " + retention.table;
    int64_t cut = INT64_MIN;
    SHEAF_TRY(store_.Read([&](SqlSession& session) -> Status {
      const Table& table = HistoryTable(types[0]);
      cut = INT64_MIN;
      if (retention.rows_max) {
        SHEAF_ASSIGN(cut, CutByRows(session, table, std::max<int64_t>(*retention.rows_max, 0)));
      }
      if (!retention.bytes_max) return Done();
      SHEAF_ASSIGN(const int64_t by_bytes, CutByBytes(session, table, *retention.bytes_max));
      cut = std::max(cut, by_bytes);
      return Done();
    }));
    for (const WorkType type : types) SHEAF_TRY(ApplyTo(type, retention.before, cut));
    return Done();
  }

  std::vector<Purged> Numbers() && {
    std::vector<Purged> all;
    for (auto& [table, purged] : purged_) all.push_back(std::move(purged));
    return all;
  }

 private:
  using Page = std::vector<Going>;
  struct Ids {
    std::vector<int64_t> some;  // Of which those from `next` on are still to be read.
    size_t next = 0;
    bool over = false;
  };

  Status ApplyTo(WorkType type, std::optional<int64_t> before, int64_t cut) {
    type_ = type;
    if (before) {
      SHEAF_TRY(Drain(*Old(type, *before), [&](const Work& work) {
        return EndOf(work).value_or(INT64_MAX) < *before;
      }));
    }
    if (cut == INT64_MIN) return Done();
    Numbered numbered(type, cut);
    return Drain(numbered, [&](const Work& work) {  // Those that age took are counted.
      return !before || EndOf(work).value_or(INT64_MAX) >= *before;
    });
  }

  static std::unique_ptr<Candidates> Old(WorkType type, int64_t before) {
    switch (type) {
      case WorkType::kJob: return std::make_unique<Submitted>(records::kJobs, before);
      case WorkType::kReservation:
        return std::make_unique<Submitted>(records::kReservations, before);
      case WorkType::kService:
      case WorkType::kArbitrary: break;  // Few: all are looked at.
    }
    return std::make_unique<Numbered>(type, INT64_MAX);
  }

  // Pages of candidates, until there are none.
  Status Drain(Candidates& candidates, const std::function<bool(const Work&)>& goes) {
    Ids ids;
    while (!ids.over) {
      SHEAF_TRY(Tell());
      Page page;
      SHEAF_TRY(store_.Read([&](SqlSession& session) -> Status {
        return Gather(session, candidates, goes, ids, page);
      }));
      SHEAF_TRY(Remove(page));
    }
    return Done();
  }

  Status Gather(SqlSession& session, Candidates& candidates,
                const std::function<bool(const Work&)>& goes, Ids& ids, Page& page) {
    int64_t bytes = 0;
    while (page.size() < kPageWorks && bytes < kPageBytes) {
      if (ids.next >= ids.some.size()) {
        ids.next = 0;
        SHEAF_ASSIGN(ids.some, candidates.Next(session));
        ids.over = ids.some.empty();
        if (ids.over) return Done();
      }
      SHEAF_ASSIGN(auto going, Read(session, ids.some[ids.next++], goes));
      if (!going) continue;
      bytes += going->bytes;
      page.push_back(*std::move(going));
    }
    return Done();
  }

  Result<std::optional<Going>> Read(SqlSession& session, int64_t id,
                                    const std::function<bool(const Work&)>& goes) {
    const Values key = {std::string(WorkTypeName(type_)), id};
    SHEAF_ASSIGN(auto document, FindRow(session, HistoryTable(type_), key));
    if (!document) return std::optional<Going>();  // Gone, or a summary without a document.
    const auto work = DecodeWork(Get<Blob>(*document, "work").bytes);
    if (!work.ok()) {
      Purged& purged = NumbersOf(HistoryTable(type_));
      if (damaged_.insert({type_, id}).second) ++purged.damaged;
      return std::optional<Going>();
    }
    if (!goes(*work)) return std::optional<Going>();
    Going going;
    going.rows.push_back(*std::move(document));
    for (Row& row : SummaryRows(*work)) going.rows.push_back(std::move(row));
    SHEAF_ASSIGN(auto specification, FindRow(session, records::kDuccworks, key));
    if (specification) going.rows.push_back(*std::move(specification));
    for (const Row& row : going.rows) going.bytes += BytesOf(row);
    return std::optional(std::move(going));
  }

  // Archived first; then in batches that leave others room.
  Status Remove(const Page& page) {
    if (mode_ == PurgeMode::kDo && archive_) SHEAF_TRY(ToArchive(page));
    Status told;
    for (size_t at = 0; at < page.size();) {
      const size_t end = std::min(page.size(), at + batch_);
      const std::span<const Going> batch(page.data() + at, end - at);
      if (mode_ == PurgeMode::kDo) SHEAF_TRY(RemoveBatch(batch));
      for (const Going& going : batch) Note(going);
      at = end;
      // What is archived goes, whoever cancels: else it would be archived again.
      const Status now = Tell();
      if (told.ok()) told = now;
      if (!told.ok() && !archive_) return told;
    }
    return told;
  }

  Status ToArchive(const Page& page) {
    std::map<const Table*, std::vector<Row>> by_table;
    for (const Going& going : page) {
      for (const Row& row : going.rows) by_table[row.table].push_back(row);
    }
    for (const auto& [table, rows] : by_table) SHEAF_TRY(archive_(*table, rows));
    return Done();
  }

  Status RemoveBatch(std::span<const Going> batch) {
    const Instant begun = upkeep_.clock->Now();
    SHEAF_TRY(store_.Write([&](SqlSession& session) -> Status {
      std::vector<SqlStatement> statements;
      for (const Going& going : batch) {
        for (const Row& row : going.rows) {
          Values key;
          for (const auto& property : row.table->properties) {
            if (property.primary_key) key.push_back(row.At(property.pname));
          }
          statements.push_back(ToDelete(session, *row.table, std::move(key)));
        }
      }
      return session.RunAll(statements);
    }));
    const Duration took = upkeep_.clock->Now() - begun;
    batch_ = took > kBatchLong ? std::max(batch_ / 2, kBatchMin) : std::min(batch_ * 2, kBatchMax);
    upkeep_.rest(std::min<Duration>(took, kRestMax));
    return Done();
  }

  void Note(const Going& going) {
    ++done_;
    for (const Row& row : going.rows) {
      Purged& purged = NumbersOf(*row.table);
      ++purged.rows;
      purged.bytes += BytesOf(row);
    }
  }
  Purged& NumbersOf(const Table& table) {
    Purged& purged = purged_[std::string(table.name)];
    purged.table = std::string(table.name);
    return purged;
  }
  Status Tell() { return report_ ? report_({what_, done_, 0}) : Done(); }

  SqlStore& store_;
  const Upkeep& upkeep_;
  const Archive& archive_;
  const Report& report_;
  const PurgeMode mode_;
  WorkType type_ = WorkType::kJob;
  std::string what_;
  size_t batch_ = kBatchFirst;
  int64_t done_ = 0;
  std::map<std::string, Purged> purged_;
  std::set<std::pair<WorkType, int64_t>> damaged_;
};

}  // namespace

Result<std::vector<Purged>> PurgeWork(SqlStore& store, const Upkeep& upkeep,
                                      std::span<const Retention> retentions,
                                      const Archive& archive, const Report& report,
                                      PurgeMode mode) {
  for (const Retention& retention : retentions) SHEAF_TRY(TypesIn(retention.table));
  Purge purge(store, upkeep, archive, report, mode);
  for (const Retention& retention : retentions) SHEAF_TRY(purge.Apply(retention));
  return std::move(purge).Numbers();
}

}  // namespace sheaf::persistence
