// JSON from outside, parsed once with limits; integers exact to 64 bits.
#pragma once

#include <nlohmann/json.hpp>

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "sheaf/base/core/result.h"

namespace sheaf::command {

using Json = nlohmann::json;  // Objects keep their keys sorted by bytes.

struct JsonLimits {
  size_t bytes_max = 1 << 20;
  size_t depth_max = 64;
  size_t values_max = 100'000;
};

// kInvalid says what and at which byte: malformed text, a duplicate key, an integer beyond 64
// bits (a number without '.', 'e' or 'E' is an integer), invalid UTF-8, NaN, a limit exceeded.
Result<Json> ParseJson(std::string_view text, const JsonLimits& limits = {});

// Canonical text: keys sorted by UTF-16 code units as in RFC 8785, no spaces, integers as they
// are, doubles shortest with '.' or 'e' always (2.0 prints "2.0").
std::string Canonical(const Json& value);

// Reads a JSON object key by key and names what is not known. All Takes return the fallback when
// the key is absent and kInvalid with `where.key` and the expected type when it does not fit.
//
//   ObjectReader read(spec, "spec");
//   SHEAF_ASSIGN(auto sql, read.RequiredString("sql"));
//   SHEAF_ASSIGN(auto limit, read.Integer("limit", 0, 1, 1000));
//   SHEAF_TRY(read.Finish());                 // kInvalid on any key that was not asked for
class ObjectReader {
 public:
  ObjectReader(const Json& object, std::string where);

  Result<std::string> RequiredString(std::string_view key);
  Result<std::string> String(std::string_view key, std::string fallback);
  Result<int64_t> Integer(std::string_view key, int64_t fallback, int64_t min, int64_t max);
  Result<bool> Boolean(std::string_view key, bool fallback);
  // Absent gives an empty list; a list of anything but strings is kInvalid.
  Result<std::vector<std::string>> Strings(std::string_view key);
  // Every key there is, before the first is read, so that a key misspelt is named and not the one
  // that is missing for it: kInvalid as of Finish.
  Status Known(std::initializer_list<std::string_view> keys);
  // The value itself or nullptr; marks the key as known. Lives as long as the object read.
  const Json* Take(std::string_view key);
  bool Has(std::string_view key) const;
  // kInvalid naming the first unknown key and the nearest known one, or that it is no object.
  Status Finish();

  Error Bad(std::string_view key, std::string_view expected) const;
  const std::string& where() const { return where_; }

 private:
  const Json& object_;  // Borrowed from the caller for the reader's life.
  std::string where_;
  std::vector<std::string_view> asked_;
};

}  // namespace sheaf::command

namespace sheaf {
using command::Json;
}  // namespace sheaf
