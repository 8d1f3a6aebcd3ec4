// Schemes and percent signs.
#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string>
#include <string_view>

#include "sheaf/services/files/errors.h"
#include "sheaf/services/files/find.h"

namespace sheaf::files {
namespace {

constexpr std::array<std::string_view, 13> kLaterSchemes = {
    "s3",    "s3a",  "s3n",     "gs",   "gcs",   "az", "abfs",
    "abfss", "hdfs", "webhdfs", "http", "https", "ftp"};

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Nothing when a percent sign is not followed by two hexadecimal digits.
std::optional<std::string> Decode(std::string_view text) {
  std::string decoded;
  for (size_t n = 0; n < text.size(); ++n) {
    if (text[n] != '%') {
      decoded += text[n];
      continue;
    }
    if (n + 2 >= text.size()) return std::nullopt;
    const int high = HexDigit(text[n + 1]), low = HexDigit(text[n + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    decoded += static_cast<char>(high * 16 + low);
    n += 2;
  }
  return decoded;
}

// The scheme of RFC 3986, lower-case; empty when there is none. One letter is none: "c:/x".
std::string SchemeOf(std::string_view uri) {
  const size_t colon = uri.find(':');
  if (colon == std::string_view::npos || colon < 2 || uri.find('/') < colon) return "";
  std::string scheme(uri.substr(0, colon));
  for (char& c : scheme) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '+' && c != '-' && c != '.') return "";
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return std::isalpha(static_cast<unsigned char>(scheme[0])) ? scheme : "";
}

// A name that means ".." or "/" only after decoding is somebody's attempt, not a file's name.
bool HidesDots(std::string_view path) {
  const auto decoded = Decode(path);
  if (!decoded.has_value() || decoded->size() == path.size()) return false;
  std::string_view rest = *decoded;
  while (true) {
    const size_t slash = rest.find('/');
    if (rest.substr(0, slash) == "..") return true;
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  return decoded->find('\0') != std::string::npos;
}

}  // namespace

Result<std::string> PathOfUri(const std::string& uri) {
  if (uri.empty()) return Fail(Kind::kInvalid, "spec: an empty uri");
  if (uri.find('\0') != std::string::npos) {
    return Fail(Kind::kInvalid, "spec: a uri with a NUL character");
  }
  const std::string scheme = SchemeOf(uri);
  if (scheme.empty()) {
    if (HidesDots(uri)) return Fail(Kind::kForbidden, "'..' is not allowed in a path");
    return uri;
  }
  if (scheme != "file") {
    const bool later =
        std::find(kLaterSchemes.begin(), kLaterSchemes.end(), scheme) != kLaterSchemes.end();
    if (later) {
      return Fail(Kind::kUnsupported, "the scheme '" + scheme + ":' is not on this node yet");
    }
    return Fail(Kind::kInvalid, "unknown scheme '" + scheme + ":' in a uri; known: file");
  }
  std::string_view rest = std::string_view(uri).substr(5);
  if (rest.starts_with("//")) {
    rest.remove_prefix(2);
    const size_t slash = rest.find('/');
    const std::string_view host = rest.substr(0, slash);
    if (!host.empty() && host != "localhost") {
      return Fail(Kind::kInvalid, "a file uri names another host; write file:///path");
    }
    rest.remove_prefix(slash == std::string_view::npos ? rest.size() : slash);
  }
  const auto decoded = Decode(rest);
  if (!decoded.has_value()) {
    return Fail(Kind::kInvalid, "'%' in a file uri needs two hexadecimal digits after it");
  }
  if (!decoded->starts_with('/')) {
    return Fail(Kind::kInvalid, "a file uri needs an absolute path: file:///path");
  }
  return *decoded;
}

}  // namespace sheaf::files
