#include "sheaf/apps/sheaf/output.h"

#include <arrow/io/file.h>
#include <arrow/io/interfaces.h>

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "sheaf/apps/sheaf/row_sinks.h"
#include "sheaf/wire/columnar/columnar.h"

namespace sheaf::app {
namespace {

namespace fs = std::filesystem;

struct FormatName {
  std::string_view name;
  Format format;
};
constexpr std::array<FormatName, 7> kFormats{{{"table", Format::kTable},
                                              {"csv", Format::kCsv},
                                              {"json", Format::kJson},
                                              {"ndjson", Format::kNdjson},
                                              {"arrow", Format::kArrow},
                                              {"parquet", Format::kParquet},
                                              {"none", Format::kNone}}};
constexpr std::array<FormatName, 9> kSuffixes{{{".csv", Format::kCsv},
                                               {".json", Format::kJson},
                                               {".ndjson", Format::kNdjson},
                                               {".jsonl", Format::kNdjson},
                                               {".arrow", Format::kArrow},
                                               {".ipc", Format::kArrow},
                                               {".feather", Format::kArrow},
                                               {".parquet", Format::kParquet},
                                               {".txt", Format::kTable}}};

bool IsStandard(const std::string& file) { return file.empty() || file == "-"; }

// Standard output through stdio, in order with what is printed. Arrow's own loses errors.
class StandardOutput final : public arrow::io::OutputStream {
 public:
  arrow::Status Write(const void* data, int64_t size) override {
    const auto bytes = static_cast<size_t>(size);
    if (std::fwrite(data, 1, bytes, stdout) != bytes) return Refused();
    written_ += size;
    return arrow::Status::OK();
  }
  arrow::Status Flush() override {
    return std::fflush(stdout) == 0 ? arrow::Status::OK() : Refused();
  }
  arrow::Status Close() override { return Flush(); }
  bool closed() const override { return false; }
  arrow::Result<int64_t> Tell() const override { return written_; }

 private:
  static arrow::Status Refused() {
    return arrow::Status::IOError("cannot write to standard output: ",
                                  std::generic_category().message(errno));
  }
  int64_t written_ = 0;
};

// Where bytes go. A file is written beside its name and renamed at the end.
class Target final {
 public:
  static Result<std::unique_ptr<Target>> Open(const std::string& file) {
    auto target = std::unique_ptr<Target>(new Target(file));
    if (IsStandard(file)) {
      target->stream_ = std::make_shared<StandardOutput>();
      return target;
    }
    std::error_code ignored;
    const auto status = fs::status(file, ignored);
    const bool device = fs::exists(status) && !fs::is_regular_file(status);
    const std::string part = file + ".part-" + std::to_string(::getpid());
    auto opened = arrow::io::FileOutputStream::Open(device ? file : part);
    if (!opened.ok()) {
      return Fail(Kind::kInvalid, "cannot write '" + file + "': " + opened.status().message());
    }
    target->stream_ = *opened;
    if (!device) target->part_ = part;
    return target;
  }
  ~Target() {
    if (part_.empty()) return;
    static_cast<void>(stream_->Close());
    std::error_code ignored;
    fs::remove(part_, ignored);
  }
  std::shared_ptr<arrow::io::OutputStream> stream() const { return stream_; }
  Status Finish() {
    if (IsStandard(file_)) {
      SHEAF_ARROW_TRY(Kind::kFailed, stream_->Flush());
      return Done();
    }
    SHEAF_ARROW_TRY(Kind::kFailed, stream_->Close());
    if (part_.empty()) return Done();
    std::error_code error;
    fs::rename(part_, file_, error);
    if (error) return Fail(Kind::kFailed, "cannot write '" + file_ + "': " + error.message());
    part_.clear();
    return Done();
  }

 private:
  explicit Target(std::string file) : file_(std::move(file)) {}
  const std::string file_;
  std::string part_;                                 // Empty when bytes go where they stay.
  std::shared_ptr<arrow::io::OutputStream> stream_;  // Shared with Arrow's writers.
};

}  // namespace

Result<Format> ParseFormat(const std::string& name, const std::string& file) {
  for (const auto& known : kFormats) {
    if (name == known.name) return known.format;
  }
  if (!name.empty()) {
    std::vector<std::string_view> names;
    for (const auto& known : kFormats) names.push_back(known.name);
    return Fail(Kind::kInvalid, core::UnknownWord("format", name, names));
  }
  if (IsStandard(file)) return Format::kTable;
  for (const auto& known : kSuffixes) {
    if (file.ends_with(known.name)) return known.format;
  }
  return Fail(Kind::kInvalid, "the name '" + file + "' does not say which format: add --format " +
                                  std::string(kFormatNames));
}

Result<int64_t> WriteOutput(arrow::RecordBatchReader& reader, const OutputOptions& options,
                            const std::function<std::string(int64_t rows)>& footer) {
  const bool binary = options.format == Format::kArrow || options.format == Format::kParquet;
  if (binary && IsStandard(options.file) && ::isatty(STDOUT_FILENO) != 0) {
    return Fail(Kind::kInvalid, "this format is not for a terminal; write to a file with -o");
  }
  std::unique_ptr<Target> target;
  if (options.format != Format::kNone) {
    SHEAF_ASSIGN(target, Target::Open(options.file));
  }
  SHEAF_ASSIGN(auto sink, MakeRowSink(options, target == nullptr ? nullptr : target->stream(),
                                      IsStandard(options.file), reader.schema()));
  int64_t rows = 0;
  while (true) {
    Batch batch;
    if (auto status = reader.ReadNext(&batch); !status.ok()) return columnar::FromArrow(status);
    if (batch == nullptr) break;
    rows += batch->num_rows();
    SHEAF_ARROW_TRY(Kind::kFailed, sink->Write(*batch));
    if (options.on_rows) options.on_rows(rows);
  }
  SHEAF_ARROW_TRY(Kind::kFailed, sink->End(footer(rows)));
  if (target != nullptr) SHEAF_TRY(target->Finish());
  return rows;
}

}  // namespace sheaf::app
