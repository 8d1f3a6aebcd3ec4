// JSON: one object a line. Types are taken from the first block, from the first file, or said.
#include <arrow/api.h>
#include <arrow/compute/api.h>
#include <arrow/json/options.h>
#include <arrow/json/reader.h>
#include <arrow/util/utf8.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "sheaf/services/files/errors.h"
#include "sheaf/services/files/json_blocks.h"
#include "sheaf/services/files/reader.h"
#include "sheaf/wire/columnar/columnar.h"

namespace sheaf::files {
namespace {

int64_t CountFields(const arrow::DataType& type) {
  int64_t count = 1;
  for (const auto& field : type.fields()) count += CountFields(*field->type());
  return count;
}

// Arrow's message without values, and the row it speaks of (-1: none).
struct Complaint {
  std::string what;
  int64_t row = -1;
};
Complaint ReadComplaint(std::string_view message) {
  constexpr std::string_view kPrefix = "JSON parse error: ", kRow = " in row ";
  Complaint complaint;
  if (message.starts_with(kPrefix)) message.remove_prefix(kPrefix.size());
  const size_t row = message.rfind(kRow);
  if (row != message.npos) {
    const std::string_view digits = message.substr(row + kRow.size());
    std::from_chars(digits.data(), digits.data() + digits.size(), complaint.row);
    message = message.substr(0, row);
  }
  const size_t value = message.find(", couldn't parse");
  if (value != message.npos) {  // "Failed to convert JSON to int64, couldn't parse:…"
    message = message.substr(0, value);
    const size_t type = message.rfind(" to ");
    complaint.what = "a value is not of type " +
                     std::string(type == message.npos ? message : message.substr(type + 4));
  } else {
    complaint.what = std::string(message.substr(0, 200));
  }
  if (value == message.npos && message.find("couldn't parse") != message.npos) {
    complaint.what = "a value is not of its column's type";
  }
  if (value != message.npos || message.find("changed from") != message.npos ||
      message.find("unexpected field") != message.npos) {
    complaint.what += "; options.types can name a type for it";
  }
  return complaint;
}

// Dates and times are strings in JSON, but Arrow's parser reads them as numbers only.
bool IsReadAsText(const arrow::DataType& type) {
  return arrow::is_date(type.id()) || arrow::is_time(type.id());
}
Schema ParsedAs(const arrow::FieldVector& fields) {
  arrow::FieldVector parsed;
  for (const auto& field : fields) {
    parsed.push_back(IsReadAsText(*field->type()) ? field->WithType(arrow::utf8()) : field);
  }
  return arrow::schema(std::move(parsed));
}

class JsonReader final : public Reader {
 public:
  JsonReader(std::shared_ptr<SourceFile> file, ReadPlan plan, TextSource source)
      : file_(std::move(file)), plan_(std::move(plan)), blocks_(std::move(source), plan_.name) {}

  Status Open() {
    arrow::util::InitializeUTF8();
    arrow::FieldVector known;
    for (const auto& [name, type] : plan_.options.types) known.push_back(arrow::field(name, type));
    if (plan_.expected != nullptr) {
      known = plan_.expected->fields();
      options_.unexpected_field_behavior = arrow::json::UnexpectedFieldBehavior::Error;
      blocks_.set_columns(CountFields(*arrow::struct_(known)));
    }
    if (!known.empty()) Expect(std::move(known));
    SHEAF_ASSIGN(ready_, Parse());
    if (ready_ == nullptr) return BadText(plan_.name, "line 1", "no JSON object in the file");
    if (ready_->num_columns() == 0) {
      return BadText(plan_.name, "line 1", "the objects have no fields");
    }
    SHEAF_ASSIGN(schema_, CleanSchema(*ready_->schema(), plan_.name));
    blocks_.set_columns(CountFields(*arrow::struct_(schema_->fields())));
    return Done();
  }

  const Schema& schema() const override { return schema_; }
  double done() const override { return blocks_.done(); }

  Status Select(const std::vector<int>& columns, const Filter&) override {
    arrow::FieldVector fields;
    for (const int column : columns) fields.push_back(schema_->field(column));
    selected_ = arrow::schema(fields);
    // Columns that nobody asked for are not looked at any more.
    Expect(std::move(fields));
    options_.unexpected_field_behavior = static_cast<int>(columns.size()) == schema_->num_fields()
                                             ? arrow::json::UnexpectedFieldBehavior::Error
                                             : arrow::json::UnexpectedFieldBehavior::Ignore;
    std::vector<std::shared_ptr<arrow::Array>> arrays;
    for (const int column : columns) arrays.push_back(ready_->column(column));
    ready_ = arrow::RecordBatch::Make(selected_, ready_->num_rows(), std::move(arrays));
    return Done();
  }

