#include "sheaf/apps/sheaf/upload.h"

#include <arrow/csv/reader.h>
#include <arrow/io/compressed.h>
#include <arrow/io/file.h>
#include <arrow/ipc/reader.h>
#include <arrow/json/reader.h>
#include <arrow/type.h>
#include <arrow/util/compression.h>
#include <parquet/arrow/reader.h>

#include <optional>
#include <utility>

#include "sheaf/apps/sheaf/standard_input.h"
#include "sheaf/wire/columnar/columnar.h"

namespace sheaf::app {
namespace {

using ReaderPtr = std::shared_ptr<arrow::RecordBatchReader>;
using InputPtr = std::shared_ptr<arrow::io::InputStream>;

bool IsStandard(const std::string& file) { return file == "-"; }

struct Kinds {
  std::string format;
  arrow::Compression::type packing = arrow::Compression::UNCOMPRESSED;
};

Kinds KindsOf(std::string name, const std::string& format) {
  Kinds kinds{.format = format};
  const auto cut = [&](std::string_view suffix) {
    if (!name.ends_with(suffix)) return false;
    name.resize(name.size() - suffix.size());
    return true;
  };
  if (cut(".gz")) kinds.packing = arrow::Compression::GZIP;
  if (cut(".zst")) kinds.packing = arrow::Compression::ZSTD;
  if (cut(".bz2")) kinds.packing = arrow::Compression::BZ2;
  if (!format.empty()) return kinds;
  if (name.ends_with(".csv")) kinds.format = "csv";
  if (name.ends_with(".tsv")) kinds.format = "tsv";
  for (const char* suffix : {".json", ".jsonl", ".ndjson"}) {
    if (name.ends_with(suffix)) kinds.format = "json";
  }
  for (const char* suffix : {".parquet", ".parq", ".pq"}) {
    if (name.ends_with(suffix)) kinds.format = "parquet";
  }
  for (const char* suffix : {".arrow", ".arrows", ".ipc", ".feather"}) {
    if (name.ends_with(suffix)) kinds.format = "arrow";
  }
  return kinds;
}

arrow::Result<InputPtr> OpenStream(const std::string& file, arrow::Compression::type packing,
                                   const CancelToken& cancel) {
  InputPtr input;
  if (IsStandard(file)) {
    input = std::make_shared<StandardInput>(cancel);
  } else {
    ARROW_ASSIGN_OR_RAISE(input, arrow::io::ReadableFile::Open(file));
  }
  if (packing == arrow::Compression::UNCOMPRESSED) return input;
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::util::Codec> codec,
                        arrow::util::Codec::Create(packing));
  ARROW_ASSIGN_OR_RAISE(auto unpacked,
                        arrow::io::CompressedInputStream::Make(codec.get(), std::move(input)));
  return InputPtr(unpacked.get(), [unpacked, codec](arrow::io::InputStream*) {});
}

arrow::Result<ReaderPtr> OpenCsv(const std::string& file, const Kinds& kinds,
                                 const UploadOptions& options) {
  ARROW_ASSIGN_OR_RAISE(auto input, OpenStream(file, kinds.packing, options.cancel));
  auto read = arrow::csv::ReadOptions::Defaults();
  read.autogenerate_column_names = !options.header;
  auto parse = arrow::csv::ParseOptions::Defaults();
  parse.newlines_in_values = true;
  parse.delimiter = options.delimiter != '\0' ? options.delimiter
                    : kinds.format == "tsv"   ? '\t'
                                              : ',';
  auto convert = arrow::csv::ConvertOptions::Defaults();
  convert.strings_can_be_null = true;
  convert.quoted_strings_can_be_null = false;
  return arrow::csv::StreamingReader::Make(arrow::io::default_io_context(), std::move(input), read,
                                           parse, convert);
}

arrow::Result<ReaderPtr> OpenJson(const std::string& file, const Kinds& kinds,
                                  const CancelToken& cancel) {
  ARROW_ASSIGN_OR_RAISE(auto input, OpenStream(file, kinds.packing, cancel));
  return arrow::json::StreamingReader::Make(std::move(input), arrow::json::ReadOptions::Defaults(),
                                            arrow::json::ParseOptions::Defaults());
}

arrow::Result<ReaderPtr> OpenParquet(const std::string& file) {
  ARROW_ASSIGN_OR_RAISE(auto input, arrow::io::ReadableFile::Open(file));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<parquet::arrow::FileReader> reader,
                        parquet::arrow::OpenFile(std::move(input), arrow::default_memory_pool()));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatchReader> batches,
                        reader->GetRecordBatchReader());
  return ReaderPtr(batches.get(), [batches, reader](arrow::RecordBatchReader*) {});
}

