// What people write of history: times, places where a page ended.
#pragma once

#include <string>
#include <string_view>

#include "sheaf/ports/persistence/persistence.h"
#include "sheaf/wire/command/json.h"

namespace sheaf::app {

using command::Json;

// Milliseconds since 1970 of "2026-11-23T06:10:00Z", "2026-11-23 06:10", "2026-11-23" (UTC), of a
// number of milliseconds, or of "2h", which is so long ago. kInvalid names the text and the forms.
Result<int64_t> ParseTime(std::string_view text);

// "TIME:ID:SHARE", and back; kInvalid.
std::string CursorText(const persistence::Cursor& cursor);
Result<persistence::Cursor> ParseCursor(std::string_view text);

// A document of history with the JSON texts inside it opened.
Json Opened(Json document);

}  // namespace sheaf::app
