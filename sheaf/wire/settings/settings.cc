#include "sheaf/wire/settings/settings.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "sheaf/base/core/check.h"
#include "sheaf/base/core/nearest.h"
#include "sheaf/wire/settings/keys.h"
#include "sheaf/wire/settings/toml_source.h"

namespace sheaf::settings {
namespace {

std::string Place(const std::string& file, Spot at) {
  return file + ":" + std::to_string(at.line) + ":" + std::to_string(at.column);
}

// "unknown key 'x.y'; did you mean …": among the keys of its section when that is known.
std::string UnknownKey(std::string_view name) {
  std::vector<std::string_view> same, all;
  for (const Key& key : Keys()) {
    all.push_back(key.name);
    if (key.section() == name.substr(0, name.find('.'))) same.push_back(key.name);
  }
  if (!same.empty() && core::Nearest(name, all).empty()) {
    return core::UnknownWord("key", name, same);
  }
  const std::string nearest = core::Nearest(name, all);
  if (nearest.empty()) return core::UnknownWord("key", name, {});
  return core::UnknownWord("key", name, std::array<std::string_view, 1>{nearest});
}

std::string SectionOf(std::string_view key) { return std::string(key.substr(0, key.find('.'))); }

bool IsSection(std::string_view name) {
  const auto sections = Sections();
  return std::find(sections.begin(), sections.end(), name) != sections.end();
}

// What modules outside this source call a secret, it cannot be told otherwise.
bool SoundsSecret(std::string_view key) {
  for (const std::string_view word : {"password", "secret", "token", "credential"}) {
    if (key.find(word) != key.npos) return true;
  }
  return false;
}

// A name as a key of TOML.
std::string BareKey(const std::string& name) {
  constexpr std::string_view kBare =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  const bool bare = !name.empty() && name.find_first_not_of(kBare) == std::string::npos;
  return bare ? name : Print(Json(name));
}

// What 0 and empty stand for.
void Derive(const Machine& machine, Settings& settings) {
  if (settings.node.name.empty()) settings.node.name = machine.hostname;
  auto& memory = settings.memory;
  if (memory.budget.count == 0) memory.budget = {machine.memory.count / 2};
  if (memory.store_budget.count == 0) memory.store_budget = {memory.budget.count / 2};
  if (settings.tasks.running_max == 0) settings.tasks.running_max = 2 * machine.cores;
  if (settings.sql.memory.count == 0) settings.sql.memory = {memory.budget.count / 4};
  if (settings.sql.threads == 0) settings.sql.threads = machine.cores;
}

}  // namespace

// Fills a Config from its sources, in the order of precedence.
class Reader {
 public:
  explicit Reader(Config& config) : config_(config) {}

  void ReadDefaults() {
    for (const Key& key : Keys()) {
      const auto wrong =
          Assign(key, {Raw::Form::kBare, std::string(key.fallback), {}}, config_.settings_);
      SHEAF_CHECK(!wrong.has_value());  // The table contradicts itself.
      config_.origins_[std::string(key.name)] = "default";
    }
  }

  void ReadFile(const Sources::File& source) {
    const TomlFile file = ReadToml(source.text);
    if (!file.broken.empty()) {
      return Note(Place(source.name, file.broken_at), "", file.broken);
    }
    for (const TomlEntry& entry : file.entries) {
      const std::string where = Place(source.name, entry.key_at);
      const std::string section = SectionOf(entry.key);
      if (entry.section) {
        if (!IsSection(section)) foreign_sections_.push_back({section, where});
      } else if (section == entry.key && IsSection(section)) {
        Note(where, "", "'" + section + "' is a section: write [" + section + "]");
      } else {
        const bool known = FindKey(entry.key) != nullptr;
        Put(entry.key, entry.raw, known ? Place(source.name, entry.value_at) : where,
            source.name + ":" + std::to_string(entry.key_at.line));
      }
    }
  }

