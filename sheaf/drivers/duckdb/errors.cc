#include "sheaf/drivers/duckdb/errors.h"

#include <algorithm>
#include <utility>

namespace sheaf::duckdb {
namespace {

// How much of a line is shown on either side of the caret, in bytes.
constexpr size_t kShownBytes = 60;
constexpr std::string_view kCut = "...";

bool Continues(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

// The nearest beginning of a character at or before `position`.
size_t CharacterStart(std::string_view text, size_t position) {
  while (position > 0 && position < text.size() && Continues(text[position])) --position;
  return position;
}

size_t Characters(std::string_view text) {
  return text.size() - static_cast<size_t>(std::count_if(text.begin(), text.end(), Continues));
}

}  // namespace

Place PlaceOf(std::string_view sql, size_t position) {
  position = CharacterStart(sql, std::min(position, sql.size()));
  const std::string_view before = sql.substr(0, position);
  const size_t newline = before.rfind('\n');
  const size_t start = newline == std::string_view::npos ? 0 : newline + 1;
  return {position, 1 + static_cast<size_t>(std::count(before.begin(), before.end(), '\n')),
          1 + Characters(before.substr(start))};
}

std::string Caret(std::string_view sql, size_t position) {
  const Place place = PlaceOf(sql, position);
  const size_t newline = sql.substr(0, place.position).rfind('\n');
  const size_t line_start = newline == std::string_view::npos ? 0 : newline + 1;
  const size_t line_end = std::min(sql.find('\n', place.position), sql.size());
  size_t from = line_start;
  size_t to = line_end;
  if (place.position - line_start > kShownBytes) {
    from = CharacterStart(sql, place.position - kShownBytes);
  }
  if (line_end - place.position > kShownBytes) {
    to = CharacterStart(sql, place.position + kShownBytes);
  }
  std::string head = "LINE " + std::to_string(place.line) + ": ";
  if (from > line_start) head += kCut;
  std::string pad(head.size(), ' ');
  std::string shown(sql.substr(from, to - from));
  for (char& byte : shown) {
    if (static_cast<unsigned char>(byte) < 0x20 || byte == 0x7F) byte = ' ';
  }
  pad.append(Characters(sql.substr(from, place.position - from)), ' ');
  if (to < line_end) shown += kCut;
  return head + shown + "\n" + pad + "^";
}

Error SqlError(Kind kind, std::string message, std::string_view sql,
               std::optional<size_t> position) {
  if (!position || *position > sql.size()) return Fail(kind, std::move(message));
  const Place place = PlaceOf(sql, *position);
  return Fail(kind, std::move(message) + "\n" + Caret(sql, *position),
              "{\"position\": " + std::to_string(place.position) +
                  ", \"line\": " + std::to_string(place.line) +
                  ", \"column\": " + std::to_string(place.column) + "}");
}

}  // namespace sheaf::duckdb
