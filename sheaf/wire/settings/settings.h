// The door of wire/settings: what a node is told, typed, checked and printable.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sheaf/base/core/bytes.h"
#include "sheaf/base/core/result.h"
#include "sheaf/base/observe/log.h"
#include "sheaf/wire/command/command.h"
#include "sheaf/wire/settings/listen.h"

namespace sheaf::settings {

using std::chrono::milliseconds;
using std::chrono::seconds;

enum class LogFormat : uint8_t { kText, kJson };

// A value. Key "flight.listen" is `flight.listen` here; defaults, limits and help of every key are
// in one table, keys.cc. What a 0 stands for has been filled in when Config gives it out.
struct Settings {
  struct Node {
    std::string name;
  } node;
  struct State {
    std::string dir;
  } state;
  struct Flight {
    Listen listen;
    bool insecure = false;
    Bytes receive_bytes_max;
    int64_t streams_max = 0;
    milliseconds keepalive_ms{};
    milliseconds keepalive_timeout_ms{};
    seconds idle_read_s{};
    seconds idle_write_s{};
  } flight;
  struct Http {
    bool enabled = false;
    Listen listen;
    bool insecure = false;
  } http;
  struct Files {
    std::vector<std::string> roots;
  } files;
  struct Memory {
    Bytes budget;
    Bytes store_budget;
  } memory;
  struct Disk {
    Bytes budget;  // 0 = none.
  } disk;
  struct Store {
    Tier default_tier = Tier::kDisk;
    bool spill = false;
    milliseconds replaced_ms{};
    seconds claim_s{};
  } store;
  struct Tasks {
    int64_t running_max = 0;
    int64_t queue_max = 0;  // Of each priority.
    int64_t threads_max = 0;
    seconds retain_s{};
  } tasks;
  struct Persistence {
    std::string backend;
    std::string password_file;
    Bytes spool_bytes_max;  // 0 = no spool.
  } persistence;
  struct Sql {
    Bytes memory;
    int64_t threads = 0;
    Bytes temp_bytes_max;  // 0 = none.
    int64_t rows_max = 0;  // 0 = none.
  } sql;
  struct Logging {
    LogFormat format = LogFormat::kText;
    observe::Level level = observe::Level::kInfo;
  } log;
  struct Stop {
    seconds drain_s{};
  } stop;
  struct Up {
    std::string postgres_programs;
    std::string postgres_user;
  } up;
  struct Modules {
    std::vector<std::string> enabled;
  } modules;
};

// What the machine is: the caller asks it, the defaults are computed from it.
struct Machine {
  std::string hostname = "localhost";
  Bytes memory = 4_GiB;
  int64_t cores = 2;
};

// Everything that settings are made from. A later one wins: defaults, file, environment, flags.
struct Sources {
  struct File {
    std::string name;  // For messages.
    std::string text;  // TOML.
  };
  Machine machine;
  std::optional<File> file;
  // The process's environment; SHEAF_FLIGHT_LISTEN is flight.listen. Empty values count as unset.
  // Of other names only those that begin as a section does (SHEAF_FLIGHT_…) are refused.
  std::map<std::string, std::string> environment;
  std::vector<std::string> flags;  // "key=value" of each --set.
};

// Something wrong: where it was said ("node.toml:3:10", "SHEAF_LOG_LEVEL", "--set log.level"), the
// key if it is known, and what is expected.
struct Problem {
  std::string where;
  std::string key;
  std::string message;
  std::string Text() const;
};

// The settings of one start with the origin of each. A value.
//
// Read never fails: it takes what is right, keeps the default for the rest and notes every
// problem, so that a person sees all of them at once. A server starts only when Check is done.
class Config {
 public:
  static Config Read(const Sources& sources);

  const Settings& settings() const { return settings_; }
  const std::vector<Problem>& problems() const { return problems_; }
  // Done, or kInvalid with all problems, one a line.
  Status Check() const;
  // TOML that gives the same settings again: help, value and origin of every key. Secrets and
  // passwords inside URIs are left out.
  std::string Show() const;
  // The value of a key as JSON, for modules: sizes in bytes, times in the unit of their key. Also
  // what stands in the section of an enabled module that this table does not know ([upper] for
  // "upper"): strings, integers, booleans and lists of strings as they were said.
  std::optional<Json> Value(std::string_view key) const;
  // "default", "node.toml:3", "SHEAF_FLIGHT_LISTEN" or "--set"; empty for an unknown key.
  std::string Origin(std::string_view key) const;

 private:
  friend class Reader;
  Settings settings_;
  std::map<std::string, Json, std::less<>> foreign_;  // Of modules that the table does not know.
  std::map<std::string, std::string, std::less<>> origins_;
  std::vector<Problem> problems_;
};

// All keys as a table in Markdown, for the manual.
std::string Reference();

}  // namespace sheaf::settings

namespace sheaf {
using settings::Settings;
}  // namespace sheaf
