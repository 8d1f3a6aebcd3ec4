// The door of adapters/cluster: a cluster of one, in memory.
#pragma once

#include "sheaf/adapters/cluster/memory_cluster.h"