  void ReadEnvironment(const std::map<std::string, std::string>& environment) {
    std::map<std::string, const Key*> names;
    std::vector<std::string_view> words;
    for (const Key& key : Keys()) names[key.Environment()] = &key;
    for (const auto& [name, key] : names) words.push_back(name);
    for (const auto& [name, value] : environment) {
      if (value.empty() || !name.starts_with("SHEAF_")) continue;
      if (const auto at = names.find(name); at != names.end()) {
        Put(at->second->name, {Raw::Form::kBare, value, {}}, name, name);
        continue;
      }
      const bool ours = std::any_of(names.begin(), names.end(), [&](const auto& entry) {
        const size_t section = sizeof "SHEAF_" + entry.second->section().size();
        return name.starts_with(entry.first.substr(0, section));
      });
      if (!ours) continue;
      const std::string nearest = core::Nearest(name, words);
      Note(
          name, "",
          nearest.empty() ? "no such setting" : "no such setting; did you mean '" + nearest + "'?");
    }
  }

  void ReadFlags(const std::vector<std::string>& flags) {
    for (const std::string& flag : flags) {
      const size_t sign = flag.find('=');
      if (sign == std::string::npos || sign == 0) {
        Note("--set " + flag.substr(0, 80), "", "expected key=value");
        continue;
      }
      const std::string name = flag.substr(0, sign);
      Put(name, {Raw::Form::kBare, flag.substr(sign + 1), {}}, "--set " + name.substr(0, 80),
          "--set");
    }
  }

  // Sections and keys that the table does not know are those of enabled modules, or mistakes. Runs
  // when it is known what is enabled.
  void SettleForeign() {
    const auto& enabled = config_.settings_.modules.enabled;
    const auto is_module = [&](const std::string& section) {
      return std::find(enabled.begin(), enabled.end(), section) != enabled.end();
    };
    std::set<std::string> named;
    for (const auto& [section, where] : foreign_sections_) {
      if (is_module(section)) continue;
      named.insert(section);
      Note(where, "",
           core::UnknownWord("section", section, Sections()) +
               " (of other modules only those in modules.enabled)");
    }
    for (const Foreign& entry : foreign_) {
      const std::string section = SectionOf(entry.key);
      if (named.contains(section)) continue;
      auto value = AsJson(entry.raw);
      if (section == entry.key || !is_module(section)) {
        Note(entry.where, "", UnknownKey(entry.key));
      } else if (!value) {
        Note(entry.where, entry.key,
             "expected a string, an integer, true or false, or a list of strings, found a " +
                 entry.raw.text);
      } else {
        config_.foreign_[entry.key] = std::move(*value);
        config_.origins_[entry.key] = entry.origin;
      }
    }
  }

  // What no single key can see. Runs after all values are there.
  void CheckTogether() {
    const Settings& s = config_.settings_;
    CheckListen("flight", s.flight.listen, s.flight.insecure);
    if (s.http.enabled) {
      CheckListen("http", s.http.listen, s.http.insecure);
      if (s.http.listen == s.flight.listen && s.http.listen.port != 0) {
        Contradict("http.listen", "is flight.listen too; each needs a port of its own");
      }
    }
    CheckBackend(s.persistence.backend);
    if (s.state.dir.empty()) Contradict("state.dir", "expected a directory");
    if (s.memory.store_budget > s.memory.budget) {
      Contradict("memory.store_budget",
                 "is above memory.budget (" + core::ToText(s.memory.budget) + ")");
    }
    const auto& modules = s.modules.enabled;
    if (std::set<std::string>(modules.begin(), modules.end()).size() != modules.size()) {
      Contradict("modules.enabled", "names a module twice");
    }
  }

 private:
  void Put(std::string_view name, const Raw& raw, const std::string& where,
           const std::string& origin) {
    const Key* key = FindKey(name);
    if (key == nullptr && !IsSection(SectionOf(name))) {
      foreign_.push_back({std::string(name), raw, where, origin});
      return;
    }
    if (key == nullptr) return Note(where, "", UnknownKey(name));
    if (const auto wrong = Assign(*key, raw, config_.settings_)) {
      return Note(where, std::string(name), *wrong);
    }
    config_.origins_[std::string(name)] = origin;
  }

