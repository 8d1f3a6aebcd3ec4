// Parquet: row groups that statistics rule out are not read; the rest is decoded in batches.
#include <arrow/api.h>
#include <arrow/dataset/file_parquet.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/statistics.h>

#include <algorithm>
#include <exception>
#include <limits>
#include <new>
#include <utility>

#include "sheaf/services/files/errors.h"
#include "sheaf/services/files/parquet_footer.h"
#include "sheaf/services/files/reader.h"
#include "sheaf/wire/columnar/columnar.h"

namespace sheaf::files {
namespace {

constexpr int64_t kReadAheadBytes = 1 << 20;  // Of each column that is being read.
constexpr int64_t kBatchRowsMin = 1024;
constexpr int64_t kBatchRowsMax = 65'536;
constexpr int32_t kThriftStringMax = 16 << 20;
constexpr int32_t kThriftListMax = 1'000'000;

class ParquetReader final : public Reader {
 public:
  ParquetReader(std::shared_ptr<SourceFile> file, ReadPlan plan)
      : file_(std::move(file)), plan_(std::move(plan)) {}

  Status Open() {
    SHEAF_ASSIGN(const auto footer, ReadFooter(*file_, plan_.name));
    return Guarded("the footer", [&]() -> Status {
      parquet::ReaderProperties properties(file_->context().pool.get());
      properties.enable_buffered_stream();
      properties.set_buffer_size(kReadAheadBytes);
      properties.set_thrift_string_size_limit(kThriftStringMax);
      properties.set_thrift_container_size_limit(kThriftListMax);
      properties.set_page_checksum_verification(true);
      metadata_ = parquet::FileMetaData::Make(footer->data(), footer->size(), properties);
      auto opened = parquet::ParquetFileReader::Open(file_, properties, metadata_);
      parquet::ArrowReaderProperties arrow_properties(/*use_threads=*/false);
      arrow_properties.set_pre_buffer(false);
      arrow_properties.set_batch_size(kBatchRowsMax);
      auto made = parquet::arrow::FileReader::Make(file_->context().pool.get(), std::move(opened),
                                                   arrow_properties);
      if (!made.ok()) return ReadError(made.status(), *file_, plan_.name, "the footer");
      reader_ = std::move(*made);
      std::shared_ptr<arrow::Schema> schema;
      const arrow::Status status = reader_->GetSchema(&schema);
      if (!status.ok()) return ReadError(status, *file_, plan_.name, "the schema");
      SHEAF_ASSIGN(schema_, CleanSchema(*schema, plan_.name));
      return CheckCounts();
    });
  }

  const Schema& schema() const override { return schema_; }
  int64_t rows() const override { return metadata_->num_rows(); }
  int64_t bytes() const override { return selected_bytes_; }

  Status Select(const std::vector<int>& columns, const Filter& filter) override {
    return Guarded("the footer", [&]() -> Status {
      columns_ = columns;
      // Decoded in the file's order whatever the order asked for.
      std::vector<int> ordered = columns;
      std::sort(ordered.begin(), ordered.end());
      for (const int column : ordered) AddLeaves(reader_->manifest().schema_fields[Index(column)]);
      for (const int column : columns) {
        const auto at = std::lower_bound(ordered.begin(), ordered.end(), column);
        places_.push_back(static_cast<int>(at - ordered.begin()));
      }
      arrow::FieldVector fields;
      for (const int column : columns) fields.push_back(schema_->field(column));
      selected_ = arrow::schema(std::move(fields));
      for (int group = 0; group < metadata_->num_row_groups(); ++group) Consider(group, filter);
      return Done();
    });
  }

  // INT96 is a timestamp in nanoseconds, of which others keep microseconds.
  bool AlikeElsewhere() const override {
    return std::none_of(leaves_.begin(), leaves_.end(), [this](int leaf) {
      return metadata_->schema()->Column(leaf)->physical_type() == parquet::Type::INT96;
    });
  }

  Result<Batch> Next() override {
    Batch batch;
    const Status status = Guarded(Where(), [&]() -> Status { return ReadBatch(batch); });
    if (!status.ok()) return status.error();
    return batch;
  }

  double done() const override {
    if (groups_.empty()) return 1;
    return static_cast<double>(next_) / static_cast<double>(groups_.size());
  }

 private:
  static size_t Index(int n) { return static_cast<size_t>(n); }

  // Parquet throws; nothing that it throws leaves this room.
  template <typename Call>
  Status Guarded(const std::string& where, const Call& call) const {
    try {
      return call();
    } catch (const parquet::ParquetStatusException& error) {
      return ReadError(error.status(), *file_, plan_.name, where);
    } catch (const std::bad_alloc&) {
      return Fail(Kind::kExhausted, "'" + plan_.name + "': no memory to read " + where);
    } catch (const std::exception& error) {
      return ReadError(arrow::Status::IOError(error.what()), *file_, plan_.name, where);
    }
  }

  std::string Where() const {
    return next_ == 0 ? "its start" : "row group " + std::to_string(groups_[next_ - 1]);
  }

  // Numbers that the format cannot forbid but nobody could have written.
  Status CheckCounts() const {
    int64_t rows = 0;
    for (int group = 0; group < metadata_->num_row_groups(); ++group) {
      const auto row_group = metadata_->RowGroup(group);
      const int64_t here = row_group->num_rows();
      if (here < 0 || rows > std::numeric_limits<int64_t>::max() - here) {
        return Damaged(plan_.name, "row group " + std::to_string(group), "an impossible row count");
      }
      rows += here;
      for (int column = 0; column < row_group->num_columns(); ++column) {
        const auto chunk = row_group->ColumnChunk(column);
        const int64_t size = chunk->total_compressed_size();
        if (size < 0 || size > file_->size() || chunk->num_values() < 0) {
          return Damaged(
              plan_.name,
              "row group " + std::to_string(group) + ", column " + std::to_string(column),
              "a size that the file cannot hold");
        }
      }
    }
    if (rows != metadata_->num_rows()) {
      return Damaged(plan_.name, "the footer",
                     "the row groups have " + std::to_string(rows) + " rows, the file " +
                         std::to_string(metadata_->num_rows()));
    }
    return Done();
  }

