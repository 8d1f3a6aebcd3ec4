// A whole node in this process: the one place where a name becomes a thing.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sheaf/base/core/core.h"
#include "sheaf/base/time/time.h"
#include "sheaf/ports/flights/flights.h"
#include "sheaf/wire/settings/settings.h"

namespace sheaf::app {

inline constexpr const char* kVersion = "0.1.0";

struct NodeOptions {
  settings::Config config;
  // kServe listens. kEmbedded does not: no port is opened, files of `roots` may be read beside
  // those of the settings, and only warnings are logged.
  enum class Mode : uint8_t { kServe, kEmbedded } mode = Mode::kServe;
  // kTemporary: an own directory that goes with the node, so that large results may spill.
  enum class State : uint8_t { kKept, kTemporary } state = State::kKept;
  std::vector<std::string> roots;
  // What becomes of the runs that the last process left; an embedded node leaves them alone.
  enum class Restart : uint8_t { kWarm, kCold } restart = Restart::kWarm;
};

// Owner: main. Threads: flights() from any; Stop once. Blocking: StartNode opens the state and
// binds ports; Stop waits up to its grace, then a little for what was cancelled.
class Node {
 public:
  virtual ~Node() = default;  // Stops at once when nobody has.
  virtual flights::Flights& flights() = 0;
  virtual std::string flight_uri() const = 0;  // Empty when embedded.
  virtual std::string http_uri() const = 0;    // Empty when there is none.
  // Refuses what is new, lets the rest finish within `grace`, cancels it then.
  virtual void Stop(Duration grace) = 0;
  // After Stop: a module's thread still runs, the process must end by std::_Exit.
  virtual bool left_behind() const = 0;
};

// What failed, so that main can choose its exit code.
enum class StartStage : uint8_t { kSettings, kState, kListen };
struct StartError {
  StartStage stage = StartStage::kSettings;
  Error error;
};
struct Started {
  std::unique_ptr<Node> node;  // Null when it failed.
  std::optional<StartError> failed;
};
Started StartNode(NodeOptions options);

}  // namespace sheaf::app
