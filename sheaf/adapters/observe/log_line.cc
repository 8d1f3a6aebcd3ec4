#include "sheaf/adapters/observe/log_line.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

namespace sheaf::observe {
namespace {

using Json = nlohmann::json;

constexpr size_t kLineBytes = 384;  // Most lines fit.

std::string_view LevelName(Level level) {
  switch (level) {
    case Level::kDebug: return "debug";
    case Level::kInfo: return "info";
    case Level::kWarn: return "warn";
    case Level::kError: return "error";
  }
  __builtin_unreachable();
}

std::string_view LevelText(Level level) {
  switch (level) {
    case Level::kDebug: return "DEBUG ";
    case Level::kInfo: return "INFO  ";
    case Level::kWarn: return "WARN  ";
    case Level::kError: return "ERROR ";
  }
  __builtin_unreachable();
}

// A JSON string of itself.
bool IsPlain(std::string_view text) {
  return text.size() <= kLogValueBytesMax && std::all_of(text.begin(), text.end(), [](char c) {
           return c >= ' ' && c < '\x7F' && c != '"' && c != '\\';
         });
}

// As a JSON string: control characters escaped, what is no UTF-8 replaced.
std::string Quoted(std::string_view text) {
  if (IsPlain(text)) return '"' + std::string(text) + '"';
  std::string cut(text.substr(0, kLogValueBytesMax));
  if (cut.size() < text.size()) {
    while (!cut.empty() && (cut.back() & 0xC0) == 0x80) cut.pop_back();  // A character in half.
    if (!cut.empty() && (cut.back() & 0x80) != 0) cut.pop_back();
    cut += "\xE2\x80\xA6";
  }
  return Json(std::move(cut)).dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

std::string Number(const Field& field) {
  if (const auto* integer = std::get_if<int64_t>(&field.value)) return std::to_string(*integer);
  const double real = std::get<double>(field.value);
  if (!std::isfinite(real)) return "null";
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), real).ptr;
  return {text.data(), end};
}

// Bare in the text format: nothing that could be read as another field, or as another line.
bool IsBare(std::string_view text) {
  return !text.empty() && text.size() <= kLogValueBytesMax &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return c > ' ' && c < '\x7F' && c != '"' && c != '=' && c != '\\';
         });
}

std::string TextLine(WallTime wall, Level level, std::string_view event,
                     std::initializer_list<Field> fields) {
  std::string line;
  line.reserve(kLineBytes);
  line += time::ToText(wall);
  line += ' ';
  line += LevelText(level);
  const std::string quoted = Quoted(event);
  line += quoted.substr(1, quoted.size() - 2);
  for (const auto& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    const auto* text = std::get_if<std::string_view>(&field.value);
    if (text != nullptr && IsBare(*text)) {
      line += *text;
    } else {
      line += text == nullptr ? Number(field) : Quoted(*text);
    }
  }
  return line;
}

std::string JsonLine(WallTime wall, Level level, std::string_view event,
                     std::initializer_list<Field> fields) {
  std::string line;
  line.reserve(kLineBytes);
  line += R"({"time":")";
  line += time::ToText(wall);
  line += R"(","level":")";
  line += LevelName(level);
  line += R"(","event":)";
  line += Quoted(event);
  for (const auto& field : fields) {
    // The three keys that every line has are ours.
    const bool taken = field.key == "time" || field.key == "level" || field.key == "event";
    line += ',';
    line += Quoted((taken ? "_" : "") + std::string(field.key));
    line += ':';
    const auto* text = std::get_if<std::string_view>(&field.value);
    line += text == nullptr ? Number(field) : Quoted(*text);
  }
  return line + '}';
}

}  // namespace

std::string LogLine(LogFormat format, WallTime wall, Level level, std::string_view event,
                    std::initializer_list<Field> fields) {
  return format == LogFormat::kJson ? JsonLine(wall, level, event, fields)
                                    : TextLine(wall, level, event, fields);
}

}  // namespace sheaf::observe