  Result<Batch> Next() override {
    if (ready_ != nullptr) return std::exchange(ready_, nullptr);
    SHEAF_ASSIGN(const Batch batch, Parse());
    if (batch == nullptr) return Batch();
    std::vector<std::shared_ptr<arrow::Array>> arrays;
    for (const auto& field : selected_->fields()) {
      auto array = batch->GetColumnByName(field->name());
      if (array == nullptr || !array->type()->Equals(*field->type())) {
        return Damaged(plan_.name, "", "column '" + field->name() + "' changes its type");
      }
      arrays.push_back(std::move(array));
    }
    return arrow::RecordBatch::Make(selected_, batch->num_rows(), std::move(arrays));
  }

 private:
  // Columns whose types are known before they are parsed.
  void Expect(arrow::FieldVector fields) {
    options_.explicit_schema = ParsedAs(fields);
    expected_ = arrow::schema(std::move(fields));
  }

  Result<Batch> Parse() {
    SHEAF_TRY(file_->context().Check());
    SHEAF_ASSIGN(const JsonBlock block, blocks_.Next());
    if (block.text == nullptr) return Batch();
    SHEAF_TRY(CheckText(block));
    auto parsed = arrow::json::ParseOne(options_, block.text);
    if (!parsed.ok()) return Wrong(parsed.status(), block);
    return Convert(*parsed, block);
  }

  Status CheckText(const JsonBlock& block) const {
    std::string_view rest(*block.text);
    if (arrow::util::ValidateUTF8(rest)) return Done();
    int64_t line = block.line;
    while (true) {
      const size_t end = rest.find('\n');
      if (!arrow::util::ValidateUTF8(rest.substr(0, end)) || end == rest.npos) break;
      rest.remove_prefix(end + 1);
      ++line;
    }
    return BadText(plan_.name, "line " + std::to_string(line), "not valid UTF-8");
  }

  // Strings to the dates and times that they were read for.
  Result<Batch> Convert(Batch batch, const JsonBlock& block) const {
    if (expected_ == nullptr) return batch;
    arrow::compute::ExecContext context(file_->context().pool.get());
    for (int n = 0; n < batch->num_columns(); ++n) {
      const auto field = expected_->GetFieldByName(batch->schema()->field(n)->name());
      if (field == nullptr || !IsReadAsText(*field->type())) continue;
      auto cast = arrow::compute::Cast(*batch->column(n), field->type(),
                                       arrow::compute::CastOptions::Safe(), &context);
      if (!cast.ok()) {
        return BadText(
            plan_.name, Lines(block),
            "column '" + field->name() + "': a value is not of type " + field->type()->ToString());
      }
      auto changed = batch->SetColumn(n, field, *cast);
      SHEAF_CHECK(changed.ok());
      batch = *changed;
    }
    return batch;
  }

  static std::string Lines(const JsonBlock& block) {
    const auto last = static_cast<int64_t>(block.starts.size()) - 1;
    return "lines " + std::to_string(block.line) + " to " + std::to_string(block.LineOf(last));
  }

  Error Wrong(const arrow::Status& status, const JsonBlock& block) const {
    if (status.IsOutOfMemory() || status.IsCapacityError()) {
      return ReadError(status, *file_, plan_.name, "");
    }
    const Complaint complaint = ReadComplaint(status.message());
    const std::string where =
        complaint.row >= 0 ? "line " + std::to_string(block.LineOf(complaint.row)) : Lines(block);
    return BadText(plan_.name, where, complaint.what);
  }

  const std::shared_ptr<SourceFile> file_;  // Shared with the stream; holds the pool.
  const ReadPlan plan_;
  JsonBlocks blocks_;
  arrow::json::ParseOptions options_ = arrow::json::ParseOptions::Defaults();
  Schema schema_, selected_;
  Schema expected_;  // Types known before parsing; may be null.
  Batch ready_;      // The first block, whose types are the file's.
};

}  // namespace

Result<std::unique_ptr<Reader>> OpenJson(const std::shared_ptr<SourceFile>& file,
                                         const ReadPlan& plan) {
  SHEAF_ASSIGN(auto source, TextSource::Open(file, plan.facts.packing, plan.name));
  auto reader = std::make_unique<JsonReader>(file, plan, std::move(source));
  SHEAF_TRY(reader->Open());
  return std::unique_ptr<Reader>(std::move(reader));
}

}  // namespace sheaf::files
