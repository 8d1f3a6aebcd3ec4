// The door of adapters/query_state: where query states are kept.
#pragma once

#include "sheaf/adapters/query_state/memory_query_state.h"
