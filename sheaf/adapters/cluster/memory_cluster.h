// A node alone: membership, services and catalog in the memory of this process.
#pragma once

#include <memory>

#include "sheaf/base/time/time.h"
#include "sheaf/ports/cluster/cluster.h"

namespace sheaf::cluster {

struct MemoryOptions {
  size_t entries_max = 10'000'000;  // Of the catalog; kExhausted above it.
  size_t services_max = 4096;
  size_t nodes_max = 1024;
};

// `clock` is borrowed and outlives the cluster. No call ever waits for anything but a short lock.
std::unique_ptr<Cluster> MakeMemoryCluster(NodeId self, Clock& clock, MemoryOptions options = {});

}  // namespace sheaf::cluster
