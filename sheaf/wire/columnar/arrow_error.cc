#include "sheaf/wire/columnar/arrow_error.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace sheaf::columnar {
namespace {

constexpr std::string_view kDetailType = "sheaf::columnar::ErrorDetail";

// Carries an Error through Arrow's code.
class ErrorDetail final : public arrow::StatusDetail {
 public:
  explicit ErrorDetail(Error error) : error_(std::move(error)) {}
  const char* type_id() const override { return kDetailType.data(); }
  std::string ToString() const override {
    std::string text(core::KindName(error_.kind));
    if (error_.effect == Effect::kUnknown) text += ", effect unknown";
    return text;
  }
  const Error& error() const { return error_; }

 private:
  const Error error_;
};

arrow::StatusCode CodeOf(Kind kind) {
  switch (kind) {
    case Kind::kInvalid:
    case Kind::kUnknownService:
    case Kind::kInvalidTicket: return arrow::StatusCode::Invalid;
    case Kind::kNotFound:
    case Kind::kResultGone: return arrow::StatusCode::KeyError;
    case Kind::kConflict: return arrow::StatusCode::AlreadyExists;
    case Kind::kUnsupported: return arrow::StatusCode::NotImplemented;
    case Kind::kCancelled: return arrow::StatusCode::Cancelled;
    case Kind::kExhausted: return arrow::StatusCode::CapacityError;
    case Kind::kFailed:
    case Kind::kInternal: return arrow::StatusCode::UnknownError;
    case Kind::kMisplaced:
    case Kind::kDeadline:
    case Kind::kPoll:
    case Kind::kBackpressure:
    case Kind::kUnauthenticated:
    case Kind::kForbidden:
    case Kind::kNotReady:
    case Kind::kShuttingDown:
    case Kind::kDependency:
    case Kind::kCorrupt: return arrow::StatusCode::IOError;
  }
  __builtin_unreachable();
}

Kind KindOf(arrow::StatusCode code, Kind otherwise) {
  switch (code) {
    case arrow::StatusCode::OutOfMemory:
    case arrow::StatusCode::CapacityError: return Kind::kExhausted;
    case arrow::StatusCode::Cancelled: return Kind::kCancelled;
    default:  // Arrow's list is not ours and grows; every other code means what the caller says.
      return otherwise;
  }
}

}  // namespace

arrow::Status ToArrow(const Error& error) {
  return arrow::Status(CodeOf(error.kind), error.message, std::make_shared<ErrorDetail>(error));
}

Error FromArrow(const arrow::Status& status, Kind kind) {
  SHEAF_CHECK(!status.ok());
  const auto& detail = status.detail();
  if (detail != nullptr && std::string_view(detail->type_id()) == kDetailType) {
    const Error& carried = static_cast<const ErrorDetail&>(*detail).error();
    if (status.message() == carried.message) return carried;
    Error grown = carried;  // Arrow's code on the way put more of the place into the message.
    grown.message = status.message();
    return grown;
  }
  std::string message = status.message();
  if (message.empty()) message = status.CodeAsString();
  if (detail != nullptr) message += " (" + detail->ToString() + ")";
  return Fail(KindOf(status.code(), kind), std::move(message));
}

}  // namespace sheaf::columnar
