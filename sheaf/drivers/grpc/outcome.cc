#include "sheaf/drivers/grpc/outcome.h"

namespace sheaf::grpc {

::grpc::StatusCode CodeOf(int number) {
  if (number <= 0 || number > ::grpc::StatusCode::UNAUTHENTICATED) {
    return ::grpc::StatusCode::UNKNOWN;
  }
  return static_cast<::grpc::StatusCode>(number);
}

std::string Shorten(std::string text, size_t bytes) {
  constexpr std::string_view kMark = "…";
  if (text.size() <= bytes) return text;
  size_t end = bytes > kMark.size() ? bytes - kMark.size() : 0;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  text.resize(end);
  if (bytes >= kMark.size()) text += kMark;
  return text;
}

}  // namespace sheaf::grpc
