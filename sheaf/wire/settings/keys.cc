#include "sheaf/wire/settings/keys.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <utility>

#include "sheaf/base/core/nearest.h"

// A field of Settings by its path.
#define SHEAF_FIELD(path) +[](Settings& s) -> decltype((s.path)) { return s.path; }

namespace sheaf::settings {
namespace {

constexpr int64_t kDayMs = 24LL * 3600 * 1000;
constexpr int64_t kDayS = 24LL * 3600;
constexpr int64_t kYearS = 365 * kDayS;

// Where the node is and who reaches it.
std::vector<Key> PlaceKeys() {
  return {
      {"node.name", SHEAF_FIELD(node.name), "", "The name of this node in logs and answers.",
       "the machine's host name"},
      {"state.dir", SHEAF_FIELD(state.dir), "./sheaf-state",
       "The directory of everything that outlives the process; one node each."},

      {"flight.listen", SHEAF_FIELD(flight.listen), "127.0.0.1:8815",
       "Where Flight is served, host:port; port 0 takes any free one."},
      {"flight.insecure", SHEAF_FIELD(flight.insecure), "false",
       "Allow Flight without TLS on an address that others can reach."},
      {"flight.receive_bytes_max", SHEAF_FIELD(flight.receive_bytes_max), "512MiB",
       "The largest message that is taken from a client.", "", 64 << 10, INT32_MAX},
      {"flight.streams_max", SHEAF_FIELD(flight.streams_max), "4096",
       "Calls at once on one connection.", "", 1, 1'000'000},
      {"flight.keepalive_ms", SHEAF_FIELD(flight.keepalive_ms), "2000",
       "A silent connection is asked for a sign of life after this time.", "", 100, kDayMs},
      {"flight.keepalive_timeout_ms", SHEAF_FIELD(flight.keepalive_timeout_ms), "2000",
       "No sign of life within this time ends the connection.", "", 100, kDayMs},
      {"flight.idle_read_s", SHEAF_FIELD(flight.idle_read_s), "300",
       "A client that uploads and sends nothing for so long is ended.", "", 1, kDayS},
      {"flight.idle_write_s", SHEAF_FIELD(flight.idle_write_s), "300",
       "A client that downloads and takes nothing for so long is ended.", "", 1, kDayS},

      {"http.enabled", SHEAF_FIELD(http.enabled), "true", "Serve health, metrics and the API."},
      {"http.listen", SHEAF_FIELD(http.listen), "127.0.0.1:8080",
       "Where HTTP is served, host:port; port 0 takes any free one."},
      {"http.insecure", SHEAF_FIELD(http.insecure), "false",
       "Allow HTTP without TLS on an address that others can reach."},

      {"files.roots", SHEAF_FIELD(files.roots), "",
       "Directories that the files service may read, looked up in this order."},
  };
}

// What it may use and how it works.
std::vector<Key> WorkKeys() {
  return {
      {"memory.budget", SHEAF_FIELD(memory.budget), "0",
       "All bytes of messages, tasks and cached flights together.", "half of the machine's memory"},
      {"memory.store_budget", SHEAF_FIELD(memory.store_budget), "0",
       "Of these, the bytes that flights in the memory tier may hold.", "half of memory.budget"},

      {"disk.budget", SHEAF_FIELD(disk.budget), "0",
       "Bytes that flights in the disk tier may hold; 0 = no limit."},

      {"store.default_tier",
       Choice{{"memory", "disk", "object"},
              [](Settings& s, size_t at) { s.store.default_tier = static_cast<Tier>(at); },
              [](const Settings& s) { return static_cast<size_t>(s.store.default_tier); }},
       "disk", "The tier of a flight when its writer names none."},
      {"store.spill", SHEAF_FIELD(store.spill), "true",
       "Results that outgrow memory while they are written move to disk."},
      {"store.replaced_ms", SHEAF_FIELD(store.replaced_ms), "60000",
       "How long tickets of a replaced generation stay good.", "", 0, kDayMs},
      {"store.claim_s", SHEAF_FIELD(store.claim_s), "30",
       "An unnamed result that nobody opens within this time is freed.", "", 1, kDayS},

      {"persistence.backend", SHEAF_FIELD(persistence.backend), "sqlite:sheaf.db",
       "Where history, checkpoint, services and resources are kept: sqlite:FILE, postgresql://…, "
       "file:DIR (relative ones in state.dir), memory: or none; postgresql:local is the server "
       "that `sheaf up` runs in state.dir."},
      {"persistence.password_file", SHEAF_FIELD(persistence.password_file), "database.pass",
       "Passwords for a postgresql:// without one, as libpq's passfile; relative in state.dir. "
       "`sheaf db create` writes it."},
      {"persistence.spool_bytes_max", SHEAF_FIELD(persistence.spool_bytes_max), "256MiB",
       "Bytes of writes that wait in state.dir while a PostgreSQL is away; 0 = they fail instead."},

      {"tasks.running_max", SHEAF_FIELD(tasks.running_max), "0", "Tasks that run at once.",
       "twice the cores", 0, 4096},
      {"tasks.queue_max", SHEAF_FIELD(tasks.queue_max), "256",
       "Tasks that wait, of each priority; above it BACKPRESSURE.", "", 1, 1'000'000},
      {"tasks.threads_max", SHEAF_FIELD(tasks.threads_max), "64",
       "Threads that run tasks and serve their streams.", "", 2, 4096},
      {"tasks.retain_s", SHEAF_FIELD(tasks.retain_s), "60",
       "How long an unnamed result stays after its end when its command does not say.", "", 1,
       kYearS},

      {"sql.memory", SHEAF_FIELD(sql.memory), "0", "Bytes of one SQL task before it spills.",
       "a quarter of memory.budget"},
      {"sql.threads", SHEAF_FIELD(sql.threads), "0", "Threads of one SQL task.", "the cores", 0,
       1024},
      {"sql.temp_bytes_max", SHEAF_FIELD(sql.temp_bytes_max), "16GiB",
       "Bytes that one SQL task may spill; 0 = no limit."},
      {"sql.rows_max", SHEAF_FIELD(sql.rows_max), "0",
       "Rows of one result, above it EXHAUSTED; 0 = no limit."},
  };
}

std::vector<Key> HouseKeys() {
  return {
      {"log.format",
       Choice{{"text", "json"},
              [](Settings& s, size_t at) { s.log.format = static_cast<LogFormat>(at); },
              [](const Settings& s) { return static_cast<size_t>(s.log.format); }},
       "text", "The form of log lines on standard error."},
      {"log.level",
       Choice{{"debug", "info", "warn", "error"},
              [](Settings& s, size_t at) { s.log.level = static_cast<observe::Level>(at); },
              [](const Settings& s) { return static_cast<size_t>(s.log.level); }},
       "info", "Lines below this level are not written."},

      {"stop.drain_s", SHEAF_FIELD(stop.drain_s), "10",
       "After SIGTERM running work has this time to finish.", "", 0, kDayS},

      {"up.postgres_programs", SHEAF_FIELD(up.postgres_programs), "",
       "For postgresql:local: the directory of initdb and postgres.",
       "the newest of /usr/lib/postgresql/*/bin, then PATH"},
      {"up.postgres_user", SHEAF_FIELD(up.postgres_user), "postgres",
       "For postgresql:local: who the server runs as when root calls `sheaf up`."},

      {"modules.enabled", SHEAF_FIELD(modules.enabled), "files,sql", "The services of this node."},
  };
}

std::vector<Key> MakeKeys() {
  std::vector<Key> all;
  for (auto& part : {PlaceKeys(), WorkKeys(), HouseKeys()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

std::string Quoted(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7F) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::vector<std::string> SplitAtCommas(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    std::string_view part = text.substr(0, comma);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    parts.emplace_back(part);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return parts;
}

// What is found in an error, short.
std::string Found(const Raw& raw) {
  const auto shown = [&] { return "'" + raw.text.substr(0, 80) + "'"; };
  switch (raw.form) {
    case Raw::Form::kBare: return shown();
    case Raw::Form::kString: return "the string " + shown();
    case Raw::Form::kInteger:
    case Raw::Form::kBoolean: return raw.text;
    case Raw::Form::kList: return "a list";
    case Raw::Form::kOther: return "a " + raw.text;
  }
  __builtin_unreachable();
}

// Puts a raw value into one field; a message when it does not fit.
class Assigner {
 public:
  using Message = std::optional<std::string>;
  Assigner(const Key& key, const Raw& raw, Settings& settings)
      : key_(key), raw_(raw), settings_(settings) {}

  Message operator()(std::string& (*field)(Settings&)) {
    if (!Is(Raw::Form::kString)) return Bad();
    field(settings_) = raw_.text;
    return {};
  }
  Message operator()(std::vector<std::string>& (*field)(Settings&)) {
    if (!Is(Raw::Form::kList)) return Bad();
    auto list = raw_.form == Raw::Form::kBare ? SplitAtCommas(raw_.text) : raw_.list;
    if (std::find(list.begin(), list.end(), "") != list.end()) {
      return "an entry of the list is empty";
    }
    field(settings_) = std::move(list);
    return {};
  }
  Message operator()(bool& (*field)(Settings&)) {
    if (!Is(Raw::Form::kBoolean) || (raw_.text != "true" && raw_.text != "false")) return Bad();
    field(settings_) = raw_.text == "true";
    return {};
  }
  Message operator()(int64_t& (*field)(Settings&)) {
    const auto number = Number();
    if (!number) return Bad();
    field(settings_) = *number;
    return {};
  }
  Message operator()(milliseconds& (*field)(Settings&)) {
    const auto number = Number();
    if (!number) return Bad();
    field(settings_) = milliseconds(*number);
    return {};
  }
  Message operator()(seconds& (*field)(Settings&)) {
    const auto number = Number();
    if (!number) return Bad();
    field(settings_) = seconds(*number);
    return {};
  }
  Message operator()(Bytes& (*field)(Settings&)) {
    if (!Is(Raw::Form::kString) && !Is(Raw::Form::kInteger)) return Bad();
    const auto bytes = core::ParseBytes(raw_.text);
    if (!bytes.ok() || bytes->count < key_.min || bytes->count > key_.max) return Bad();
    field(settings_) = *bytes;
    return {};
  }
  Message operator()(Listen& (*field)(Settings&)) {
    if (!Is(Raw::Form::kString)) return Bad();
    auto listen = ParseListen(raw_.text);
    if (!listen.ok()) return listen.error().message;
    field(settings_) = std::move(listen).value();
    return {};
  }
  Message operator()(const Choice& choice) {
    if (!Is(Raw::Form::kString)) return Bad();
    const auto at = std::find(choice.words.begin(), choice.words.end(), raw_.text);
    if (at == choice.words.end()) return core::UnknownWord("value", raw_.text, choice.words);
    choice.set(settings_, static_cast<size_t>(at - choice.words.begin()));
    return {};
  }

 private:
  bool Is(Raw::Form form) const { return raw_.form == form || raw_.form == Raw::Form::kBare; }
  std::optional<int64_t> Number() const {
    if (!Is(Raw::Form::kInteger)) return {};
    int64_t number = 0;
    const char* last = raw_.text.data() + raw_.text.size();
    const auto [end, error] = std::from_chars(raw_.text.data(), last, number);
    if (error != std::errc() || end != last || number < key_.min || number > key_.max) return {};
    return number;
  }
  Message Bad() const { return "expected " + TypeText(key_) + ", found " + Found(raw_); }

  const Key& key_;
  const Raw& raw_;
  Settings& settings_;
};

// As people write it when that is exact, else the number of bytes.
std::string Exact(Bytes bytes) {
  const std::string text = core::ToText(bytes);
  const auto again = core::ParseBytes(text);
  return again.ok() && *again == bytes ? text : std::to_string(bytes.count);
}

std::string PrintBytes(Bytes bytes) {
  const std::string text = Exact(bytes);
  return text.find_first_not_of("0123456789") == std::string::npos ? text : Quoted(text);
}

struct Printer {
  Settings& settings;
  std::string operator()(std::string& (*field)(Settings&)) {
    return Quoted(WithoutPasswords(field(settings)));
  }
  std::string operator()(std::vector<std::string>& (*field)(Settings&)) {
    return Print(Json(field(settings)));
  }
  std::string operator()(bool& (*field)(Settings&)) { return field(settings) ? "true" : "false"; }
  std::string operator()(int64_t& (*field)(Settings&)) { return std::to_string(field(settings)); }
  std::string operator()(Bytes& (*field)(Settings&)) { return PrintBytes(field(settings)); }
  std::string operator()(Listen& (*field)(Settings&)) { return Quoted(field(settings).Text()); }
  std::string operator()(milliseconds& (*field)(Settings&)) {
    return std::to_string(field(settings).count());
  }
  std::string operator()(seconds& (*field)(Settings&)) {
    return std::to_string(field(settings).count());
  }
  std::string operator()(const Choice& choice) {
    return Quoted(choice.words[choice.get(settings)]);
  }
};

}  // namespace

std::string Key::Environment() const {
  std::string text = "SHEAF_";
  for (const char c : name) {
    text += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<uint8_t>(c)));
  }
  return text;
}

const std::vector<Key>& Keys() {
  static const std::vector<Key> keys = MakeKeys();
  return keys;
}

const Key* FindKey(std::string_view name) {
  for (const Key& key : Keys()) {
    if (key.name == name) return &key;
  }
  return nullptr;
}

std::vector<std::string_view> Sections() {
  std::vector<std::string_view> sections;
  for (const Key& key : Keys()) {
    if (sections.empty() || sections.back() != key.section()) sections.push_back(key.section());
  }
  return sections;
}

std::optional<std::string> Assign(const Key& key, const Raw& raw, Settings& settings) {
  auto wrong = std::visit(Assigner(key, raw, settings), key.field);
  if (wrong && key.secrecy == Secrecy::kSecret) return "expected " + TypeText(key);
  if (wrong) wrong = WithoutPasswords(std::move(*wrong));
  return wrong;
}

std::string Print(const Key& key, const Settings& settings) {
  Settings copy = settings;  // Fields are reached through one that may change.
  return std::visit(Printer{copy}, key.field);
}

std::string ShowLine(const Key& key, const Settings& settings, const std::string& origin) {
  std::string text = "# " + std::string(key.help);
  if (!key.derived.empty()) text += " Default: " + std::string(key.derived) + ".";
  const std::string leaf(key.leaf());
  text += key.secrecy == Secrecy::kSecret ? "\n# " + leaf + " is set, not shown"
                                          : "\n" + leaf + " = " + Print(key, settings);
  return text + "  # " + origin + "\n";
}

Json AsJson(const Key& key, const Settings& settings) {
  struct Maker {
    Settings& settings;
    Json operator()(std::string& (*field)(Settings&)) { return field(settings); }
    Json operator()(std::vector<std::string>& (*field)(Settings&)) { return field(settings); }
    Json operator()(bool& (*field)(Settings&)) { return field(settings); }
    Json operator()(int64_t& (*field)(Settings&)) { return field(settings); }
    Json operator()(Bytes& (*field)(Settings&)) { return field(settings).count; }
    Json operator()(Listen& (*field)(Settings&)) { return field(settings).Text(); }
    Json operator()(milliseconds& (*field)(Settings&)) { return field(settings).count(); }
    Json operator()(seconds& (*field)(Settings&)) { return field(settings).count(); }
    Json operator()(const Choice& choice) { return choice.words[choice.get(settings)]; }
  };
  Settings copy = settings;
  return std::visit(Maker{copy}, key.field);
}

std::optional<Json> AsJson(const Raw& raw) {
  switch (raw.form) {
    case Raw::Form::kBare:
    case Raw::Form::kString: return raw.text;
    case Raw::Form::kInteger: return std::strtoll(raw.text.c_str(), nullptr, 10);
    case Raw::Form::kBoolean: return raw.text == "true";
    case Raw::Form::kList: return raw.list;
    case Raw::Form::kOther: return std::nullopt;
  }
  __builtin_unreachable();
}

std::string Print(const Json& value) {
  if (value.is_string()) return Quoted(WithoutPasswords(value.get<std::string>()));
  if (!value.is_array()) return command::Canonical(value);
  std::string text = "[";
  for (const Json& entry : value) text += (text.size() > 1 ? ", " : "") + Print(entry);
  return text + "]";
}

std::string TypeText(const Key& key) {
  struct Namer {
    const Key& key;
    std::string Range(const std::string& unit) const {
      const std::string from = "an integer" + unit + " from " + std::to_string(key.min);
      return key.max == INT64_MAX ? from + " up" : from + " to " + std::to_string(key.max);
    }
    std::string operator()(std::string& (*)(Settings&)) { return "a string"; }
    std::string operator()(std::vector<std::string>& (*)(Settings&)) { return "a list of strings"; }
    std::string operator()(bool& (*)(Settings&)) { return "true or false"; }
    std::string operator()(int64_t& (*)(Settings&)) { return Range(""); }
    std::string operator()(Bytes& (*)(Settings&)) {
      std::string text = "a size like \"256MiB\"";
      if (key.min > 0) text += ", at least " + Exact({key.min});
      if (key.max != INT64_MAX) text += ", at most " + Exact({key.max});
      return text;
    }
    std::string operator()(Listen& (*)(Settings&)) { return "host:port"; }
    std::string operator()(milliseconds& (*)(Settings&)) { return Range(" of milliseconds"); }
    std::string operator()(seconds& (*)(Settings&)) { return Range(" of seconds"); }
    std::string operator()(const Choice& choice) {
      std::string text;
      for (const auto word : choice.words) text += (text.empty() ? "" : " or ") + Quoted(word);
      return text;
    }
  };
  return std::visit(Namer{key}, key.field);
}

std::string WithoutPasswords(std::string text) {
  for (size_t at = text.find("://"); at != std::string::npos; at = text.find("://", at)) {
    at += 3;
    const size_t end = std::min(text.find('/', at), text.size());
    const size_t sign = text.rfind('@', end);
    const size_t colon = text.find(':', at);
    if (sign == std::string::npos || sign < at || colon > sign) continue;
    text.replace(colon + 1, sign - colon - 1, "***");
  }
  return text;
}

}  // namespace sheaf::settings
