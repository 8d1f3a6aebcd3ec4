// SHEAF_CHECK: a broken invariant of our own ends the process, in every build.
//
// Never use it on a byte that came from outside; the world fails by value (see error.h).
#pragma once

namespace sheaf::core {

// Prints `file:line: check failed: condition` to standard error and aborts.
[[noreturn]] void CheckFailed(const char* condition, const char* file, int line) noexcept;

}  // namespace sheaf::core

#define SHEAF_CHECK(condition)                                    \
  do {                                                            \
    if (!(condition)) [[unlikely]]                                \
      ::sheaf::core::CheckFailed(#condition, __FILE__, __LINE__); \
  } while (false)
