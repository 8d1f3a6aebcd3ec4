// Flights that the server itself makes, anew for each reader, under paths that nobody can write.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "sheaf/wire/columnar/columnar.h"
#include "sheaf/wire/command/command.h"

namespace sheaf::tasks {

struct OwnFlight {
  Path path;
  Schema schema;
};

// Owner: main; outlives the engine. Threads: any. Blocking: never.
class OwnFlights {
 public:
  virtual ~OwnFlights() = default;
  virtual std::vector<OwnFlight> All() const = 0;  // In path order; never changes.
  // The command that makes what is at the path; null when nothing of the server's own is there.
  virtual std::shared_ptr<const Command> At(const Path& path) const = 0;
  // Grows whenever what they show may have changed: two results with another one are not the same.
  virtual uint64_t generation() const = 0;
};

class NoOwnFlights final : public OwnFlights {
 public:
  std::vector<OwnFlight> All() const override { return {}; }
  std::shared_ptr<const Command> At(const Path&) const override { return nullptr; }
  uint64_t generation() const override { return 0; }
};

}  // namespace sheaf::tasks
