#include "sheaf/wire/command/path.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "sheaf/base/core/check.h"

namespace sheaf::command {
namespace {

// Well-formed UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.
bool IsUtf8(std::string_view text) {
  size_t i = 0;
  const auto byte = [&](size_t at) { return static_cast<uint8_t>(text[at]); };
  while (i < text.size()) {
    const uint8_t lead = byte(i);
    size_t more = 0;
    uint8_t low = 0x80, high = 0xBF;  // Of the second byte.
    if (lead < 0x80)
      more = 0;
    else if (lead >= 0xC2 && lead <= 0xDF)
      more = 1;
    else if (lead >= 0xE0 && lead <= 0xEF)
      more = 2;
    else if (lead >= 0xF0 && lead <= 0xF4)
      more = 3;
    else
      return false;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
    if (text.size() - i <= more) return false;
    for (size_t k = 1; k <= more; ++k) {
      if (byte(i + k) < low || byte(i + k) > high) return false;
      low = 0x80;
      high = 0xBF;
    }
    i += more + 1;
  }
  return true;
}

}  // namespace

Result<Path> Path::Make(std::vector<std::string> parts) {
  const auto bad = [](size_t part, const std::string& why) {
    return Fail(Kind::kInvalid, "path part " + std::to_string(part) + " " + why);
  };
  if (parts.empty()) return Fail(Kind::kInvalid, "a path has at least one part");
  if (parts.size() > kPathPartsMax) {
    return Fail(Kind::kInvalid, "a path of " + std::to_string(parts.size()) +
                                    " parts, the limit is " + std::to_string(kPathPartsMax));
  }
  for (size_t i = 0; i < parts.size(); ++i) {
    const std::string& part = parts[i];
    if (part.empty()) return bad(i, "is empty");
    if (part.size() > kPathPartBytesMax) {
      return bad(i, "has " + std::to_string(part.size()) + " bytes, the limit is " +
                        std::to_string(kPathPartBytesMax));
    }
    if (part.find('\0') != std::string::npos) return bad(i, "holds a NUL");
    if (!IsUtf8(part)) return bad(i, "is not UTF-8");
  }
  Path path;
  path.parts_ = std::move(parts);
  return path;
}

Result<Path> Path::FromJson(const Json& value, std::string_view where) {
  const auto bad = [&](const std::string& why) {
    return Fail(Kind::kInvalid, where.empty() ? why : std::string(where) + ": " + why);
  };
  if (!value.is_array()) {
    return bad(std::string("expected a list of strings, found ") + value.type_name());
  }
  if (value.size() > kPathPartsMax) {
    return bad("a path of " + std::to_string(value.size()) + " parts, the limit is " +
               std::to_string(kPathPartsMax));
  }
  std::vector<std::string> parts;
  parts.reserve(value.size());
  for (const Json& part : value) {
    if (!part.is_string()) {
      return bad(std::string("expected a list of strings, found ") + part.type_name() + " in it");
    }
    parts.push_back(part.get<std::string>());
  }
  auto path = Make(std::move(parts));
  if (!path.ok()) return bad(path.error().message);
  return path;
}

std::string Path::Key() const {
  std::string key;
  for (size_t i = 0; i < parts_.size(); ++i) {
    if (i > 0) key += '\0';
    key += parts_[i];
  }
  return key;
}

Path Path::FromKey(std::string_view key) {
  Path path;
  if (key.empty()) return path;
  for (size_t start = 0; start <= key.size();) {
    const size_t end = std::min(key.find('\0', start), key.size());
    path.parts_.emplace_back(key.substr(start, end - start));
    start = end + 1;
  }
  return path;
}

std::string Path::Text() const {
  std::string text;
  for (size_t i = 0; i < parts_.size(); ++i) {
    if (i > 0) text += '/';
    for (const char c : parts_[i]) {
      if (c == '/' || c == '\\') text += '\\';
      text += c;
    }
  }
  return text;
}

Json Path::ToJson() const {
  Json list = Json::array();
  for (const auto& part : parts_) list.push_back(part);
  return list;
}

bool Path::StartsWith(const Path& prefix) const {
  if (prefix.parts_.size() > parts_.size()) return false;
  return std::equal(prefix.parts_.begin(), prefix.parts_.end(), parts_.begin());
}

}  // namespace sheaf::command
