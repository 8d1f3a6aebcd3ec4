#include "sheaf/adapters/persistence/sql_backup.h"

#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/util/key_value_metadata.h>

#include <algorithm>
#include <iterator>
#include <map>

#include "sheaf/adapters/persistence/backup_file.h"
#include "sheaf/adapters/persistence/own_tables.h"
#include "sheaf/adapters/persistence/sql_dialect.h"
#include "sheaf/adapters/persistence/sql_pages.h"
#include "sheaf/adapters/persistence/sql_schema.h"
#include "sheaf/wire/command/json.h"
#include "sheaf/wire/records/migration.h"
#include "sheaf/wire/records/row_batch.h"

namespace sheaf::persistence {
namespace {

constexpr int64_t kFormat = 1;

Status Tell(const Report& report, std::string_view what, int64_t done, int64_t total) {
  return report ? report({what, done, total}) : Done();
}

Result<std::shared_ptr<arrow::Buffer>> ToIpc(const arrow::RecordBatch& batch) {
  SHEAF_ARROW_ASSIGN(auto out, Kind::kExhausted, arrow::io::BufferOutputStream::Create());
  SHEAF_ARROW_ASSIGN(auto writer, Kind::kFailed,
                     arrow::ipc::MakeStreamWriter(out.get(), batch.schema()));
  SHEAF_ARROW_TRY(Kind::kFailed, writer->WriteRecordBatch(batch));
  SHEAF_ARROW_TRY(Kind::kFailed, writer->Close());
  SHEAF_ARROW_ASSIGN(auto buffer, Kind::kFailed, out->Finish());
  return buffer;
}

const Table* FindTable(std::string_view name) {
  for (const Table* table : TablesOf(kSchemaVersion)) {
    if (table->name == name) return table;
  }
  return nullptr;
}

// The rows of a page; the table is that of the first.
Result<std::pair<const Table*, std::vector<Row>>> FromIpc(std::string_view payload) {
  arrow::io::BufferReader in(
      std::make_shared<arrow::Buffer>(reinterpret_cast<const uint8_t*>(payload.data()),
                                      static_cast<int64_t>(payload.size())));
  SHEAF_ARROW_ASSIGN(auto reader, Kind::kCorrupt, arrow::ipc::RecordBatchStreamReader::Open(&in));
  const auto metadata = reader->schema()->metadata();
  const std::string name =
      metadata == nullptr ? "" : metadata->Get("table").ValueOr(std::string());
  const Table* table = FindTable(name);
  if (table == nullptr) {
    return Fail(Kind::kUnsupported, "a table '" + name + "' that this program does not know");
  }
  std::vector<Row> rows;
  while (true) {
    std::shared_ptr<arrow::RecordBatch> batch;
    SHEAF_ARROW_TRY(Kind::kCorrupt, reader->ReadNext(&batch));
    if (batch == nullptr) return std::pair(table, std::move(rows));
    SHEAF_ASSIGN(auto some, records::RowsOf(*table, *batch));
    rows.insert(rows.end(), std::make_move_iterator(some.begin()),
                std::make_move_iterator(some.end()));
  }
}

Json HeadOf(const BackupFacts& facts, records::Dialect dialect) {
  Json tables = Json::array();
  for (const Table* table : TablesOf(facts.schema)) {
    tables.push_back(records::ToJson(records::ShapeOf(*table)));
  }
  return {{"format", kFormat},
          {"schema", facts.schema},
          {"written_ms", facts.written_ms},
          {"from", records::DialectName(dialect)},
          {"tables", std::move(tables)}};
}

Status WriteTables(SqlSession& session, BackupWriter& writer, BackupFacts& facts,
                   const Report& report) {
  const auto tables = TablesOf(facts.schema);
  int64_t total = 0;
  for (const Table* table : tables) {
    SHEAF_ASSIGN(const int64_t rows, CountRows(session, *table));
    total += rows;
  }
  Json counts = Json::object();
  for (const Table* table : tables) {
    int64_t rows = 0;
    SHEAF_TRY(ReadPages(session, *table, {}, [&](const std::vector<Row>& page) -> Status {
      SHEAF_TRY(Tell(report, "backing up", facts.rows, total));
      SHEAF_ASSIGN(const auto batch, records::BatchOf(*table, page, records::Columns::kAll));
      SHEAF_ASSIGN(const auto bytes, ToIpc(*batch));
      rows += static_cast<int64_t>(page.size());
      facts.rows += static_cast<int64_t>(page.size());
      return writer.Write(Frame::kPage,
                          {reinterpret_cast<const char*>(bytes->data()),
                           static_cast<size_t>(bytes->size())});
    }));
    counts[std::string(table->name)] = rows;
  }
  facts.tables = static_cast<int64_t>(tables.size());
  SHEAF_TRY(Tell(report, "backing up", facts.rows, total));
  return writer.Write(Frame::kTail, Json{{"rows", std::move(counts)}}.dump());
}

// Checks a file from end to end, and knows what is in it.
class Inspection {
 public:
  Status Take(Frame kind, std::string_view payload) {
    switch (kind) {
      case Frame::kHead: return TakeHead(payload);
      case Frame::kPage: return TakePage(payload);
      case Frame::kTail: return TakeTail(payload);
    }
    __builtin_unreachable();
  }
  BackupFacts facts;

