// A path names a materialised flight; what is asked for, never how it is made.
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <vector>

#include "sheaf/base/core/result.h"
#include "sheaf/wire/command/json.h"

namespace sheaf::command {

inline constexpr size_t kPathPartsMax = 16;
inline constexpr size_t kPathPartBytesMax = 255;

// A value: 1 to 16 non-empty parts of at most 255 bytes of UTF-8 without NUL. The first part is
// the namespace. A Path that exists was checked by one of the makers; the inside believes.
class Path {
 public:
  Path() = default;  // Empty: no path. For optional fields of values only.
  static Result<Path> Make(std::vector<std::string> parts);
  static Result<Path> FromJson(const Json& value, std::string_view where);

  const std::vector<std::string>& parts() const { return parts_; }
  bool empty() const { return parts_.empty(); }
  const std::string& space() const { return parts_.front(); }
  // Parts joined by NUL: the key of indexes; orders as the list of parts does.
  std::string Key() const;
  static Path FromKey(std::string_view key);  // Of a key that Key() made.
  // "raw/orders" for people; a '/' or '\\' inside a part is escaped by a backslash.
  std::string Text() const;
  Json ToJson() const;
  bool StartsWith(const Path& prefix) const;
  auto operator<=>(const Path&) const = default;

 private:
  std::vector<std::string> parts_;
};

}  // namespace sheaf::command

namespace sheaf {
using command::Path;
}  // namespace sheaf
