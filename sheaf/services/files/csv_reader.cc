// CSV: one block after another through Arrow's chunker, parser and column decoders, on the
// calling thread. (Arrow's own streaming reader works on the process-wide pools.)
#include <arrow/api.h>
#include <arrow/csv/chunker.h>
#include <arrow/csv/column_decoder.h>
#include <arrow/csv/options.h>
#include <arrow/csv/parser.h>
#include <arrow/util/future.h>
#include <arrow/util/utf8.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "sheaf/services/files/csv_errors.h"
#include "sheaf/services/files/errors.h"
#include "sheaf/services/files/reader.h"
#include "sheaf/services/files/text_source.h"
#include "sheaf/wire/columnar/columnar.h"

namespace sheaf::files {
namespace {

namespace csv = arrow::csv;

constexpr int32_t kColumnsMax = 16'384;

class CsvReader final : public Reader {
 public:
  CsvReader(std::shared_ptr<SourceFile> file, ReadPlan plan, TextSource source)
      : file_(std::move(file)), plan_(std::move(plan)), source_(std::move(source)) {
    parse_ = csv::ParseOptions::Defaults();
    parse_.delimiter = plan_.options.delimiter.value_or(',');
    parse_.newlines_in_values = true;
    convert_ = csv::ConvertOptions::Defaults();
    if (plan_.options.null_values.has_value()) {
      convert_.null_values = *plan_.options.null_values;
      convert_.strings_can_be_null = true;
      convert_.quoted_strings_can_be_null = false;
    }
    chunker_ = csv::MakeChunker(parse_);
  }

  Status Open() {
    SHEAF_TRY(ReadBlock());
    SHEAF_TRY(ReadHeader());
    SHEAF_TRY(MakeDecoders());
    SHEAF_TRY(Parse());
    while (parser_->num_rows() == 0 && !finished_) {  // Types need a row to be inferred from.
      SHEAF_TRY(ReadBlock());
      SHEAF_TRY(Parse());
    }
    arrow::FieldVector fields;
    for (size_t n = 0; n < names_.size(); ++n) {
      SHEAF_ASSIGN(auto array, Decode(static_cast<int>(n)));
      fields.push_back(arrow::field(names_[n], array->type()));
      first_.push_back(std::move(array));
    }
    schema_ = arrow::schema(std::move(fields));
    return Done();
  }

  const Schema& schema() const override { return schema_; }
  double done() const override { return source_.done(); }

  Status Select(const std::vector<int>& columns, const Filter&) override {
    columns_ = columns;
    arrow::FieldVector fields;
    std::vector<std::shared_ptr<arrow::Array>> arrays;
    for (const int column : columns) {
      fields.push_back(schema_->field(column));
      arrays.push_back(std::move(first_[static_cast<size_t>(column)]));
    }
    selected_ = arrow::schema(std::move(fields));
    ready_ = arrow::RecordBatch::Make(selected_, parser_->num_rows(), std::move(arrays));
    first_.clear();
    return Done();
  }

  Result<Batch> Next() override {
    if (ready_ != nullptr) return std::exchange(ready_, nullptr);
    if (finished_) return Batch();
    SHEAF_TRY(ReadBlock());
    SHEAF_TRY(Parse());
    std::vector<std::shared_ptr<arrow::Array>> arrays;
    for (const int column : columns_) {
      SHEAF_ASSIGN(auto array, Decode(column));
      arrays.push_back(std::move(array));
    }
    return arrow::RecordBatch::Make(selected_, parser_->num_rows(), std::move(arrays));
  }

 private:
  arrow::MemoryPool* pool() const { return file_->context().pool.get(); }
  std::string_view text() const { return std::string_view(*block_).substr(begin_); }

  // Sets block_ to whole rows and rest_ to what follows them.
  Status ReadBlock() {
    if (block_ != nullptr) {
      line_ += std::count(text().begin(), text().end(), '\n');
      begin_ = 0;
    }
    while (true) {
      const std::shared_ptr<arrow::Buffer> before = std::move(rest_);
      const auto kept = before == nullptr ? std::string_view() : std::string_view(*before);
      auto filled = source_.Fill(kept);
      if (!filled.ok()) return std::move(filled).error();
      if (source_.ended()) {
        block_ = std::move(*filled);
        finished_ = true;
        return Done();
      }
      const arrow::Status status = chunker_->Process(*filled, &block_, &rest_);
      if (!status.ok()) return Wrong(status, -1);
      if (block_->size() > 0) return Done();
    }
  }

  Status ReadHeader() {
    if (text().find_first_not_of("\r\n") == std::string_view::npos) {
      return BadText(plan_.name, "line 1", "no rows, not even a header");
    }
    csv::BlockParser parser(pool(), parse_, -1, 0, 1);
    uint32_t size = 0;
    const arrow::Status status =
        finished_ ? parser.ParseFinal(text(), &size) : parser.Parse(text(), &size);
    if (!status.ok()) return Wrong(status, -1);
    if (parser.num_cols() > kColumnsMax) return TooMany("columns in a CSV file", kColumnsMax);
    bool sound = true;
    const arrow::Status visited =
        parser.VisitLastRow([&](const uint8_t* data, uint32_t length, bool, bool) -> arrow::Status {
          names_.emplace_back(reinterpret_cast<const char*>(data), length);
          sound = sound && arrow::util::ValidateUTF8(data, length);
          return arrow::Status::OK();
        });
    if (!visited.ok()) return Wrong(visited, -1);
    if (!plan_.options.header) {
      for (size_t n = 0; n < names_.size(); ++n) names_[n] = "f" + std::to_string(n);
      return Done();
    }
    if (!sound) return BadText(plan_.name, "line 1", "a column's name is not valid UTF-8");
    auto sorted = names_;
    std::sort(sorted.begin(), sorted.end());
    const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
    if (twice != sorted.end()) {
      return BadText(plan_.name, "line 1", "two columns '" + twice->substr(0, 100) + "'");
    }
    line_ += std::count(text().begin(), text().begin() + size, '\n');
    begin_ = size;
    return Done();
  }

