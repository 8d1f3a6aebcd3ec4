// The door of base/observe: interfaces for logs, metrics and traces, and their smallest ones.
#pragma once

#include "sheaf/base/observe/log.h"
#include "sheaf/base/observe/memory_metrics.h"
#include "sheaf/base/observe/metrics.h"
#include "sheaf/base/observe/trace.h"
