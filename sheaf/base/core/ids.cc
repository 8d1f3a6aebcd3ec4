#include "sheaf/base/core/ids.h"

#include <sys/random.h>

#include <array>
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
  // Every request draws an id: one call of the kernel serves a thread for many.
  struct Drawn {
    std::array<char, 256> bytes;
    size_t left = 0;
  };
  thread_local Drawn drawn;
  std::string raw(bytes, '\0');
  for (char& byte : raw) {
    if (drawn.left == 0) {
      FillRandom(drawn.bytes.data(), drawn.bytes.size());
      drawn.left = drawn.bytes.size();
    }
    byte = drawn.bytes[--drawn.left];
  }
  return ToHex(raw);
}

std::string ToHex(std::string_view raw) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text(raw.size() * 2, '\0');
  for (size_t i = 0; i < raw.size(); ++i) {
    const auto byte = static_cast<unsigned char>(raw[i]);
    text[2 * i] = digits[byte >> 4];
    text[2 * i + 1] = digits[byte & 15];
  }
  return text;
}

}  // namespace sheaf::core