  void CheckListen(const std::string& section, const Listen& listen, bool insecure) {
    if (listen.IsLoopback() || insecure) return;
    Contradict(section + ".listen",
               "'" + listen.Text() + "' can be reached from other machines, and there is no TLS " +
                   "yet: listen on 127.0.0.1, or set " + section + ".insecure = true where " +
                   "everybody on the network may do everything");
  }

  void CheckBackend(const std::string& backend) {
    if (backend == "none" || backend == "memory:" || backend == "postgresql:local" ||
        backend.starts_with("postgresql://")) {
      return;
    }
    for (const std::string_view form : {"sqlite:", "file:"}) {
      if (backend.starts_with(form) && backend.size() > form.size()) return;
    }
    Contradict("persistence.backend",
               "expected sqlite:FILE, postgresql://…, file:DIR, memory: or none, not '" +
                   WithoutPasswords(backend.substr(0, 80)) + "'");
  }

  void Contradict(const std::string& key, std::string message) {
    Note(config_.origins_.find(key)->second, key, std::move(message));
  }
  void Note(std::string where, std::string key, std::string message) {
    config_.problems_.push_back({std::move(where), std::move(key), std::move(message)});
  }

  struct Foreign {
    std::string key;
    Raw raw;
    std::string where, origin;
  };
  struct ForeignSection {
    std::string name, where;
  };

  Config& config_;
  std::vector<Foreign> foreign_;
  std::vector<ForeignSection> foreign_sections_;
};

std::string Problem::Text() const {
  return where + ": " + (key.empty() ? "" : key + ": ") + message;
}

Config Config::Read(const Sources& sources) {
  Config config;
  Reader reader(config);
  reader.ReadDefaults();
  if (sources.file) reader.ReadFile(*sources.file);
  reader.ReadEnvironment(sources.environment);
  reader.ReadFlags(sources.flags);
  reader.SettleForeign();
  Derive(sources.machine, config.settings_);
  reader.CheckTogether();
  return config;
}

Status Config::Check() const {
  if (problems_.empty()) return Done();
  std::string text;
  for (const Problem& problem : problems_) {
    if (!text.empty()) text += '\n';
    text += problem.Text();
  }
  return Fail(Kind::kInvalid, text);
}

std::string Config::Show() const {
  std::string text;
  std::string_view section;
  for (const Key& key : Keys()) {
    if (key.section() != section) {
      section = key.section();
      text += (text.empty() ? "[" : "\n[") + std::string(section) + "]\n";
    }
    text += ShowLine(key, settings_, Origin(key.name));
  }
  std::string foreign;
  for (const auto& [key, value] : foreign_) {
    if (SectionOf(key) != foreign) {
      foreign = SectionOf(key);
      text += "\n[" + BareKey(foreign) + "]\n";
    }
    const std::string leaf = BareKey(key.substr(foreign.size() + 1));
    text += SoundsSecret(leaf) ? "# " + leaf + " is set, not shown" : leaf + " = " + Print(value);
    text += "  # " + Origin(key) + "\n";
  }
  return text;
}

std::optional<Json> Config::Value(std::string_view name) const {
  if (const Key* key = FindKey(name)) return AsJson(*key, settings_);
  const auto at = foreign_.find(name);
  if (at == foreign_.end()) return std::nullopt;
  return at->second;
}

std::string Config::Origin(std::string_view key) const {
  const auto at = origins_.find(key);
  return at == origins_.end() ? "" : at->second;
}

std::string Reference() {
  std::string text = "| key | value | default | |\n|---|---|---|---|\n";
  for (const Key& key : Keys()) {
    const std::string fallback =
        key.derived.empty() ? "`" + std::string(key.fallback) + "`" : std::string(key.derived);
    text += "| `" + std::string(key.name) + "` | " + TypeText(key) + " | " +
            (fallback == "``" ? "none" : fallback) + " | " + std::string(key.help) + " |\n";
  }
  return text;
}

}  // namespace sheaf::settings