  Status MakeDecoders() {
    std::vector<std::string_view> known(names_.begin(), names_.end());
    for (const auto& [column, type] : plan_.options.types) {
      if (std::find(known.begin(), known.end(), column) == known.end()) {
        return BadSpec("spec.options.types", core::UnknownWord("column", column, known));
      }
    }
    arrow::util::InitializeUTF8();
    for (size_t n = 0; n < names_.size(); ++n) {
      const auto index = static_cast<int32_t>(n);
      const auto type = KnownType(names_[n]);
      auto decoder = type != nullptr ? csv::ColumnDecoder::Make(pool(), type, index, convert_)
                                     : csv::ColumnDecoder::Make(pool(), index, convert_);
      if (!decoder.ok()) {
        return Fail(Kind::kUnsupported, "column '" + names_[n] + "' cannot be read from CSV as " +
                                            (type == nullptr ? "null" : type->ToString()));
      }
      decoders_.push_back(std::move(*decoder));
    }
    return Done();
  }

  std::shared_ptr<arrow::DataType> KnownType(const std::string& column) const {
    const auto said = plan_.options.types.find(column);
    if (said != plan_.options.types.end()) return said->second;
    const auto field = plan_.expected == nullptr ? nullptr : plan_.expected->GetFieldByName(column);
    return field == nullptr ? nullptr : field->type();
  }

  Status Parse() {
    const auto columns = static_cast<int32_t>(names_.size());
    parser_ = std::make_shared<csv::BlockParser>(pool(), parse_, columns, 0,
                                                 std::numeric_limits<int32_t>::max());
    uint32_t size = 0;
    const arrow::Status status =
        finished_ ? parser_->ParseFinal(text(), &size) : parser_->Parse(text(), &size);
    if (!status.ok()) return Wrong(status, -1);
    // Arrow takes the end of the file for the end of a quote; it may as well be half a file.
    const CsvWalk walk = finished_ ? WalkRows(text(), kEveryRow, parse_.delimiter) : CsvWalk();
    if (walk.quoted || size != text().size()) {
      return BadText(plan_.name, "line " + std::to_string(line_ + walk.lines),
                     "a quote without its end");
    }
    return Done();
  }

  Result<std::shared_ptr<arrow::Array>> Decode(int column) {
    auto& decoder = decoders_[static_cast<size_t>(column)];
    arrow::Result<std::shared_ptr<arrow::Array>> array = decoder->Decode(parser_).result();
    if (array.ok() && (*array)->type_id() == arrow::Type::BINARY &&
        KnownType(names_[static_cast<size_t>(column)]) == nullptr) {
      // Inferred: no UTF-8. Text as strings says where; who wants the bytes says so.
      auto strings = csv::ColumnDecoder::Make(pool(), arrow::utf8(), column, convert_);
      if (strings.ok()) array = (*strings)->Decode(parser_).result();
    }
    if (!array.ok()) return Wrong(array.status(), column);
    return *array;
  }

  Error Wrong(const arrow::Status& status, int column) const {
    if (Status reason = file_->context().Check(); !reason.ok()) return std::move(reason).error();
    if (status.IsOutOfMemory() || status.IsCapacityError()) {
      return ReadError(status, *file_, plan_.name, "");
    }
    const CsvComplaint complaint = ReadComplaint(status.message());
    const int64_t line = line_ + WalkRows(text(), complaint.row, parse_.delimiter).lines;
    std::string what = complaint.what;
    if (column >= 0) what = "column '" + names_[static_cast<size_t>(column)] + "': " + what;
    return BadText(plan_.name, "line " + std::to_string(line), what);
  }

  const std::shared_ptr<SourceFile> file_;  // Shared with the stream; holds the pool.
  const ReadPlan plan_;
  TextSource source_;
  csv::ParseOptions parse_;
  csv::ConvertOptions convert_;
  std::unique_ptr<arrow::Chunker> chunker_;
  std::vector<std::string> names_;
  std::vector<std::shared_ptr<csv::ColumnDecoder>> decoders_;  // Shared as Arrow makes them.
  Schema schema_, selected_;
  std::vector<int> columns_;
  std::vector<std::shared_ptr<arrow::Array>> first_;  // The first block, until Select.
  Batch ready_;
  std::shared_ptr<csv::BlockParser> parser_;
  std::shared_ptr<arrow::Buffer> block_, rest_;  // Shared: slices of what was read.
  size_t begin_ = 0;       // Of the rows in block_: after the header in the first.
  int64_t line_ = 1;       // Of text()'s first byte.
  bool finished_ = false;  // block_ is the last.
};

}  // namespace

Result<std::unique_ptr<Reader>> OpenCsv(const std::shared_ptr<SourceFile>& file,
                                        const ReadPlan& plan) {
  SHEAF_ASSIGN(auto source, TextSource::Open(file, plan.facts.packing, plan.name));
  auto reader = std::make_unique<CsvReader>(file, plan, std::move(source));
  SHEAF_TRY(reader->Open());
  return std::unique_ptr<Reader>(std::move(reader));
}

}  // namespace sheaf::files
