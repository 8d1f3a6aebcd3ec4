// The node that `sheaf up` runs on a state directory: who it is, how it starts and ends.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sheaf/apps/sheaf/process.h"
#include "sheaf/drivers/files/files.h"
#include "sheaf/ports/persistence/administration.h"
#include "sheaf/wire/command/json.h"

namespace sheaf::app {

using command::Json;

// What changes who runs, or passwords, happens one at a time: kConflict names who is at it.
Result<std::unique_ptr<files::DirectoryLock>> LockRun(const std::string& state_dir);

struct RunningNode {
  ProcessId process;
  Json ready;      // The line it printed when it was ready.
  Duration drain;  // Its stop.drain_s.
};
// Absent: none that `sheaf up` started. Changes nothing.
std::optional<RunningNode> FindNode(const std::string& state_dir);

std::string LogOfNode(const std::string& state_dir);

// Starts `sheaf serve` with these flags and waits until it is ready. An error has the end of its
// log; an interrupted wait ends the node.
Result<RunningNode> StartServing(const std::string& state_dir,
                                 const std::vector<std::string>& flags, std::chrono::seconds drain,
                                 const persistence::Report& report);
// Lets it drain, at most its time for that and a little; kDeadline when it does not end.
Status StopServing(const RunningNode& node, const std::string& state_dir,
                   const persistence::Report& report);

}  // namespace sheaf::app
