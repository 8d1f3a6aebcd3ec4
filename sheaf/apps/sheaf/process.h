// Processes that outlive the command that starts them.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sheaf/base/core/core.h"
#include "sheaf/base/time/time.h"

namespace sheaf::app {

// A process, told apart from a later one of the same number.
struct ProcessId {
  pid_t pid = -1;
  int64_t begun = 0;  // Ticks since the machine's start.
};
// Absent when there is none of this number, or it is dead and only not yet buried.
std::optional<ProcessId> FindProcess(pid_t pid);
bool IsAlive(const ProcessId& process);
// The words it was started with; empty when they cannot be read.
std::vector<std::string> WordsOf(const ProcessId& process);

struct StartOptions {
  std::vector<std::string> words;  // The first is the program's path.
  std::string log;                 // Its standard error is appended there, made with mode 0600.
  int output = -1;                 // Its standard output; -1: the log.
  std::string user;                // Who it runs as when this process is root; empty: root.
};
// Starts it in a session of its own: neither Ctrl-C nor the end of this process ends it.
Result<ProcessId> Start(const StartOptions& options);

// Waits until it ends or `wait` is over; true: it ended. An error of `report`, which is called
// several times a second, ends the wait.
Result<bool> AwaitEnd(const ProcessId& process, Duration wait,
                      const std::function<Status()>& report);
// Of a process that this one started and that ended: its exit code, 128 and more for a signal.
int ExitCodeOf(const ProcessId& process);
// Nothing when it is gone.
void Tell(const ProcessId& process, int signal);

// Who `user` is; this process's own unless it is root. kInvalid when nobody has the name.
struct UserId {
  uid_t user = 0;
  gid_t group = 0;
};
Result<UserId> FindUser(const std::string& user);

// The last lines of a log, for errors.
std::string TailOf(const std::string& file);

}  // namespace sheaf::app
