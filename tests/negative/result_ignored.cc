// must not compile: ignoring return value|nodiscard
#include "sheaf/base/core/error.h"

sheaf::core::Error Try();

int main() {
  Try();
  return 0;
}
