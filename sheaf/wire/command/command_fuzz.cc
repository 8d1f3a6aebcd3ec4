// Any bytes are refused with kInvalid or parse; what parses prints, and the print parses to the
// same: same JSON, and of commands the same identity. Errors make JSON within the limit.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sheaf/base/core/check.h"
#include "sheaf/wire/command/command.h"
#include "sheaf/wire/command/wire_error.h"

namespace sheaf {

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto request = command::ParseRequest(text);
  if (!request.ok()) {
    SHEAF_CHECK(request.error().kind == Kind::kInvalid);
    SHEAF_CHECK(!request.error().message.empty());
    const std::string error = command::ErrorJson(request.error());
    SHEAF_CHECK(error.size() <= command::kErrorJsonBytesMax);
    SHEAF_CHECK(command::ParseErrorJson(error).kind == Kind::kInvalid);
    return 0;
  }
  const std::string printed = command::Canonical(command::ToJson(*request));
  const auto again = command::ParseRequest(printed);
  SHEAF_CHECK(again.ok());
  SHEAF_CHECK(again->index() == request->index());
  SHEAF_CHECK(command::Canonical(command::ToJson(*again)) == printed);
  if (const auto* command = std::get_if<std::shared_ptr<const Command>>(&*request)) {
    const auto& same = std::get<std::shared_ptr<const Command>>(*again);
    SHEAF_CHECK(command::IdentityOf(**command, {}) == command::IdentityOf(*same, {}));
    for (const Path& path : command::InputPaths(**command)) {
      SHEAF_CHECK(Path::FromKey(path.Key()) == path);
    }
  }
  return 0;
}

}  // namespace sheaf
