// Runs as an engine would tell of them.
#pragma once

#include <string>

#include "sheaf/host/tasks/watcher.h"

namespace sheaf::chronicle {

inline std::shared_ptr<const Command> CommandOf(const std::string& service,
                                                const std::string& sink = "") {
  Json json{{"service", service}};
  if (!sink.empty()) json["sink"] = {{"path", {"kept", sink}}};
  return Command::FromJson(json).value();
}

inline tasks::RunBegan Began(const std::string& id, const std::string& sink = "") {
  return {.id = {id},
          .command = CommandOf("sql", sink),
          .principal = "ann",
          .priority = 7,
          .at = WallTime{1'000'000}};
}

inline tasks::RunWanted Wanted(const std::string& id, const std::string& sink) {
  return {{id}, CommandOf("sql", sink), "ann"};
}

inline tasks::RunEnding Ending(const std::string& id,
                               tasks::RunState state = tasks::RunState::kCompleted) {
  return {.id = {id}, .state = state, .at = WallTime{3'500'000}, .rows = 20, .partitions = 4};
}

inline tasks::RunEnding Stopped(const std::string& id) {
  auto ending = Ending(id, tasks::RunState::kErrored);
  ending.error = Fail(Kind::kShuttingDown, "the server is stopping");
  return ending;
}

}  // namespace sheaf::chronicle
