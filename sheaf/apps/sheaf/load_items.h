// What upstream's files say, as what history and the registry keep; see docs/formats/load.md.
//
// Pure; threads: any. Errors: kInvalid and kExhausted, which name the file and the line.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sheaf/ports/persistence/persistence.h"

namespace sheaf::app {

// An item that can be loaded, and what of it could not be kept.
struct LoadItem {
  persistence::Loadable what;
  std::string note;  // "without a, b"; empty: all of it is kept.
};

// What becomes of a registration's keys that have no column.
enum class UnknownKeys : uint8_t { kReject, kDrop };

// One file of a source: its path below the source, and its text.
struct LoadText {
  std::string name;
  std::string_view text;
};

// Both halves of a service: NAME.svc and NAME.meta.
Result<LoadItem> RegistrationOf(const LoadText& submitted, const LoadText& state,
                                UnknownKeys unknown);
// A job's properties: NAME.job.
Result<LoadItem> JobOf(const LoadText& file);

// The first line of a workload table, without its end.
extern const std::string_view kWorkloadHeader;
// One line of it, a finished job. `name`: of the file.
Result<LoadItem> JobOfLine(const std::string& name, size_t line, std::string_view text);

// An id for what has none of its own, below zero: -2^53 to -1, where no other ids are, and exact in
// every JSON reader. The same words give the same id.
int64_t DerivedId(std::string_view kind, std::string_view name);

}  // namespace sheaf::app