 private:
  Status TakeHead(std::string_view payload) {
    SHEAF_ASSIGN(const Json head, command::ParseJson(payload));
    command::ObjectReader read(head, "head");
    SHEAF_ASSIGN(facts.schema, read.Integer("schema", 0, 0, INT64_MAX));
    SHEAF_ASSIGN(facts.written_ms, read.Integer("written_ms", 0, INT64_MIN, INT64_MAX));
    if (facts.schema > kSchemaVersion) {
      return Fail(Kind::kUnsupported, "the backup's schema has version " +
                                          std::to_string(facts.schema) +
                                          ", this program knows version " +
                                          std::to_string(kSchemaVersion));
    }
    if (facts.schema < 1) return Fail(Kind::kCorrupt, "its head names no schema");
    return Done();
  }
  Status TakePage(std::string_view payload) {
    SHEAF_ASSIGN(const auto page, FromIpc(payload));
    rows_[std::string(page.first->name)] += static_cast<int64_t>(page.second.size());
    facts.rows += static_cast<int64_t>(page.second.size());
    return Done();
  }
  Status TakeTail(std::string_view payload) {
    SHEAF_ASSIGN(const Json tail, command::ParseJson(payload));
    const auto counts = tail.find("rows");
    if (counts == tail.end() || !counts->is_object()) return Fail(Kind::kCorrupt, "its tail");
    facts.tables = static_cast<int64_t>(counts->size());
    for (const auto& [name, count] : counts->items()) {
      const int64_t found = rows_[name];
      if (!count.is_number_integer() || count.get<int64_t>() != found) {
        return Fail(Kind::kCorrupt, "it has " + std::to_string(found) + " rows of " + name +
                                        ", its tail says otherwise");
      }
    }
    return Done();
  }

  std::map<std::string, int64_t> rows_;
};

// Scopes of the backup and of the database: of those in both, the greater epoch. Nobody holds one.
class Scopes {
 public:
  Status Read(SqlSession& session) {
    SHEAF_ASSIGN(present_, ReadRows(session, kScopeTable, records::Select(kScopeTable), {}));
    return Done();
  }
  void Take(std::vector<Row> rows) {
    std::move(rows.begin(), rows.end(), std::back_inserter(saved_));
  }
  Status Write(SqlSession& session) {
    std::map<std::string, Row> all;
    int32_t slots = 0;
    for (Row& row : saved_) {
      slots = std::max(slots, Get<int32_t>(row, "slot") + 1);
      all.emplace(Get<std::string>(row, "scope"), std::move(row));
    }
    for (const Row& row : present_) {
      const auto [found, fresh] = all.emplace(Get<std::string>(row, "scope"), row);
      if (fresh) {
        found->second.At("slot") = slots++;
        found->second.At("generation") = int64_t{0};
        found->second.At("resources") = int64_t{0};
      }
      int64_t number = std::max(Get<int64_t>(row, "number"), Get<int64_t>(found->second, "number"));
      found->second.At("number") = number;
    }
    for (auto& [name, row] : all) {
      row.At("number") = Get<int64_t>(row, "number") + 1;
      row.At("holder") = std::string();
      row.At("start") = static_cast<int32_t>(Start::kNone);
      SHEAF_TRY(UpsertRow(session, row));
    }
    return Done();
  }

