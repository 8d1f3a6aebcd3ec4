#include "sheaf/apps/sheaf/history_words.h"

#include <array>
#include <charconv>
#include <chrono>
#include <ctime>

#include "sheaf/apps/sheaf/text.h"
#include "sheaf/base/time/time.h"

namespace sheaf::app {
namespace {

bool ToNumber(std::string_view text, int64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

int64_t NowMs() { return time::SystemClock().Wall().micros / 1000; }

}  // namespace

Result<int64_t> ParseTime(std::string_view text) {
  int64_t number = 0;
  if (ToNumber(text, number)) return number;
  const std::string whole(text);
  for (const char* form : {"%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S",
                           "%Y-%m-%dT%H:%MZ", "%Y-%m-%d %H:%M", "%Y-%m-%d"}) {
    std::tm parts{};
    const char* end = ::strptime(whole.c_str(), form, &parts);
    if (end != nullptr && *end == '\0') return int64_t{::timegm(&parts)} * 1000;
  }
  if (const auto ago = ParseDuration(text); ago.ok()) {
    return NowMs() - std::chrono::duration_cast<std::chrono::milliseconds>(*ago).count();
  }
  return Fail(Kind::kInvalid, "'" + whole.substr(0, 80) +
                                  "' is no time: 2026-11-23T06:10:00Z, 2026-11-23, milliseconds "
                                  "since 1970, or 90m, 2h, 7d ago");
}

std::string CursorText(const persistence::Cursor& cursor) {
  return std::to_string(cursor.time) + ":" + std::to_string(cursor.id) + ":" +
         std::to_string(cursor.share);
}

Result<persistence::Cursor> ParseCursor(std::string_view text) {
  std::array<int64_t, 3> parts{};
  std::string_view rest = text;
  for (size_t i = 0; i < parts.size(); ++i) {
    const size_t colon = i + 1 < parts.size() ? rest.find(':') : rest.size();
    if (colon == std::string_view::npos || !ToNumber(rest.substr(0, colon), parts[i])) {
      return Fail(Kind::kInvalid, "'" + std::string(text.substr(0, 80)) +
                                      "' is no end of a page; give what a page called `next`");
    }
    rest.remove_prefix(std::min(colon + 1, rest.size()));
  }
  return persistence::Cursor{parts[0], parts[1], parts[2]};
}

Json Opened(Json document) {
  for (const char* inner : {"specification", "detail"}) {
    if (!document.is_object() || !document.contains(inner)) continue;
    if (!document[inner].is_string()) continue;
    Json parsed = Json::parse(document[inner].get<std::string>(), nullptr, false);
    if (!parsed.is_discarded()) document[inner] = std::move(parsed);
  }
  return document;
}

}  // namespace sheaf::app
