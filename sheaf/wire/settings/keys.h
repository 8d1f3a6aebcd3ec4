// The one table of settings: parsing, limits, defaults, printing and help come from it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sheaf/wire/settings/settings.h"

namespace sheaf::settings {

// One of a few words; `get` and `set` speak of the word's place.
struct Choice {
  std::vector<std::string_view> words;
  void (*set)(Settings&, size_t);
  size_t (*get)(const Settings&);
};

// Where a value lives, by its type.
using Field = std::variant<std::string& (*)(Settings&), std::vector<std::string>& (*)(Settings&),
                           bool& (*)(Settings&), int64_t& (*)(Settings&), Bytes& (*)(Settings&),
                           Listen& (*)(Settings&), milliseconds& (*)(Settings&),
                           seconds& (*)(Settings&), Choice>;

enum class Secrecy : uint8_t { kOpen, kSecret };

struct Key {
  std::string_view name;  // "flight.listen"
  Field field;
  std::string_view fallback;  // The default as an environment variable would say it.
  std::string_view help;
  std::string_view derived = {};  // What the default is when `fallback` only stands for it.
  int64_t min = 0;                // Of numbers and bytes.
  int64_t max = INT64_MAX;
  Secrecy secrecy = Secrecy::kOpen;

  std::string_view section() const { return name.substr(0, name.find('.')); }
  std::string_view leaf() const { return name.substr(name.find('.') + 1); }
  std::string Environment() const;  // "SHEAF_FLIGHT_LISTEN"
};

// In the order in which they are shown, sections together.
const std::vector<Key>& Keys();
const Key* FindKey(std::string_view name);
std::vector<std::string_view> Sections();

// A value as it was said: in TOML with a type, elsewhere as bare text.
struct Raw {
  enum class Form : uint8_t { kBare, kString, kInteger, kBoolean, kList, kOther };
  Form form = Form::kBare;
  std::string text;               // Of kOther: the name of its TOML type.
  std::vector<std::string> list;  // Of kList.
};

// Puts the value into its field, or says what was expected and found.
std::optional<std::string> Assign(const Key& key, const Raw& raw, Settings& settings);
// The value as TOML.
std::string Print(const Key& key, const Settings& settings);
// Help, value and origin, as lines of TOML under the key's section.
std::string ShowLine(const Key& key, const Settings& settings, const std::string& origin);
Json AsJson(const Key& key, const Settings& settings);
// A value that no key describes: by its form in TOML, bare text as a string; nullopt when it is
// neither string, integer, boolean nor list of strings.
std::optional<Json> AsJson(const Raw& raw);
std::string Print(const Json& value);
// What a value must be, in words: "an integer from 1 to 100".
std::string TypeText(const Key& key);
// The text with the password inside each URI replaced.
std::string WithoutPasswords(std::string text);

}  // namespace sheaf::settings
