// The door of adapters/observe: logs through spdlog, metrics through prometheus-cpp.
#pragma once

#include "sheaf/adapters/observe/metrics.h"
#include "sheaf/adapters/observe/spd_log.h"
