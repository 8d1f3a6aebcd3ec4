// Java properties: "key = value" lines with escapes, comments and lines that go on.
//
// Pure; threads: any. Errors: kInvalid, which names the line; kExhausted above a limit.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "sheaf/base/core/result.h"

namespace sheaf::properties {

struct Entry {
  std::string key, value;  // UTF-8.
  size_t line = 0;         // Where it begins, from 1.
  bool operator==(const Entry&) const = default;
};

struct PropertyLimits {
  size_t bytes_max = size_t{256} << 20;
  size_t keys_max = 100'000;
};

// In the order of their first lines. A key that stands twice has the later value and its line, as
// in Java.
Result<std::vector<Entry>> ParseProperties(std::string_view text,
                                           const PropertyLimits& limits = {});

}  // namespace sheaf::properties
