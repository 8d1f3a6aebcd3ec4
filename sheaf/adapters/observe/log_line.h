// One line of the log as text or JSON: a pure function. Whatever a field holds, a line stays one
// line of valid UTF-8.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "sheaf/base/observe/log.h"
#include "sheaf/base/time/clock.h"

namespace sheaf::observe {

enum class LogFormat : uint8_t { kText, kJson };

inline constexpr size_t kLogValueBytesMax = 4096;  // A longer value is cut, and says so by "…".

// kText: 2026-11-23T06:10:00.123Z INFO  module started module=files ms=12 reason="no disk"
// kJson: {"time":"2026-…","level":"info","event":"module started","module":"files","ms":12}
// Without a newline at its end.
std::string LogLine(LogFormat format, WallTime wall, Level level, std::string_view event,
                    std::initializer_list<Field> fields);

}  // namespace sheaf::observe
