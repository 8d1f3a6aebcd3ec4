#include "sheaf/base/core/check.h"

#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

namespace sheaf::core {

void CheckFailed(const char* condition, const char* file, int line) noexcept {
  std::string text =
      std::string(file) + ":" + std::to_string(line) + ": check failed: " + condition + "\n";
  // write(2) and not a stream: the streams may be what is broken.
  [[maybe_unused]] auto written = ::write(STDERR_FILENO, text.data(), text.size());
  std::abort();
}

}  // namespace sheaf::core
