// The JSON command of the Flight contract, section 2: parsed once here, believed inside.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>

#include "sheaf/base/core/core.h"
#include "sheaf/wire/command/json.h"
#include "sheaf/wire/command/path.h"

namespace sheaf::command {

inline constexpr size_t kTreeDepthMax = 16;
inline constexpr size_t kTreeCommandsMax = 256;
inline constexpr size_t kNameBytesMax = 255;  // Of a service's or an input's name.
inline constexpr int64_t kSecondsMax = 100LL * 365 * 24 * 3600;  // Of ttl_s, retain_s, deadline_ms.

enum class Tier : uint8_t { kMemory, kDisk, kObject };
enum class Reuse : uint8_t { kIfSame, kIfFresh, kIfExists, kNever, kOnly };
std::string_view TierName(Tier tier);
std::string_view ReuseName(Reuse reuse);

struct Sink {
  Path path;
  Reuse reuse = Reuse::kIfSame;
  Tier tier = Tier::kDisk;
  std::optional<int64_t> ttl_s;           // From the commit.
  std::optional<uint64_t> if_generation;  // 0 = must not exist.
  bool reuse_given = false;  // The caller wrote `reuse`: DoExchange has another default.
  bool tier_given = false;   // The caller wrote `tier`: a node may be set to another default.

  // The object under "sink" in a command or a DoPut descriptor.
  static Result<Sink> FromJson(const Json& value, std::string where);
  Json ToJson() const;
};

struct Options {
  int32_t priority = 5;                // 0 to 9, 9 first; outermost only.
  std::optional<int64_t> deadline_ms;  // Outermost only.
  bool share = true;
  int64_t retain_s = 60;      // 0 implies share = false, and no sink in the tree.
  bool retain_given = false;  // The caller wrote it: a node may be set to another default.
  std::optional<int64_t> memory_bytes;
};

// SHA-256 as 32 raw bytes in a string; hexadecimal where people see it.
struct Identity {
  std::string raw;
  std::string Hex() const { return core::ToHex(raw); }
  bool empty() const { return raw.empty(); }
  auto operator<=>(const Identity&) const = default;
};

struct Command;
struct Input {
  Path path;                               // Empty when it is a command.
  std::shared_ptr<const Command> command;  // Shared: trees are immutable and passed along.
};

struct Command {
  std::string service;
  Json spec = Json::object();
  std::map<std::string, Input> inputs;
  std::optional<Sink> sink;
  Options options;
  // Never sent: what the record of its flight keeps instead of the command itself, because it runs
  // for another that was sent earlier (RefreshFlight).
  std::string recorded;

  // The bytes of a descriptor or ticket that begin with '{'. kInvalid says where
  // ("inputs.orders.sink.ttl_s") and names unknown keys with the nearest known one. Checks
  // everything that needs no knowledge of services: types, limits, depth, `priority` and
  // `deadline_ms` only outermost, an input named `input`, retain_s 0 with a sink in its tree,
  // one sink path with two identities.
  static Result<std::shared_ptr<const Command>> Parse(std::string_view text);
  static Result<std::shared_ptr<const Command>> FromJson(const Json& value);
  Json ToJson() const;
};

// Generations to which path inputs are pinned, by path.
using Pins = std::map<Path, uint64_t>;
// Every path that the tree reads.
std::set<Path> InputPaths(const Command& command);
// Identity of the Flight contract: service, spec, inputs; a path input needs its pin (an absent
// one counts as generation 0). Sinks and options do not count.
Identity IdentityOf(const Command& command, const Pins& pins);

// What a descriptor's or ticket's JSON says.
struct TaskRef {
  TaskId task;
};
struct PathRef {  // Tickets only.
  Path path;
  std::optional<uint64_t> generation;
};
struct SinkRef {  // DoPut descriptors only.
  Sink sink;
};
using Request = std::variant<std::shared_ptr<const Command>, TaskRef, PathRef, SinkRef>;
// {"service": …} | {"task": …} | {"path": …, "generation"?} | {"sink": …}. Bytes that begin with
// anything but '{' are not for this function.
Result<Request> ParseRequest(std::string_view text);
Json ToJson(const Request& request);

}  // namespace sheaf::command

namespace sheaf {
using command::Command;
using command::Identity;
using command::Sink;
using command::Tier;
}  // namespace sheaf
