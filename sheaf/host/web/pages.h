// Lists in pages: `{items, next}`, by key and not by number, so that nothing is skipped or shown
// twice while the list changes.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "sheaf/host/web/route.h"

namespace sheaf::web {

inline constexpr int64_t kPageMax = 1000;

// `limit` and `after`, as every list has them.
std::vector<Parameter> PageParameters();

// {"items": […], "next": "key of the last item" or null}
Json PageJson(Json items, const std::string& next);
// The page of `items` (key and value, any order) after the key `after`.
Json PageOf(std::vector<std::pair<std::string, Json>> items, const std::string& after,
            int64_t limit);
// The schema of a page of objects with these properties: {"name": "integer", …}.
Json PageSchema(std::initializer_list<std::pair<const char*, const char*>> properties);

}  // namespace sheaf::web
