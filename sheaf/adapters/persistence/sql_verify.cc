// Summaries equal blobs, or here is where they do not.
#include <map>

#include "sheaf/adapters/persistence/sql_store.h"
#include "sheaf/wire/records/row_json.h"
#include "sheaf/wire/records/tables.h"

namespace sheaf::persistence {
namespace {

using records::Blob;

// The key of a summary's row, as text that sorts and prints.
std::string KeyText(const Row& row) {
  std::string text(row.table->name);
  for (size_t i = 0; i < row.values.size(); ++i) {
    const auto& property = row.table->ColumnAt(i);
    if (!property.primary_key) continue;
    text += " " + std::string(property.pname) + "=";
    if (const auto* number = std::get_if<int64_t>(&row.values[i])) text += std::to_string(*number);
    if (const auto* words = std::get_if<std::string>(&row.values[i])) text += *words;
  }
  return text;
}

using Wanted = std::map<std::string, Row>;

Status ReadDocuments(SqlSession& session, const Table& table, Wanted& wanted,
                     std::vector<std::string>& differences) {
  SHEAF_ASSIGN(const auto rows, ReadRows(session, table, records::Select(table), {}));
  for (const Row& row : rows) {
    const std::string name = std::string(table.name) + " " + Get<std::string>(row, "type") + " " +
                             std::to_string(Get<int64_t>(row, "ducc_id"));
    const auto work = DecodeWork(Get<Blob>(row, "work").bytes);
    if (!work.ok()) {
      differences.push_back(name + ": " + work.error().message);
      continue;
    }
    if (work->id != Get<int64_t>(row, "ducc_id") ||
        WorkTypeName(work->type) != Get<std::string>(row, "type")) {
      differences.push_back(name + ": its document is that of another");
    }
    for (Row& summary : SummaryRows(*work)) {
      const std::string key = KeyText(summary);
      wanted.insert_or_assign(key, std::move(summary));
    }
  }
  return Done();
}

Status CompareTable(SqlSession& session, const Table& table, Wanted& wanted,
                    std::vector<std::string>& differences) {
  SHEAF_ASSIGN(const auto rows, ReadRows(session, table, records::Select(table), {}));
  for (const Row& row : rows) {
    const std::string key = KeyText(row);
    const auto found = wanted.find(key);
    if (found == wanted.end()) {
      differences.push_back(key + ": no document has it");
      continue;
    }
    if (!(found->second == row)) differences.push_back(key + ": differs from its document");
    wanted.erase(found);
  }
  return Done();
}

}  // namespace

Result<std::vector<std::string>> VerifyHistory(SqlSession& session) {
  Wanted wanted;
  std::vector<std::string> differences;
  for (const Table* table : {&records::kJobHistory, &records::kResHistory, &records::kSvcHistory}) {
    SHEAF_TRY(ReadDocuments(session, *table, wanted, differences));
  }
  for (const Table* table : {&records::kJobs, &records::kReservations, &records::kProcesses}) {
    SHEAF_TRY(CompareTable(session, *table, wanted, differences));
  }
  for (const auto& [key, row] : wanted) differences.push_back(key + ": its row is missing");
  return differences;
}

}  // namespace sheaf::persistence
