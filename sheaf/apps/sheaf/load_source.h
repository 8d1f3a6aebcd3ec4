// What lies in a directory of upstream's files, one item after the other.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <string>

#include "sheaf/apps/sheaf/load_items.h"

namespace sheaf::app {

// Who hears of what is found; an error ends the walk. Names are paths below the directory, safe to
// show.
class LoadListener {
 public:
  virtual ~LoadListener() = default;
  virtual Status Found(LoadItem item, size_t bytes) = 0;  // `bytes`: of its text.
  virtual Status Rejected(const std::string& name, const std::string& reason) = 0;
  virtual Status Ignored(const std::string& name, const std::string& reason) = 0;
};

struct WalkOptions {
  UnknownKeys unknown = UnknownKeys::kReject;
  // Of a file of properties, and of a line of a table. What is larger is rejected by its name.
  size_t text_bytes_max = size_t{256} << 20;
  int depth_max = 32;
  // read(2); tests give less than was asked for.
  std::function<ssize_t(int, void*, size_t)> read;
};

// Files in the order of their names, directories too. Links are not followed, nor anything read
// that is no plain file; a file that changes while it is read is rejected.
//
// Blocking: disks. Errors: those of the listener, and kNotFound or kForbidden for the directory
//   itself; whatever is wrong below it is told to the listener.
Status WalkSource(const std::string& directory, const WalkOptions& options,
                  LoadListener& listener);

}  // namespace sheaf::app
