// must not compile: no viable|no matching|not a constant expression
#include "sheaf/base/core/sql.h"

#include <string>

sheaf::Sql FromTheWorld(const std::string& text) { return sheaf::Sql(text.c_str()); }