// A file of Arrow's begins with its name; a stream does not.
arrow::Result<ReaderPtr> OpenArrow(const std::string& file, const CancelToken& cancel) {
  if (IsStandard(file)) {
    auto input = std::make_shared<StandardInput>(cancel);
    // Its first bytes, read as a stream, are a message of absurd length.
    ARROW_ASSIGN_OR_RAISE(const auto first, input->Peek(1));
    if (first == "A") {
      return arrow::Status::Invalid(
          "it is an Arrow file, which is read from its end; give the file by its name, or pipe "
          "an Arrow stream");
    }
    return arrow::ipc::RecordBatchStreamReader::Open(std::move(input));
  }
  ARROW_ASSIGN_OR_RAISE(auto input, arrow::io::ReadableFile::Open(file));
  ARROW_ASSIGN_OR_RAISE(const auto head, input->ReadAt(0, 6));
  if (head->ToString() != "ARROW1") {
    return arrow::ipc::RecordBatchStreamReader::Open(std::move(input));
  }
  ARROW_ASSIGN_OR_RAISE(auto batches, arrow::ipc::RecordBatchFileReader::Open(std::move(input)));
  return arrow::RecordBatchReader::MakeFromIterator(
      arrow::MakeFunctionIterator([batches, next = 0]() mutable -> arrow::Result<Batch> {
        if (next >= batches->num_record_batches()) return Batch();
        return batches->ReadRecordBatch(next++);
      }),
      batches->schema());
}

Result<ReaderPtr> OpenFile(const std::string& file, const UploadOptions& options) {
  const std::string shown = IsStandard(file) ? "standard input" : "'" + file + "'";
  const Kinds kinds = KindsOf(file, options.format);
  arrow::Result<ReaderPtr> reader = arrow::Status::Invalid("none");
  if (kinds.format == "csv" || kinds.format == "tsv") {
    reader = OpenCsv(file, kinds, options);
  } else if (kinds.format == "json" || kinds.format == "ndjson") {
    reader = OpenJson(file, kinds, options.cancel);
  } else if (kinds.format == "parquet" && IsStandard(file)) {
    return Fail(Kind::kInvalid, "Parquet is read from its end: it cannot come from standard input");
  } else if (kinds.format == "parquet") {
    reader = OpenParquet(file);
  } else if (kinds.format == "arrow") {
    reader = OpenArrow(file, options.cancel);
  } else {
    return Fail(Kind::kInvalid,
                shown + " does not say its format: add --format " + "csv|tsv|json|parquet|arrow");
  }
  SHEAF_TRY(options.cancel.Check());
  if (!reader.ok()) {
    return Fail(Kind::kInvalid, "cannot read " + shown + ": " + reader.status().message());
  }
  return *reader;
}

// Several files as one stream; errors name the file they come from.
class Joined final : public arrow::RecordBatchReader {
 public:
  Joined(std::vector<std::string> files, UploadOptions options, ReaderPtr first)
      : files_(std::move(files)),
        options_(std::move(options)),
        schema_(first->schema()),
        reader_(std::move(first)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  arrow::Status ReadNext(Batch* batch) override {
    while (true) {
      if (auto status = reader_->ReadNext(batch); !status.ok()) {
        if (auto open = options_.cancel.Check(); !open.ok()) return columnar::ToArrow(open.error());
        return columnar::ToArrow(Fail(Kind::kInvalid, files_[at_] + ": " + status.message()));
      }
      if (*batch != nullptr || at_ + 1 == files_.size()) return arrow::Status::OK();
      if (auto next = OpenNext(); !next.ok()) return columnar::ToArrow(next.error());
    }
  }

 private:
  Status OpenNext() {
    SHEAF_ASSIGN(reader_, OpenFile(files_[++at_], options_));
    if (reader_->schema()->Equals(*schema_, /*check_metadata=*/false)) return Done();
    return Fail(Kind::kInvalid, "'" + files_[at_] + "' has other columns than '" + files_[0] +
                                    "':\n" + reader_->schema()->ToString() + "\ninstead of\n" +
                                    schema_->ToString());
  }
  const std::vector<std::string> files_;
  const UploadOptions options_;
  const std::shared_ptr<arrow::Schema> schema_;
  ReaderPtr reader_;
  size_t at_ = 0;
};

}  // namespace

Result<ReaderPtr> OpenFiles(const std::vector<std::string>& files, const UploadOptions& options) {
  SHEAF_CHECK(!files.empty());
  SHEAF_ASSIGN(ReaderPtr first, OpenFile(files.front(), options));
  return std::make_shared<Joined>(files, options, std::move(first));
}

}  // namespace sheaf::app
