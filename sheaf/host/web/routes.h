// The routes of a node.
#pragma once

#include <string>
#include <vector>

#include "sheaf/host/web/route.h"
#include "sheaf/host/web/web.h"

namespace sheaf::web {

// `parts` is borrowed by the routes; /api/v1/openapi.json describes them all, itself included.
std::vector<Route> MakeRoutes(const WebParts& parts, std::string version);

}  // namespace sheaf::web
