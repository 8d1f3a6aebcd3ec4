#include "sheaf/apps/sheaf/archive.h"

#include <arrow/buffer.h>
#include <arrow/io/memory.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "sheaf/apps/sheaf/row_sinks.h"
#include "sheaf/base/core/core.h"
#include "sheaf/drivers/files/publish.h"
#include "sheaf/wire/records/row_batch.h"

namespace sheaf::app {
namespace {

Result<std::shared_ptr<arrow::Buffer>> ToParquet(const records::Table& table,
                                                 std::span<const records::Row> rows) {
  SHEAF_ASSIGN(const auto batch, records::BatchOf(table, rows));
  SHEAF_ARROW_ASSIGN(auto out, Kind::kExhausted, arrow::io::BufferOutputStream::Create());
  SHEAF_ASSIGN(const auto sink,
               MakeRowSink({.format = Format::kParquet}, out, false, batch->schema()));
  SHEAF_ARROW_TRY(Kind::kFailed, sink->Write(*batch));
  SHEAF_ARROW_TRY(Kind::kFailed, sink->End(""));
  SHEAF_ARROW_ASSIGN(auto buffer, Kind::kFailed, out->Finish());
  return buffer;
}

// Sorts by time, and meets no other.
std::string FreshName(const Clock& clock) {
  uint32_t random = 0;
  core::FillRandom(&random, sizeof random);
  char tail[32];
  std::snprintf(tail, sizeof tail, "-%08x.parquet", random);
  std::string time = time::ToText(clock.Wall());
  std::erase(time, ':');
  return time + tail;
}

}  // namespace

persistence::Archive ParquetArchive(files::FileSystem& files, const Clock& clock,
                                    std::string directory) {
  return [&files, &clock, directory = std::move(directory)](
             const records::Table& table, std::span<const records::Row> rows) -> Status {
    const std::string place = directory + "/" + std::string(table.name);
    SHEAF_TRY(files.CreateDirectories(place));
    SHEAF_ASSIGN(const auto bytes, ToParquet(table, rows));
    return files::Publish(files, place + "/" + FreshName(clock),
                          {reinterpret_cast<const char*>(bytes->data()),
                           static_cast<size_t>(bytes->size())});
  };
}

}  // namespace sheaf::app
