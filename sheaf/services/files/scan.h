// A run: the files of a spec, read by two threads, given to a writer.
#pragma once

#include <memory>
#include <vector>

#include "sheaf/base/async/async.h"
#include "sheaf/ports/module/module.h"
#include "sheaf/services/files/find.h"
#include "sheaf/services/files/probe.h"
#include "sheaf/services/files/reader.h"

namespace sheaf::files {

inline constexpr uint32_t kPartitionsMax = 1024;
// How much reading one file may allocate between two batches, unless the run allows less.
inline constexpr Bytes kGrowthMax = 1_GiB;

// What is known of a spec once its first file is open. A value; shared by the threads of a run.
struct Shape {
  Schema file;                       // Of the first file.
  Schema output;                     // The columns asked for, in that order.
  std::vector<std::string> columns;  // What is read: the output's, then those of the filter alone.
  Filter filter;
};

// kInvalid: an unknown column, a value that does not fit. `several` files: all may be null.
Result<Shape> MakeShape(const Spec& spec, const Schema& file, bool several);

// Indices of shape.columns in another file's schema. kFailed unless that file has the same
// columns with the same types (their order may differ).
Result<std::vector<int>> MatchColumns(const Shape& shape, const Schema& schema,
                                      const std::string& name, const std::string& first);

ReadPlan PlanOf(const Spec& spec, const FoundFile& file, const FoundFile& first, Schema expected);

// What a scan borrows for its life.
struct ScanEnvironment {
  const Clock& clock;
  Executor& helpers;  // The second thread comes from here; without one the caller reads alone.
  Probe& probe;
};

// Reads everything and gives it to `writer`: partition i is file i, or a run of files when there
// are more than kPartitionsMax. The first error ends it.
Status Scan(const Spec& spec, const Found& found, module::ResultWriter& writer,
            const module::RunContext& context, const ScanEnvironment& environment);

// Opens the first file and says what results would look like; `checked` more files must agree.
struct Outlook {
  Shape shape;
  int64_t rows = -1;
  int64_t bytes = -1;
  bool alike_elsewhere = true;  // Of the files that were looked at: Reader::AlikeElsewhere.
};
Result<Outlook> LookAhead(const Spec& spec, const Found& found, const ReadContext& context,
                          const std::shared_ptr<Account>& account, size_t checked);

}  // namespace sheaf::files
