// What standard output and error are connected to, and a line of progress on them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "sheaf/base/time/time.h"
#include "sheaf/wire/command/json.h"

namespace sheaf::app {

bool OutputIsTerminal();
bool ErrorIsTerminal();
// Columns of the terminal on standard output; 0 when it is none.
size_t TerminalWidth();

// One line on standard error that is written over, only when that is a terminal.
//
// Owner: the command. Threads: one at a time. Its destructor clears the line.
class ProgressLine final {
 public:
  explicit ProgressLine(Clock& clock);
  ~ProgressLine() { Clear(); }
  // {"task", "state", "progress"} of a waiting call.
  void Show(const Json& progress);
  void ShowRows(int64_t rows);  // At most five times a second.
  // "purging jobs 1,200 of 5,000", likewise; `total` 0: not known.
  void ShowDoing(std::string_view what, int64_t done, int64_t total);
  void Clear();

 private:
  void Write(const std::string& text);
  bool IsTime() const;  // Not too early, not too soon after the last.

  Clock& clock_;  // Borrowed from main.
  const Instant begun_;
  Instant shown_{};
  bool visible_ = false;
};

}  // namespace sheaf::app
