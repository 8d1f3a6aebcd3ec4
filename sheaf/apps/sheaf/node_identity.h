// Who a node is: kept in its state directory, so that tickets outlive a restart.
#pragma once

#include <string>

#include "sheaf/base/core/core.h"
#include "sheaf/drivers/files/file_system.h"

namespace sheaf::app {

struct NodeIdentity {
  NodeId id;
  std::string ticket_key;  // command::TicketBox::kKeyBytes raw bytes.
};

NodeIdentity NewNodeIdentity();
// The one in `<directory>/node.json`, made on first use; only its owner may read the file.
// kCorrupt when the file is not one; kDependency when the disk refuses.
Result<NodeIdentity> LoadNodeIdentity(files::FileSystem& files, const std::string& directory);

}  // namespace sheaf::app
