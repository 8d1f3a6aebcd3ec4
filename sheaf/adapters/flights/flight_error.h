// From Arrow Flight's statuses to Errors: the server's own word when it sent one.
#pragma once

#include <arrow/status.h>

#include <string>

#include "sheaf/base/core/core.h"

namespace sheaf::flights {

// The Error that the server attached as detail; else what the client itself saw: kCancelled,
// kDeadline, kUnauthenticated, kForbidden, or kDependency naming `address`.
Error FromFlight(const arrow::Status& status, const std::string& address);

}  // namespace sheaf::flights
