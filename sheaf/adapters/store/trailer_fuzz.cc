// Any bytes as a trailer: refused, or blocks that lie one behind another.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "sheaf/adapters/store/trailer.h"
#include "sheaf/base/core/check.h"
#include "sheaf/drivers/files/checksum.h"

namespace {

// With a right checksum, so that the fuzzer comes past it.
std::string Signed(std::string bytes) {
  if (bytes.size() < 24) return bytes;
  const uint64_t size = bytes.size();
  std::memcpy(bytes.data() + size - 24, &size, 8);
  const uint64_t sum = sheaf::files::Checksum(bytes.data(), size - 16);
  std::memcpy(bytes.data() + size - 16, &sum, 8);
  std::memcpy(bytes.data() + size - 8, "SHEAFEND", 8);
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 8) return 0;
  uint64_t file_bytes = 0;
  std::memcpy(&file_bytes, data, sizeof(file_bytes));
  const std::string raw(reinterpret_cast<const char*>(data) + 8, size - 8);
  for (const std::string& bytes : {raw, Signed(raw)}) {
    const auto parsed = sheaf::store::ParseTrailer(bytes, file_bytes);
    if (!parsed.ok()) continue;
    uint64_t at = 0;
    for (const auto& block : parsed->blocks) {
      SHEAF_CHECK(block.offset == at && block.end() > at && block.end() <= file_bytes);
      at = block.end();
    }
  }
  return 0;
}
