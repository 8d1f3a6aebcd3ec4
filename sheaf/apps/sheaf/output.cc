#include "sheaf/apps/sheaf/output.h"

#include <arrow/io/file.h>
#include <arrow/io/interfaces.h>

#include <fcntl.h>
#include <sys/stat.h>
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

// The file that a name means in the end, itself perhaps not there yet. Links may be 40 deep, as
// for the system.
fs::path Behind(fs::path file) {
  std::error_code error;
  for (int links = 0; links < 40 && fs::is_symlink(file, error); ++links) {
    const fs::path next = fs::read_symlink(file, error);
    if (error) break;
    file = file.parent_path() / next;  // An absolute one replaces all of it.
  }
  return file;
}

// A new file for what shall replace `old`: with its mode, its owner too where that is allowed.
int MakePart(const std::string& part, const std::string& old) {
  struct stat facts {};
  const bool replaces = ::stat(old.c_str(), &facts) == 0;
  // Until it has the mode of the old one, nobody else can open it.
  const int made = ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                          replaces ? 0600 : 0666);
  if (made < 0 || !replaces) return made;
  [[maybe_unused]] const int given = ::fchown(made, facts.st_uid, facts.st_gid);
  if (::fchmod(made, facts.st_mode & 07777) == 0) return made;
  const int failed = errno;
  ::close(made);
  ::unlink(part.c_str());
  errno = failed;
  return -1;
}

// Where bytes go. A file is written beside the one that its name means, and renamed at the end.
class Target final {
 public:
  static Result<std::unique_ptr<Target>> Open(const std::string& file) {
    auto target = std::unique_ptr<Target>(new Target(file));
    if (IsStandard(file)) {
      target->stream_ = std::make_shared<StandardOutput>();
      return target;
    }
    std::error_code error;
    const auto status = fs::status(file, error);
    if (error == std::errc::too_many_symbolic_link_levels) {
      return Fail(Kind::kInvalid, "cannot write '" + file + "': " + error.message());
    }
    const bool device = fs::exists(status) && !fs::is_regular_file(status);
    target->whole_ = Behind(file).string();
    const std::string part = target->whole_ + ".part-" + std::to_string(::getpid());
    const int opened = device ? ::open(file.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC)
                              : MakePart(part, target->whole_);
    if (opened < 0) {
      return Fail(Kind::kInvalid, "cannot write '" + file +
                                      "': " + std::generic_category().message(errno));
    }
    SHEAF_ARROW_ASSIGN(target->stream_, Kind::kFailed, arrow::io::FileOutputStream::Open(opened));
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
    fs::rename(part_, whole_, error);
    if (error) return Fail(Kind::kFailed, "cannot write '" + file_ + "': " + error.message());
    part_.clear();
    return Done();
  }

 private:
  explicit Target(std::string file) : file_(std::move(file)) {}
  const std::string file_;
  std::string whole_;                                // What is replaced when all is written.
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
