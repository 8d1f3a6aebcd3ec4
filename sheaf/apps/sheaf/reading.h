// Reads a stream to where its user wants it: query and get.
#pragma once

#include <string>

#include "sheaf/apps/sheaf/cli.h"
#include "sheaf/apps/sheaf/output.h"
#include "sheaf/apps/sheaf/session.h"

namespace sheaf::app {

struct ReadFlags {
  std::string format;              // --format
  std::string file;                // -o
  int64_t rows_max = 100;          // --rows
  bool quiet = false;              // --quiet
  bool as_python = false;          // --as-python
  bool json = false;               // --json
  Format chosen = Format::kTable;  // Set by CheckReading.
};
void AddReading(Command& command, ReadFlags& flags);
// kInvalid: flags that contradict each other or a format that is not known.
Status CheckReading(ReadFlags& flags);

// Gets, prints or writes, and says on standard error what was done.
Status ReadOut(Session& session, flights::GetRequest request, const ReadFlags& flags);

}  // namespace sheaf::app
