#include "sheaf/wire/properties/properties.h"

#include <cstdint>
#include <map>
#include <utility>

#include "sheaf/wire/records/row.h"

namespace sheaf::properties {
namespace {

constexpr bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\f'; }
constexpr bool IsEnd(char c) { return c == '\n' || c == '\r'; }

Error Wrong(size_t line, std::string_view what) {
  return Fail(Kind::kInvalid, "line " + std::to_string(line) + ": " + std::string(what));
}

void AppendUtf8(uint32_t point, std::string& out) {
  const auto put = [&out](uint32_t byte) { out += static_cast<char>(byte); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xC0 | point >> 6);
    put(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    put(0xE0 | point >> 12);
    put(0x80 | (point >> 6 & 0x3F));
    put(0x80 | (point & 0x3F));
  } else {
    put(0xF0 | point >> 18);
    put(0x80 | (point >> 12 & 0x3F));
    put(0x80 | (point >> 6 & 0x3F));
    put(0x80 | (point & 0x3F));
  }
}

std::string FromLatin1(std::string_view text) {
  std::string utf8;
  utf8.reserve(text.size() * 2);
  for (const char c : text) AppendUtf8(static_cast<uint8_t>(c), utf8);
  return utf8;
}

class Parser {
 public:
  Parser(std::string_view text, const PropertyLimits& limits) : text_(text), limits_(limits) {}

  Result<std::vector<Entry>> Parse() {
    while (SkipToEntry()) {
      Entry entry{.line = line_};
      SHEAF_ASSIGN(entry.key, Part(&Parser::EndsKey));
      SkipBlanks();
      if (at_ < text_.size() && (text_[at_] == '=' || text_[at_] == ':')) {
        ++at_;
        SkipBlanks();
      }
      SHEAF_ASSIGN(entry.value, Part(&Parser::EndsValue));
      SHEAF_TRY(Take(std::move(entry)));
    }
    return std::move(entries_);
  }

 private:
  bool EndsKey(char c) const { return IsBlank(c) || IsEnd(c) || c == '=' || c == ':'; }
  bool EndsValue(char c) const { return IsEnd(c); }

  // Over one end of a line: \n, \r or \r\n.
  void SkipEnd() {
    if (text_[at_] == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n') ++at_;
    ++at_;
    ++line_;
  }
  // A backslash before the end of a line: the next line goes on, without its indentation.
  bool SkipContinuation() {
    if (text_[at_] != '\\' || at_ + 1 >= text_.size() || !IsEnd(text_[at_ + 1])) return false;
    ++at_;
    SkipEnd();
    while (at_ < text_.size() && IsBlank(text_[at_])) ++at_;
    return true;
  }
  void SkipBlanks() {
    while (at_ < text_.size() && (IsBlank(text_[at_]) || SkipContinuation())) {
      if (at_ < text_.size() && IsBlank(text_[at_])) ++at_;
    }
  }
  // Over empty lines and comments, which never go on; false at the end of the text.
  bool SkipToEntry() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (IsEnd(c)) {
        SkipEnd();
      } else if (IsBlank(c)) {
        ++at_;
      } else if (c == '#' || c == '!') {
        while (at_ < text_.size() && !IsEnd(text_[at_])) ++at_;
      } else if (!SkipContinuation()) {
        return true;
      }
    }
    return false;
  }

  Result<std::string> Part(bool (Parser::*ends)(char) const) {
    std::string part;
    while (at_ < text_.size() && !(this->*ends)(text_[at_])) {
      if (text_[at_] != '\\') {
        part += text_[at_++];
      } else if (!SkipContinuation()) {
        SHEAF_TRY(Escape(part));
      }
    }
    return part;
  }
  // At a backslash that is no continuation; at the end of the text it means nothing, as in Java.
  Status Escape(std::string& out) {
    if (++at_ >= text_.size()) return Done();
    const char c = text_[at_++];
    switch (c) {
      case 't': out += '\t'; break;
      case 'n': out += '\n'; break;
      case 'r': out += '\r'; break;
      case 'f': out += '\f'; break;
      case 'u': return Unicode(out);
      default: out += c;
    }
    return Done();
  }
  Status Unicode(std::string& out) {
    SHEAF_ASSIGN(uint32_t point, Unit());
    if (point >= 0xD800 && point < 0xDC00) {
      if (text_.substr(at_, 2) != "\\u") return Wrong(line_, "half of a character in \\uXXXX");
      at_ += 2;
      SHEAF_ASSIGN(const uint32_t low, Unit());
      if (low < 0xDC00 || low > 0xDFFF) return Wrong(line_, "half of a character in \\uXXXX");
      point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
    } else if (point >= 0xDC00 && point <= 0xDFFF) {
      return Wrong(line_, "half of a character in \\uXXXX");
    }
    AppendUtf8(point, out);
    return Done();
  }
  Result<uint32_t> Unit() {
    constexpr size_t kDigits = 4;
    uint32_t unit = 0;
    const std::string_view digits = text_.substr(at_, kDigits);
    for (const char c : digits) {
      const bool decimal = c >= '0' && c <= '9';
      const char lower = static_cast<char>(c | 0x20);
      if (!decimal && (lower < 'a' || lower > 'f')) return Wrong(line_, "\\u without 4 digits");
      unit = unit << 4 | static_cast<uint32_t>(decimal ? c - '0' : lower - 'a' + 10);
    }
    if (digits.size() < kDigits) return Wrong(line_, "\\u without 4 digits");
    at_ += kDigits;
    return unit;
  }

  Status Take(Entry entry) {
    const auto [known, fresh] = places_.emplace(entry.key, entries_.size());
    if (!fresh) {
      entries_[known->second] = std::move(entry);
      return Done();
    }
    if (entries_.size() == limits_.keys_max) {
      return Fail(Kind::kExhausted, "line " + std::to_string(entry.line) + ": more than " +
                                        std::to_string(limits_.keys_max) + " keys");
    }
    entries_.push_back(std::move(entry));
    return Done();
  }

  const std::string_view text_;
  const PropertyLimits& limits_;
  size_t at_ = 0;
  size_t line_ = 1;
  std::vector<Entry> entries_;
  std::map<std::string, size_t> places_;
};

}  // namespace

Result<std::vector<Entry>> ParseProperties(std::string_view text, const PropertyLimits& limits) {
  if (text.size() > limits.bytes_max) {
    return Fail(Kind::kExhausted, std::to_string(text.size()) + " bytes, and " +
                                      std::to_string(limits.bytes_max) + " are the most");
  }
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  if (records::IsUtf8(text)) return Parser(text, limits).Parse();
  const std::string utf8 = FromLatin1(text);
  return Parser(utf8, limits).Parse();
}

}  // namespace sheaf::properties
