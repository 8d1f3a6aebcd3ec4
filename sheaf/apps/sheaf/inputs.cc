#include "sheaf/apps/sheaf/inputs.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "sheaf/apps/sheaf/paths.h"

namespace sheaf::app {
namespace {

constexpr std::array<std::string_view, 11> kSuffixes{".parquet", ".parq", ".pq",     ".csv",
                                                     ".tsv",     ".json", ".jsonl",  ".ndjson",
                                                     ".arrow",   ".ipc",  ".feather"};
constexpr std::array<std::string_view, 2> kMoreSuffixes{".arrows", ".orc"};
constexpr std::array<std::string_view, 3> kPackings{".gz", ".zst", ".bz2"};

std::string_view WithoutPacking(std::string_view name) {
  for (const auto packing : kPackings) {
    if (name.ends_with(packing)) return name.substr(0, name.size() - packing.size());
  }
  return name;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

bool IsIdentifier(std::string_view text) {
  const auto word = [](unsigned char c) { return std::isalnum(c) || c == '_' || c >= 0x80; };
  return !text.empty() && !std::isdigit(static_cast<unsigned char>(text[0])) &&
         std::all_of(text.begin(), text.end(), word);
}

bool LooksLikeFile(std::string_view value) {
  return value.starts_with("file:") || value.starts_with('/') || value.starts_with("./") ||
         value.starts_with("../") || value.find("://") != std::string_view::npos ||
         value.find_first_of("*?[") != std::string_view::npos || HasDataSuffix(value);
}

// "data/orders.parquet" -> "orders"; nothing when that is no name for a table.
std::optional<std::string> NameOf(std::string_view value) {
  value = value.substr(value.find_last_of("/:") + 1);
  const std::string_view stem = value.substr(0, value.find('.'));
  if (!IsIdentifier(stem)) return std::nullopt;
  return std::string(stem);
}

// What the service `files` is asked for: a relative "file:x" is looked up in the roots too.
std::string UriOf(std::string_view value) {
  if (value.starts_with("file:") && !value.starts_with("file:/")) value.remove_prefix(5);
  return std::string(value);
}

}  // namespace

bool HasDataSuffix(std::string_view name) {
  const std::string lower = Lower(name);
  const std::string_view bare = WithoutPacking(lower);
  const auto matches = [&](std::string_view suffix) { return bare.ends_with(suffix); };
  return std::any_of(kSuffixes.begin(), kSuffixes.end(), matches) ||
         std::any_of(kMoreSuffixes.begin(), kMoreSuffixes.end(), matches);
}

Result<NamedInput> ParseInput(std::string_view text, ReadFile read_file) {
  NamedInput input;
  std::string_view value = text;
  const size_t sign = text.find('=');
  if (sign != std::string_view::npos && IsIdentifier(text.substr(0, sign))) {
    input.name = text.substr(0, sign);
    value = text.substr(sign + 1);
  } else if (auto name = NameOf(text)) {
    input.name = std::move(*name);
  } else {
    return Fail(Kind::kInvalid, "input '" + std::string(text) +
                                    "' needs a name: --input name=" + std::string(text));
  }
  if (value.empty()) {
    return Fail(Kind::kInvalid, "input '" + input.name + "' is empty: a file, a path or @command");
  }
  if (value.starts_with('@')) {
    SHEAF_ASSIGN(const std::string json, read_file(std::string(value.substr(1))));
    auto parsed = command::ParseJson(json);
    if (!parsed.ok()) return std::move(parsed).error().In(value.substr(1));
    input.value = std::move(parsed).value();
    return input;
  }
  if (value.starts_with("path:") || !LooksLikeFile(value)) {
    if (value.starts_with("path:")) value.remove_prefix(5);
    auto path = ParsePath(value);
    if (!path.ok()) return std::move(path).error().In("input '" + input.name + "'");
    input.value = Json{{"path", path->ToJson()}};
    return input;
  }
  input.file = UriOf(value);
  input.value = Json{{"service", "files"}, {"spec", {{"uri", input.file}}}};
  return input;
}

}  // namespace sheaf::app
