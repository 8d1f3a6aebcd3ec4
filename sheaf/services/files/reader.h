// Reading one file of one format, batch by batch, on the calling thread.
#pragma once

#include <arrow/type_fwd.h>

#include <exception>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "sheaf/base/core/core.h"
#include "sheaf/services/files/filter.h"
#include "sheaf/services/files/source_file.h"
#include "sheaf/services/files/spec.h"
#include "sheaf/wire/columnar/columnar.h"

namespace sheaf::files {

// What batches aim at; a format may give smaller ones, a file with large ones larger.
inline constexpr int64_t kBatchBytes = 2 << 20;

// How a file is to be read.
struct ReadPlan {
  std::string name;  // For errors.
  NameFacts facts;   // Its format and packing.
  TextOptions options;
  Schema expected;    // Of the first file, whose types CSV and JSON take over; may be null.
  std::string first;  // The first file's name, for errors.
};

// Owner: one run. Threads: one at a time; no threads of its own and none of Arrow's.
// Blocking: waits for the disk. Errors: kCorrupt (bytes that contradict themselves), kFailed
//   (not this format, text that does not fit), kExhausted, kUnsupported, the context's reason.
//   None of them names the file's contents.
class Reader {
 public:
  virtual ~Reader() = default;
  // Of the whole file: top-level names are unique and not empty of type, metadata is left out.
  virtual const Schema& schema() const = 0;
  virtual int64_t rows() const { return -1; }   // When the file's head or foot tells.
  virtual int64_t bytes() const { return -1; }  // Of the selected columns, about.
  // Once, before Next: the columns wanted (indices into schema(), in the order of the batches),
  // and the filter that will be applied, for leaving out what it rules out anyway.
  virtual Status Select(const std::vector<int>& columns, const Filter& filter) = 0;
  // After Select: whether every sound reader of the format makes the same of these columns, so that
  // a consumer may read the file itself.
  virtual bool AlikeElsewhere() const { return true; }
  // The next batch, or nullptr at the end.
  virtual Result<Batch> Next() = 0;
  virtual double done() const = 0;  // 0 to 1.
};

Result<std::unique_ptr<Reader>> OpenReader(const std::shared_ptr<SourceFile>& file,
                                           const ReadPlan& plan);

// One for each format; each lives in its own .cc.
Result<std::unique_ptr<Reader>> OpenParquet(const std::shared_ptr<SourceFile>& file,
                                            const ReadPlan& plan);
Result<std::unique_ptr<Reader>> OpenCsv(const std::shared_ptr<SourceFile>& file,
                                        const ReadPlan& plan);
Result<std::unique_ptr<Reader>> OpenJson(const std::shared_ptr<SourceFile>& file,
                                         const ReadPlan& plan);
Result<std::unique_ptr<Reader>> OpenIpc(const std::shared_ptr<SourceFile>& file,
                                        const ReadPlan& plan);
Result<std::unique_ptr<Reader>> OpenOrc(const std::shared_ptr<SourceFile>& file,
                                        const ReadPlan& plan);

// The file's schema as results show it: no metadata of the file or its columns, but that of
// extension types. kFailed for two columns of one name.
Result<Schema> CleanSchema(const arrow::Schema& schema, const std::string& file);

// An error of Arrow's while reading: the context's reason if there is one, kExhausted for memory,
// else damage at `where`.
Error ReadError(const arrow::Status& status, const SourceFile& file, const std::string& name,
                const std::string& where);

// What a foreign library throws (no memory, mostly), as an error: `call` returns Status or Result.
template <typename Call>
auto Unthrown(const Call& call) -> decltype(call()) {
  try {
    return call();
  } catch (const std::bad_alloc&) {
    return Fail(Kind::kExhausted, "no memory left to read files");
  } catch (const std::exception& error) {
    return Fail(Kind::kFailed, std::string("reading files failed: ") + error.what());
  }
}

}  // namespace sheaf::files
