#include "sheaf/adapters/store/disk_index.h"

#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/dictionary.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/type.h>

#include <cstring>
#include <unordered_map>
#include <utility>

#include "sheaf/adapters/store/provenance.h"
#include "sheaf/drivers/sqlite/sqlite.h"

namespace sheaf::store {
namespace {

constexpr int64_t kApplicationId = 0x53686561;  // "Shea"
constexpr int64_t kFormat = 1;

std::string EncodeSchema(const arrow::Schema& schema) {
  const auto bytes = arrow::ipc::SerializeSchema(schema);
  SHEAF_CHECK(bytes.ok());  // The same schema was written to the flight's files.
  return (*bytes)->ToString();
}

Result<Schema> DecodeSchema(std::string_view bytes) {
  arrow::io::BufferReader reader(std::make_shared<arrow::Buffer>(bytes));
  arrow::ipc::DictionaryMemo dictionaries;
  SHEAF_ARROW_ASSIGN(Schema schema, Kind::kCorrupt, arrow::ipc::ReadSchema(&reader, &dictionaries));
  return schema;
}

// Per partition three numbers: bytes of the file, rows, bytes of the rows.
std::string EncodePartitions(Body& body) {
  std::string out;
  for (uint32_t i = 0; i < body.partitions(); ++i) {
    const Partition& partition = body.partition(i);
    const Flight::Size size = partition.size();
    const uint64_t numbers[3] = {partition.file_bytes(), static_cast<uint64_t>(size.rows),
                                 static_cast<uint64_t>(size.bytes)};
    out.append(reinterpret_cast<const char*>(numbers), sizeof(numbers));
  }
  return out;
}

Result<std::vector<Body::StoredPartition>> DecodePartitions(std::string_view bytes) {
  constexpr size_t kEach = 3 * sizeof(uint64_t);
  if (bytes.empty() || bytes.size() % kEach != 0) {
    return Fail(Kind::kCorrupt, "the sizes of partitions are malformed");
  }
  std::vector<Body::StoredPartition> stored;
  for (size_t at = 0; at < bytes.size(); at += kEach) {
    uint64_t numbers[3];
    std::memcpy(numbers, bytes.data() + at, kEach);
    stored.push_back({numbers[0],
                      {static_cast<int64_t>(numbers[1]), static_cast<int64_t>(numbers[2])}});
  }
  return stored;
}

// Without an index every flight file would be swept: that is never what somebody wants.
Status NoFlightFiles(Context& context, const std::string& index, std::string_view what) {
  SHEAF_ASSIGN(const auto names, context.files.List(context.data_directory));
  for (const std::string& name : names) {
    if (!FileName::Parse(name).has_value()) continue;
    return Fail(Kind::kCorrupt, index + " " + std::string(what) +
                                    " although there are flight files; put the index back from a "
                                    "copy, or move " + context.data_directory +
                                    " away to start empty");
  }
  return Done();
}

class SqliteIndex final : public DiskIndex {
 public:
  SqliteIndex(ContextPtr context, std::unique_ptr<sqlite::Database> database)
      : context_(std::move(context)), database_(std::move(database)) {}

  Status Prepare();
  Result<std::vector<Entry>> Load() override;
  Status Write(const std::vector<Edit>& edits) override;
  Result<uint64_t> ReserveGenerations(uint64_t count) override;

 private:
  Result<int64_t> Number(Result<sqlite::Rows> rows);
  Status Create();
  Result<std::unordered_map<uint64_t, BodyPtr>> LoadData();
  Status PutFlight(const FlightRecord& record);
  Status PutData(Body& body);
  Status Remove(const Edit& edit);