  void AddLeaves(const parquet::arrow::SchemaField& field) {
    if (field.is_leaf()) leaves_.push_back(field.column_index);
    for (const auto& child : field.children) AddLeaves(child);
  }

  // Whether a row group has to be read.
  void Consider(int group, const Filter& filter) {
    const auto row_group = metadata_->RowGroup(group);
    if (row_group->num_rows() == 0) return;
    if (!filter.empty() && !MayHold(*row_group, filter)) {
      if (file_->context().probe != nullptr) file_->context().probe->groups_pruned.Increment();
      return;
    }
    groups_.push_back(group);
    selected_rows_ += row_group->num_rows();
    for (const int leaf : leaves_) {
      const int64_t bytes = row_group->ColumnChunk(leaf)->total_uncompressed_size();
      selected_bytes_ += std::clamp<int64_t>(bytes, 0, int64_t{1} << 40);
    }
  }

  bool MayHold(const parquet::RowGroupMetaData& row_group, const Filter& filter) const {
    arrow::compute::Expression guarantee = arrow::compute::literal(true);
    for (const std::string& name : filter.columns()) {
      if (!filter.MayPrune(name)) continue;
      const int index = schema_->GetFieldIndex(name);
      const auto& field = reader_->manifest().schema_fields[Index(index)];
      if (!field.is_leaf()) continue;
      const auto statistics = row_group.ColumnChunk(field.column_index)->statistics();
      if (statistics == nullptr) continue;
      const auto known = arrow::dataset::ParquetFileFragment::EvaluateStatisticsAsExpression(
          *schema_->field(index), *statistics);
      if (!known.has_value()) continue;
      guarantee = arrow::compute::and_(std::move(guarantee), filter.WithoutNulls(name, *known));
    }
    return filter.MayHold(guarantee);
  }

  int64_t BatchRows() const {
    int64_t row_bytes = selected_rows_ == 0 ? 0 : selected_bytes_ / selected_rows_;
    int64_t fixed = 0;  // Encoded pages may be far smaller than what they decode to.
    for (const auto& field : selected_->fields()) {
      fixed += field->type()->bit_width() > 0 ? field->type()->bit_width() / 8 : 8;
    }
    row_bytes = std::max<int64_t>({row_bytes, fixed, 1});
    return std::clamp(kBatchBytes / row_bytes, kBatchRowsMin, kBatchRowsMax);
  }

  Status ReadBatch(Batch& batch) {
    while (true) {
      if (batches_ == nullptr) {
        if (next_ == groups_.size()) return Done();
        if (next_ == 0) reader_->set_batch_size(BatchRows());
        const int group = groups_[next_++];
        auto opened = reader_->GetRecordBatchReader({group}, leaves_);
        if (!opened.ok()) return ReadError(opened.status(), *file_, plan_.name, Where());
        batches_ = std::move(*opened);
        group_rows_left_ = metadata_->RowGroup(group)->num_rows();
      }
      Batch read;
      const arrow::Status status = batches_->ReadNext(&read);
      if (!status.ok()) return ReadError(status, *file_, plan_.name, Where());
      if (read != nullptr) return Take(read, batch);
      if (group_rows_left_ != 0) {
        return Damaged(plan_.name, Where(),
                       std::to_string(group_rows_left_) + " rows are not there");
      }
      batches_.reset();
    }
  }

  Status Take(const Batch& read, Batch& batch) {
    group_rows_left_ -= read->num_rows();
    if (group_rows_left_ < 0) return Damaged(plan_.name, Where(), "more rows than the footer says");
    std::vector<std::shared_ptr<arrow::Array>> columns;
    for (size_t n = 0; n < places_.size(); ++n) {
      if (places_[n] >= read->num_columns()) {
        return Damaged(plan_.name, Where(), "a column is not there");
      }
      columns.push_back(read->column(places_[n]));
      if (!columns.back()->type()->Equals(*selected_->field(static_cast<int>(n))->type())) {
        return Damaged(plan_.name, Where(), "a column changes its type");
      }
    }
    batch = arrow::RecordBatch::Make(selected_, read->num_rows(), std::move(columns));
    return Done();
  }

  const std::shared_ptr<SourceFile> file_;  // Shared with Parquet's readers; first, dies last.
  const ReadPlan plan_;
  std::shared_ptr<parquet::FileMetaData> metadata_;
  std::unique_ptr<parquet::arrow::FileReader> reader_;
  Schema schema_;
  Schema selected_;
  std::vector<int> columns_, leaves_, groups_;
  std::vector<int> places_;  // Of each column of `selected_`, in the batches that Parquet gives.
  int64_t selected_rows_ = 0, selected_bytes_ = 0;
  size_t next_ = 0;  // Into groups_.
  int64_t group_rows_left_ = 0;
  std::unique_ptr<arrow::RecordBatchReader> batches_;  // Last: reads from `reader_`.
};

}  // namespace

Result<std::unique_ptr<Reader>> OpenParquet(const std::shared_ptr<SourceFile>& file,
                                            const ReadPlan& plan) {
  auto reader = std::make_unique<ParquetReader>(file, plan);
  SHEAF_TRY(reader->Open());
  return std::unique_ptr<Reader>(std::move(reader));
}

}  // namespace sheaf::files
