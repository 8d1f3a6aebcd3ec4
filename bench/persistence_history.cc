// Finished jobs into history: SQLite against SQLite alone.
#include <algorithm>
#include <atomic>

#include "bench/persistence.h"

namespace bench {
namespace {

using namespace sheaf::persistence;  // NOLINT(google-build-using-namespace): a program
namespace sqlite = sheaf::sqlite;
namespace records = sheaf::records;
using sheaf::core::Sql;

constexpr size_t kBatch = 100;

sqlite::Value ToSqlite(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return std::string_view(*text);
  if (const auto* blob = std::get_if<records::Blob>(&value)) return sqlite::Blob{blob->bytes};
  if (const auto* whole = std::get_if<int64_t>(&value)) return *whole;
  if (const auto* whole = std::get_if<int32_t>(&value)) return int64_t{*whole};
  if (const auto* truth = std::get_if<bool>(&value)) return int64_t{*truth};
  return sqlite::Null{};
}

// Statements and their values, made before the clock runs.
struct Bound {
  std::vector<records::Row> rows;
  std::vector<Sql> sql;
  std::vector<std::vector<sqlite::Value>> values;

  explicit Bound(const Work& work) : rows(RowsOf(work)) {
    for (const records::Row& row : rows) {
      sql.push_back(records::Insert(*row.table, records::Dialect::kSqlite));
      auto& bound = values.emplace_back();
      for (const Value& value : row.values) bound.push_back(ToSqlite(value));
    }
  }
};

// Jobs a second of SQLite alone: the same rows in the same tables, `batch` jobs a transaction.
double BareRate(sqlite::Database& database, const std::vector<Work>& works, size_t batch) {
  std::vector<std::unique_ptr<Bound>> jobs;
  for (const Work& work : works) jobs.push_back(std::make_unique<Bound>(work));
  const double begun = Seconds();
  for (size_t at = 0; at < jobs.size(); at += batch) {
    auto transaction = Sure(sqlite::Transaction::Begin(database));
    for (size_t i = at; i < std::min(jobs.size(), at + batch); ++i) {
      for (size_t row = 0; row < jobs[i]->rows.size(); ++row) {
        Sure(database.Run(jobs[i]->sql[row], jobs[i]->values[row]));
      }
    }
    Sure(transaction.Commit());
  }
  return static_cast<double>(works.size()) / (Seconds() - begun);
}

double SheafRate(WorkHistory& history, const Epoch& epoch, const std::vector<Work>& works,
                 size_t batch) {
  const double begun = Seconds();
  for (size_t at = 0; at < works.size(); at += batch) {
    const size_t count = std::min(batch, works.size() - at);
    Sure(history.Save(epoch, std::span(works).subspan(at, count)));
  }
  return static_cast<double>(works.size()) / (Seconds() - begun);
}

}  // namespace

std::vector<Work> Works::Next(size_t count) {
  std::vector<Work> works;
  for (size_t i = 0; i < count; ++i) works.push_back(FinishedJob(++last_));
  return works;
}

std::vector<records::Row> RowsOf(const Work& work) {
  records::Row document(HistoryTable(work.type));
  document.At("type") = std::string(WorkTypeName(work.type));
  document.At("ducc_id") = work.id;
  document.At("history") = true;
  document.At("work") = records::Blob{EncodeWork(work)};
  std::vector<records::Row> rows = {std::move(document)};
  for (records::Row& row : SummaryRows(work)) rows.push_back(std::move(row));
  return rows;
}

double SaveRate(WorkHistory& history, std::span<const Epoch> epochs, const std::vector<Work>& works,
                size_t writers) {
  std::atomic<size_t> next{0};
  const double begun = Seconds();
  InParallel(static_cast<int>(writers), [&](int writer) {
    const Epoch& epoch = epochs[static_cast<size_t>(writer) % epochs.size()];
    for (size_t i = next++; i < works.size(); i = next++) {
      Sure(history.Save(epoch, std::span(works).subspan(i, 1)));
    }
    return uint64_t{0};
  });
  return static_cast<double>(works.size()) / (Seconds() - begun);
}

void FinishRows() {
  const testkit::TemporaryDirectory directory;
  const std::string bare_path = directory.path() + "/bare.db";
  { const Open schema(bare_path); }
  const auto bare = OpenBare(bare_path);
  Open sheaf(directory.path() + "/sheaf.db");
  Works bare_works, works;
  for (const size_t batch : {size_t{1}, kBatch}) {
    const size_t count = batch == 1 ? Sized(20, 1'000, 1'000) : Sized(200, 5'000, 5'000);
    const std::string what = batch == 1 ? "1 writer" : "batches of 100";
    Compare({"finish/SQLite, " + what + " to SQLite alone", "jobs/s", 0.8},
            [&] { return Measured{BareRate(*bare, bare_works.Next(count), batch), count}; },
            [&] {
              const auto next = works.Next(count);
              return Measured{SheafRate(sheaf.history(), sheaf.epoch, next, batch), count};
            });
  }
  const size_t count = Sized(64, 2'000, 2'000);
  Compare({"finish/SQLite, 32 writers to 1", "jobs/s", 5},
          [&] {
            const auto next = works.Next(count);
            return Measured{SheafRate(sheaf.history(), sheaf.epoch, next, 1), count};
          },
          [&] {
            const auto next = works.Next(count);
            const std::span<const Epoch> epochs(&sheaf.epoch, 1);
            return Measured{SaveRate(sheaf.history(), epochs, next, 32), count};
          });
}

}  // namespace bench