 private:
  std::vector<Row> present_, saved_;
};

// What the database says of itself is not restored.
bool IsRestored(const Table& table) { return table.name != kSchemaTable.name; }

Status InsertAll(SqlSession& session, std::vector<Row> rows) {
  constexpr size_t kBatch = 500;  // Rows on the way at once.
  std::vector<SqlStatement> statements;
  for (Row& row : rows) {
    statements.push_back(ToInsert(session, std::move(row)));
    if (statements.size() < kBatch) continue;
    SHEAF_TRY(session.RunAll(statements));
    statements.clear();
  }
  return session.RunAll(statements);
}

Status Replace(SqlSession& session, files::FileSystem& files, const std::string& file,
               int64_t total, const Report& report) {
  Scopes scopes;
  SHEAF_TRY(scopes.Read(session));
  for (const Table* table : TablesOf(kSchemaVersion)) {
    if (!IsRestored(*table) || table->name == kScopeTable.name) continue;
    SHEAF_TRY(session.Run(Emptying(Sql::Name(table->name), session.dialect()), {}));
  }
  int64_t done = 0;
  SHEAF_TRY(ReadBackup(files, file, [&](Frame kind, std::string_view payload) -> Status {
    if (kind != Frame::kPage) return Done();
    SHEAF_TRY(Tell(report, "restoring", done, total));
    SHEAF_ASSIGN(auto page, FromIpc(payload));
    done += static_cast<int64_t>(page.second.size());
    if (!IsRestored(*page.first)) return Done();
    if (page.first->name != kScopeTable.name) return InsertAll(session, std::move(page.second));
    scopes.Take(std::move(page.second));
    return Done();
  }));
  return scopes.Write(session);
}

}  // namespace

Result<BackupFacts> WriteBackup(SqlStore& store, const Upkeep& upkeep, const std::string& file,
                                const Report& report) {
  BackupFacts facts;
  SHEAF_TRY(store.Read([&](SqlSession& session) -> Status {
    facts = {.written_ms = upkeep.clock->Wall().micros / 1000};
    SHEAF_ASSIGN(facts.schema, PresentVersion(session));
    if (facts.schema == 0) {
      return Fail(Kind::kNotReady, "the database is empty: there is nothing to back up");
    }
    SHEAF_ASSIGN(const auto writer, BackupWriter::Open(*upkeep.files, file));
    SHEAF_TRY(writer->Write(Frame::kHead, HeadOf(facts, session.dialect()).dump()));
    SHEAF_TRY(WriteTables(session, *writer, facts, report));
    facts.bytes = writer->bytes();
    return writer->Finish();
  }));
  return facts;
}

Result<BackupFacts> RestoreBackup(SqlStore& store, const Upkeep& upkeep, const std::string& file,
                                  Holders holders, const Report& report) {
  Inspection inspection;
  int64_t read = 0;
  Status whole = ReadBackup(*upkeep.files, file, [&](Frame kind, std::string_view payload) {
    auto told = Tell(report, "reading the backup", ++read, 0);
    return told.ok() ? inspection.Take(kind, payload) : told;
  });
  if (!whole.ok()) {
    if (whole.error().message.find(file) != std::string::npos) return std::move(whole).error();
    Error error = std::move(whole).error().In(file);
    if (error.kind == Kind::kInvalid) error.kind = Kind::kCorrupt;  // Malformed JSON in it.
    return error;
  }
  SHEAF_ASSIGN(const uint64_t bytes, upkeep.files->Size(file));
  inspection.facts.bytes = static_cast<int64_t>(bytes);
  SHEAF_TRY(store.Write([&](SqlSession& session) -> Status {
    SHEAF_ASSIGN(const int64_t present, PresentVersion(session));
    if (present != kSchemaVersion) {
      return Fail(Kind::kNotReady, "the database's schema has version " + std::to_string(present) +
                                       ", a backup is restored into version " +
                                       std::to_string(kSchemaVersion) +
                                       ": `sheaf db migrate apply` first");
    }
    SHEAF_TRY(Alone(session));
    SHEAF_TRY(FreeScopes(session, holders));
    return Replace(session, *upkeep.files, file, inspection.facts.rows, report);
  }));
  return inspection.facts;
}

}  // namespace sheaf::persistence
