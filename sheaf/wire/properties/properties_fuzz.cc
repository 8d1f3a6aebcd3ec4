// Any bytes are parsed or refused with a line; what is parsed is UTF-8, and written down escaped it
// is parsed again as the same.
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "sheaf/base/core/check.h"
#include "sheaf/wire/properties/properties.h"
#include "sheaf/wire/records/row.h"

namespace sheaf {
namespace {

std::string Escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\f': out += "\\f"; break;
      case '\t': out += "\\t"; break;
      case ' ':
      case '=':
      case ':':
      case '#':
      case '!':
      case '\\': out += '\\'; [[fallthrough]];
      default: out += c;
    }
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto parsed = properties::ParseProperties(bytes);
  if (!parsed.ok()) {
    SHEAF_CHECK(parsed.error().message.starts_with("line "));
    return 0;
  }
  std::string again;
  std::set<std::string> keys;
  for (const auto& entry : *parsed) {
    SHEAF_CHECK(records::IsUtf8(entry.key) && records::IsUtf8(entry.value));
    SHEAF_CHECK(entry.line >= 1 && entry.line <= size + 1);
    SHEAF_CHECK(keys.insert(entry.key).second);
    again += Escaped(entry.key) + "=" + Escaped(entry.value) + "\n";
  }
  const auto same = properties::ParseProperties(again);
  SHEAF_CHECK(same.ok() && same->size() == parsed->size());
  for (size_t i = 0; i < same->size(); ++i) {
    SHEAF_CHECK((*same)[i].key == (*parsed)[i].key && (*same)[i].value == (*parsed)[i].value);
  }
  return 0;
}

}  // namespace sheaf
