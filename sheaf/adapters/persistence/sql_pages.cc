#include "sheaf/adapters/persistence/sql_pages.h"

#include <algorithm>

#include "sheaf/adapters/persistence/sql_dialect.h"

namespace sheaf::persistence {
namespace {

// The key of the last row that was read, and the conditions that continue behind it.
class Place {
 public:
  Place(const Table& table, records::Dialect dialect) : table_(table), dialect_(dialect) {}

  // ` WHERE ("a","b")>($1,$2) ORDER BY "a","b" LIMIT $3`
  Sql Onward() const {
    Sql sql;
    if (!key_.empty()) {
      sql += Sql(" WHERE (") + records::KeyList(table_) + ")>(";
      for (size_t i = 0; i < key_.size(); ++i) {
        if (i > 0) sql += ",";
        sql += records::Parameter(i + 1, dialect_);
      }
      sql += ")";
    }
    return sql + " ORDER BY " + records::KeyList(table_) + " LIMIT " +
           records::Parameter(key_.size() + 1, dialect_);
  }
  Values With(int64_t limit) const {
    Values values = key_;
    values.emplace_back(limit);
    return values;
  }
  void MoveTo(const Row& row) {
    key_.clear();
    for (const auto& property : table_.properties) {
      if (property.primary_key) key_.push_back(row.At(property.pname));
    }
  }

 private:
  const Table& table_;
  const records::Dialect dialect_;
  Values key_;
};

// The bytes of a row's texts and blobs.
Sql Weight(const Table& table, records::Dialect dialect) {
  Sql sum("0");
  for (size_t i = 0; i < table.columns(); ++i) {
    const auto& property = table.ColumnAt(i);
    if (property.type != ColumnType::kString && property.type != ColumnType::kBlob) continue;
    sum += Sql("+CAST(coalesce(") + BytesIn(Sql::Name(property.column), dialect) +
           ",0) AS bigint)";
  }
  return Sql("SELECT CAST(") + sum + " AS bigint) FROM " + Sql::Name(table.name);
}

// How many of the next rows are a page; 0: there are none.
Result<int64_t> Measure(SqlSession& session, const Sql& weight, const Place& place,
                        const PageLimits& limits) {
  int64_t rows = 0, bytes = 0;
  SHEAF_TRY(session.Query(weight + place.Onward(), place.With(limits.rows_max),
                          {ColumnType::kLong}, [&](const Values& read) {
                            bytes += std::get<int64_t>(read[0]);
                            if (bytes <= limits.bytes_max || rows == 0) ++rows;
                            return Done();
                          }));
  return rows;
}

}  // namespace

Status ReadPages(SqlSession& session, const Table& table, const PageLimits& limits,
                 const std::function<Status(std::vector<Row>)>& take) {
  const Sql weight = Weight(table, session.dialect());
  Place place(table, session.dialect());
  while (true) {
    SHEAF_ASSIGN(const int64_t rows, Measure(session, weight, place, limits));
    if (rows == 0) return Done();
    SHEAF_ASSIGN(auto page, ReadRows(session, table, records::Select(table) + place.Onward(),
                                     place.With(rows)));
    if (page.empty()) return Done();
    place.MoveTo(page.back());
    SHEAF_TRY(take(std::move(page)));
  }
}

Result<int64_t> CountRows(SqlSession& session, const Table& table) {
  return ReadNumber(session, Sql("SELECT count(*) FROM ") + Sql::Name(table.name), {});
}

int64_t BytesOf(const Row& row) {
  size_t bytes = 0;
  for (const Value& value : row.values) {
    if (const auto* text = std::get_if<std::string>(&value)) bytes += text->size();
    if (const auto* blob = std::get_if<records::Blob>(&value)) bytes += blob->bytes.size();
  }
  return static_cast<int64_t>(bytes);
}

}  // namespace sheaf::persistence
