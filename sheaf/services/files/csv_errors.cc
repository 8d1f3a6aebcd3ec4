#include "sheaf/services/files/csv_errors.h"

#include <charconv>
#include <optional>

namespace sheaf::files {
namespace {

// The number that follows `mark`; nothing when there is none.
std::optional<int64_t> NumberAfter(std::string_view text, std::string_view mark) {
  const size_t at = text.find(mark);
  if (at == text.npos) return std::nullopt;
  int64_t number = 0;
  const char* begin = text.data() + at + mark.size();
  const auto [end, error] = std::from_chars(begin, text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  return number;
}

}  // namespace

CsvComplaint ReadComplaint(std::string_view message) {
  CsvComplaint complaint;
  complaint.row = NumberAfter(message, "Row #").value_or(0);
  const auto expected = NumberAfter(message, "Expected ");
  const auto got = NumberAfter(message, "columns, got ");
  constexpr std::string_view kConversion = "CSV conversion error to ";
  if (expected.has_value() && got.has_value()) {
    complaint.what = std::to_string(*got) + " columns instead of " + std::to_string(*expected);
  } else if (message.find("invalid UTF8") != message.npos) {
    complaint.what = "not valid UTF-8";
  } else if (const size_t at = message.find(kConversion); at != message.npos) {
    const std::string_view rest = message.substr(at + kConversion.size());
    complaint.what = "a value is not of type " + std::string(rest.substr(0, rest.find(": "))) +
                     "; options.types can name another";
  } else if (message.find("truncated") != message.npos) {
    complaint.what = "a quote without its end";
  } else {
    complaint.what = "malformed";
  }
  return complaint;
}

CsvWalk WalkRows(std::string_view block, int64_t row, char delimiter) {
  CsvWalk walk;
  int64_t lines = 0;
  bool quoted = false, field_start = true, empty = true;
  for (size_t n = 0; n < block.size(); ++n) {
    const char c = block[n];
    if (empty && c != '\n' && c != '\r') {
      walk.lines = lines;
      if (row == 0) return walk;
      empty = false;
    }
    if (c == '"' && (quoted || field_start)) {
      quoted = !quoted;  // A doubled quote closes and opens again.
      field_start = !quoted && n + 1 < block.size() && block[n + 1] == '"';
      continue;
    }
    if (c == '\n') ++lines;
    if (!quoted && c == '\n') {
      if (!empty) --row;
      empty = true;
    }
    field_start = !quoted && (c == delimiter || c == '\n');
  }
  walk.quoted = quoted;
  return walk;
}

}  // namespace sheaf::files
