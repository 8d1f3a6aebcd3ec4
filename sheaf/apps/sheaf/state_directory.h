// Directories of a node's state.
#pragma once

#include <string>

#include "sheaf/base/core/core.h"
#include "sheaf/drivers/files/files.h"

namespace sheaf::app {

// An own directory below the system's temporary one; removed with the node.
class TemporaryState final {
 public:
  TemporaryState() = default;
  ~TemporaryState();
  TemporaryState(const TemporaryState&) = delete;
  TemporaryState& operator=(const TemporaryState&) = delete;
  Result<std::string> Make();

 private:
  std::string path_;
};

// A directory that is made here is its owner's alone: it holds the key of tickets, and data.
Status MakePrivate(files::FileSystem& files, const std::string& directory);

}  // namespace sheaf::app
