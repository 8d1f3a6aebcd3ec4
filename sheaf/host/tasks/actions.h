// The actions of the Flight contract, section 5, as a table from name to function.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sheaf/host/tasks/engine.h"
#include "sheaf/ports/cluster/cluster.h"
#include "sheaf/wire/command/json.h"

namespace sheaf::tasks {

// Owner: main, which may add actions of its own before the server listens. Threads: Do from any.
// Blocking: an action may wait for the disk (drop) or for a run (refresh).
class Actions final {
 public:
  using Answer = Result<std::vector<Json>>;
  using Function = std::function<Answer(const Json& body, const flights::Context& context)>;
  struct Entry {
    std::string description;
    Function call;
  };

  Actions(Engine& engine, cluster::Cluster& cluster);

  void Add(std::string name, std::string description, Function call);
  // kUnsupported naming the nearest action when there is none of this name.
  Answer Do(std::string_view name, const Json& body, const flights::Context& context) const;
  const std::map<std::string, Entry, std::less<>>& all() const { return actions_; }

 private:
  void AddTaskActions();
  void AddFlightActions();
  void AddPlaceActions();
  Answer Refresh(const Json& body, const flights::Context& context);
  Answer Locations(const Json& body, const flights::Context& context);

  Engine& engine_;             // Borrowed from main.
  cluster::Cluster& cluster_;  // Borrowed from main.
  std::map<std::string, Entry, std::less<>> actions_;
};

// Flight's shape (section 5) of a record.
Json FlightJson(const store::FlightRecord& record);

}  // namespace sheaf::tasks
