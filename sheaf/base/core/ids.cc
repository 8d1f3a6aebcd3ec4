#include "sheaf/base/core/ids.h"

#include <sys/random.h>

#include <cerrno>

#include "sheaf/base/core/check.h"

namespace sheaf::core {

void FillRandom(void* data, size_t size) {
  auto* at = static_cast<char*>(data);
  while (size > 0) {
    const ssize_t got = ::getrandom(at, size, 0);
    if (got < 0 && errno == EINTR) continue;
    SHEAF_CHECK(got > 0);
    at += got;
    size -= static_cast<size_t>(got);
  }
}

std::string RandomHex(size_t bytes) {
  std::string raw(bytes, '\0');
  FillRandom(raw.data(), raw.size());
  return ToHex(raw);
}

std::string ToHex(std::string_view raw) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(raw.size() * 2);
  for (const char c : raw) {
    const auto byte = static_cast<unsigned char>(c);
    text.push_back(digits[byte >> 4]);
    text.push_back(digits[byte & 15]);
  }
  return text;
}

}  // namespace sheaf::core
