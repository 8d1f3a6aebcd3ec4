#include "sheaf/apps/sheaf/table_rows.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <memory>

#include "sheaf/apps/sheaf/cells.h"
#include "sheaf/wire/columnar/columnar.h"

namespace sheaf::app {

Result<std::vector<Json>> ReadTable(Session& session, const Json& spec) {
  const Json asked{
      {"service", "sheaf"}, {"spec", spec}, {"options", {{"share", false}, {"priority", 9}}}};
  SHEAF_ASSIGN(auto command, sheaf::Command::FromJson(asked));
  SHEAF_ASSIGN(const auto stream, session.flights().Get({.what = command}, session.context()));
  std::vector<Json> rows;
  while (true) {
    std::shared_ptr<arrow::RecordBatch> batch;
    if (auto read = stream.reader->ReadNext(&batch); !read.ok()) return columnar::FromArrow(read);
    if (batch == nullptr) return rows;
    for (int64_t at = 0; at < batch->num_rows(); ++at) {
      Json row = Json::object();
      for (int column = 0; column < batch->num_columns(); ++column) {
        const auto& array = *batch->column(column);
        if (array.IsNull(at)) continue;
        std::string text;
        AppendJson(array, at, text);
        row[batch->column_name(column)] = Json::parse(text, nullptr, false);
      }
      rows.push_back(std::move(row));
    }
  }
}

std::string CellOf(const Json& row, const char* column) {
  const auto found = row.find(column);
  if (found == row.end()) return "";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

std::string TimeOf(const Json& row, const char* column) {
  if (!row.contains(column)) return "";
  std::string text = time::ToText(WallTime{row.value(column, int64_t{0}) * 1000});
  text.resize(19);
  text[10] = ' ';
  return text;
}

}  // namespace sheaf::app
