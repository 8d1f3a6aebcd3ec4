#include "sheaf/base/core/error.h"

namespace sheaf::core {

std::string_view KindName(Kind kind) noexcept {
  switch (kind) {
    case Kind::kInvalid: return "invalid";
    case Kind::kUnknownService: return "unknown_service";
    case Kind::kMisplaced: return "misplaced";
    case Kind::kInvalidTicket: return "invalid_ticket";
    case Kind::kNotFound: return "not_found";
    case Kind::kConflict: return "conflict";
    case Kind::kUnsupported: return "unsupported";
    case Kind::kFailed: return "failed";
    case Kind::kCancelled: return "cancelled";
    case Kind::kDeadline: return "deadline";
    case Kind::kResultGone: return "result_gone";
    case Kind::kPoll: return "poll";
    case Kind::kBackpressure: return "backpressure";
    case Kind::kExhausted: return "exhausted";
    case Kind::kUnauthenticated: return "unauthenticated";
    case Kind::kForbidden: return "forbidden";
    case Kind::kInternal: return "internal";
    case Kind::kNotReady: return "not_ready";
    case Kind::kShuttingDown: return "shutting_down";
    case Kind::kDependency: return "dependency";
    case Kind::kCorrupt: return "corrupt";
  }
  __builtin_unreachable();
}

}  // namespace sheaf::core
