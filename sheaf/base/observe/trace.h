// What a call carries so that its lines can be found again.
#pragma once

#include <string>

#include "sheaf/base/core/ids.h"

namespace sheaf::observe {

// A value, copied with the call. `traceparent` is the W3C header as it came, or empty.
struct Trace {
  RequestId request;
  std::string traceparent;
};

}  // namespace sheaf::observe
