// How a command ends: its exit code, and the words for an error.
#pragma once

#include <string>

#include "sheaf/base/core/core.h"

namespace sheaf::app {

enum Exit : int {
  kExitOk = 0,
  kExitRefused = 1,     // The server said no.
  kExitUsage = 2,       // Wrong flags or configuration.
  kExitState = 3,       // The state directory is in use or damaged.
  kExitConnection = 4,  // Cannot connect, cannot listen.
  kExitSignal = 128     // Plus its number: 130 by Ctrl-C, 143 by SIGTERM.
};
// The table above, for `sheaf --help`.
std::string ExitCodesHelp();

// "NOT_FOUND: no flight at 'a/b'" and, on the next line, what to do about it when that is known.
std::string ErrorText(const Error& error);
int ExitOf(const Error& error);

// Prints the error to standard error; returns ExitOf, or kExitUsage.
int Report(const Error& error);
int ReportUsage(const Error& error);
// Report for work that asks no server: without what to do about a server's answers.
int ReportHere(const Error& error);

// The last act of a command that ends with `code`: what was printed is written. When it cannot
// be, that is reported, and a good end is one no more.
int FlushOutput(int code);

}  // namespace sheaf::app
