// Shell patterns on one part of a path: pure text, no disk.
#pragma once

#include <string_view>

namespace sheaf::files {

// `*` any run, `?` one character, `[a-c]` one of, `[!a]` or `[^a]` none of. Bytes, except that `?`
// and sets take one whole UTF-8 character. A `[` without its `]` stands for itself. Never
// backtracks beyond the last `*`, so the time is at most name times pattern.
bool MatchPart(std::string_view pattern, std::string_view name);

// Whether a part holds any of * ? [
bool HasMagic(std::string_view part);

}  // namespace sheaf::files