  const ContextPtr context_;  // Shared: bodies take it.
  const std::unique_ptr<sqlite::Database> database_;
};

Result<int64_t> SqliteIndex::Number(Result<sqlite::Rows> rows) {
  if (!rows.ok()) return std::move(rows).error();
  SHEAF_ASSIGN(const bool there, rows->Next());
  return there ? rows->Integer(0) : int64_t{0};
}

Status SqliteIndex::Prepare() {
  // Exclusive: this process holds the directory, and the write-ahead log's index stays in memory.
  SHEAF_TRY(database_->Run("pragma locking_mode = exclusive"));
  SHEAF_TRY(database_->Run("pragma journal_mode = wal"));
  SHEAF_TRY(database_->Run("pragma synchronous = full"));
  // A new file was changed to a write-ahead log through a journal that was then removed. Before
  // anything is committed that must last, or the journal comes back and rolls it back.
  SHEAF_TRY(context_->files.SyncDirectory(context_->directory));
  SHEAF_ASSIGN(const int64_t format, Number(database_->Query("pragma user_version")));
  if (format == 0) {
    SHEAF_TRY(NoFlightFiles(*context_, database_->path(), "holds no index"));
    return Create();
  }
  SHEAF_ASSIGN(const int64_t id, Number(database_->Query("pragma application_id")));
  if (id != kApplicationId) {
    return Fail(Kind::kCorrupt, database_->path() + " is not an index of flights");
  }
  if (format != kFormat) {
    return Fail(Kind::kUnsupported, database_->path() + " has format " + std::to_string(format) +
                                        ", this program reads " + std::to_string(kFormat));
  }
  SHEAF_ASSIGN(auto rows, database_->Query("pragma quick_check(1)"));
  SHEAF_ASSIGN(const bool there, rows.Next());
  if (!there || rows.Text(0) != "ok") {
    return Fail(Kind::kCorrupt, database_->path() + " is damaged: " + std::string(rows.Text(0)));
  }
  return Done();
}

Status SqliteIndex::Create() {
  SHEAF_ASSIGN(auto transaction, sqlite::Transaction::Begin(*database_));
  SHEAF_TRY(database_->Script(R"(
    create table counters(name text primary key, next integer not null) without rowid;
    create table data(
      generation integer primary key,
      tier text not null,
      schema blob not null,        -- an Arrow IPC schema message
      partitions blob not null);   -- each: file bytes, rows, bytes; little-endian 64 bits
    create table flights(
      path blob primary key,       -- parts joined by NUL
      generation integer not null references data,
      created integer not null,    -- microseconds since 1970
      expires integer,
      pinned integer not null,
      identity blob not null,
      command text not null,
      principal text not null,
      inputs text not null,        -- JSON, empty for none
      sources text not null) without rowid;
    create index flights_generation on flights(generation);
    insert into counters values('generation', 1);
    pragma application_id = 0x53686561;
    pragma user_version = 1;)"));
  return transaction.Commit();
}

Result<uint64_t> SqliteIndex::ReserveGenerations(uint64_t count) {
  SHEAF_ASSIGN(auto transaction, sqlite::Transaction::Begin(*database_));
  SHEAF_ASSIGN(const int64_t first,
               Number(database_->Query("select next from counters where name = 'generation'")));
  if (first <= 0) return Fail(Kind::kCorrupt, database_->path() + " has lost its counter");
  SHEAF_TRY(database_->Run("update counters set next = next + ? where name = 'generation'",
                           {static_cast<int64_t>(count)}));
  SHEAF_TRY(transaction.Commit());
  return static_cast<uint64_t>(first);
}

Result<std::unordered_map<uint64_t, BodyPtr>> SqliteIndex::LoadData() {
  std::unordered_map<uint64_t, BodyPtr> bodies;
  std::unordered_map<std::string, Schema> schemas;  // Many flights share one.
  SHEAF_ASSIGN(auto rows, database_->Query("select generation, schema, partitions from data"));
  while (true) {
    SHEAF_ASSIGN(const bool more, rows.Next());
    if (!more) return bodies;
    const auto generation = static_cast<uint64_t>(rows.Integer(0));
    Schema& schema = schemas[std::string(rows.Bytes(1))];
    if (schema == nullptr) {
      SHEAF_ASSIGN(schema, DecodeSchema(rows.Bytes(1)));
    }
    SHEAF_ASSIGN(const auto stored, DecodePartitions(rows.Bytes(2)));
    bodies[generation] = Body::Restore(context_, generation, schema, stored);
  }
}

Result<std::vector<Entry>> SqliteIndex::Load() {
  SHEAF_ASSIGN(const auto bodies, LoadData());
  std::vector<Entry> entries;
  SHEAF_ASSIGN(auto rows, database_->Query(
      "select path, generation, created, expires, pinned, identity, command, principal, inputs, "
      "sources from flights order by path"));
  while (true) {
    SHEAF_ASSIGN(const bool more, rows.Next());
    if (!more) return entries;
    FlightRecord record;
    record.path = Path::FromKey(rows.Bytes(0));
    record.generation = static_cast<uint64_t>(rows.Integer(1));
    const auto found = bodies.find(record.generation);
    if (found == bodies.end() || record.path.empty()) {
      return Fail(Kind::kCorrupt, "a row of flights names data that is not there");
    }
    record.tier = Tier::kDisk;
    record.created = {rows.Integer(2)};
    if (!rows.IsNull(3)) record.expires = WallTime{rows.Integer(3)};
    record.pinned = rows.Integer(4) != 0;
    record.durable = true;
    const Flight::Size size = found->second->size();
    record.rows = size.rows;
    record.bytes = size.bytes;
    record.partitions = found->second->partitions();
    record.from.identity.raw = rows.Bytes(5);
    record.from.command = rows.Text(6);
    record.from.principal = rows.Text(7);
    SHEAF_ASSIGN(record.from.inputs, DecodeInputs(rows.Text(8)));
    SHEAF_ASSIGN(record.from.sources, DecodeSources(rows.Text(9)));
    entries.push_back({std::make_shared<const FlightRecord>(std::move(record)), found->second});
  }
}

Status SqliteIndex::PutFlight(const FlightRecord& record) {
  const std::string path = record.path.Key();
  const std::string inputs = EncodeInputs(record.from.inputs);
  const std::string sources = EncodeSources(record.from.sources);
  sqlite::Value expires = sqlite::Null{};
  if (record.expires.has_value()) expires = record.expires->micros;
  return database_->Run(
      "insert or replace into flights values(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {sqlite::Blob{path}, static_cast<int64_t>(record.generation), record.created.micros, expires,
       int64_t{record.pinned}, sqlite::Blob{record.from.identity.raw},
       std::string_view(record.from.command), std::string_view(record.from.principal),
       std::string_view(inputs), std::string_view(sources)});
}

Status SqliteIndex::PutData(Body& body) {
  const std::string schema = EncodeSchema(*body.schema());
  const std::string partitions = EncodePartitions(body);
  return database_->Run("insert or ignore into data values(?, 'disk', ?, ?)",
                        {static_cast<int64_t>(body.generation()), sqlite::Blob{schema},
                         sqlite::Blob{partitions}});
}

// The row that the edit replaces or removes, and its data when no other path names them.
Status SqliteIndex::Remove(const Edit& edit) {
  const bool stays = edit.now.has_value() && edit.now->record->durable;
  if (!stays) {
    const std::string path = edit.path.Key();
    SHEAF_TRY(database_->Run("delete from flights where path = ?", {sqlite::Blob{path}}));
  }
  if (stays && edit.now->body == edit.before->body) return Done();
  const auto generation = static_cast<int64_t>(edit.before->record->generation);
  return database_->Run(
      "delete from data where generation = ?1 and "
      "not exists (select 1 from flights where flights.generation = ?1)",
      {generation});
}

Status SqliteIndex::Write(const std::vector<Edit>& edits) {
  SHEAF_ASSIGN(auto transaction, sqlite::Transaction::Begin(*database_));
  for (const Edit& edit : edits) {
    if (edit.now.has_value() && edit.now->record->durable) {
      SHEAF_TRY(PutData(*edit.now->body));
      SHEAF_TRY(PutFlight(*edit.now->record));
    }
    if (edit.before.has_value() && edit.before->record->durable) SHEAF_TRY(Remove(edit));
  }
  Status committed = transaction.Commit();
  if (!committed.ok() && committed.error().kind == Kind::kExhausted &&
      committed.error().effect == Effect::kNone) {
    Error error = std::move(committed).error();
    error.message += "; nothing was changed: free a few MB on that disk and try again";
    return error;
  }
  return committed;
}

}  // namespace

Result<std::unique_ptr<DiskIndex>> OpenDiskIndex(const ContextPtr& context,
                                                 const std::string& sqlite_vfs) {
  const std::string path = context->directory + "/index.sqlite";
  const auto present = context->files.Size(path);
  if (!present.ok() && present.error().kind != Kind::kNotFound) return present.error();
  // Before SQLite makes or fills the file; of one that holds something, Prepare asks.
  if (!present.ok()) SHEAF_TRY(NoFlightFiles(*context, path, "is missing"));
  if (present.ok() && *present == 0) SHEAF_TRY(NoFlightFiles(*context, path, "is empty"));
  SHEAF_ASSIGN(auto database, sqlite::Database::Open({.path = path, .vfs = sqlite_vfs}));
  auto index = std::make_unique<SqliteIndex>(context, std::move(database));
  SHEAF_TRY(index->Prepare());
  return std::unique_ptr<DiskIndex>(std::move(index));
}

}  // namespace sheaf::store
