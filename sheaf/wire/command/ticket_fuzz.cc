// Any bytes are refused as a ticket, save those that were sealed; and what is read from bytes with
// a good seal never reads beyond them.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "sheaf/base/core/check.h"
#include "sheaf/wire/command/ticket.h"

namespace sheaf {

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const command::TicketBox box(std::string(command::TicketBox::kKeyBytes, 'k'));
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto forged = box.Open(bytes);
  SHEAF_CHECK(!forged.ok() && forged.error().kind == Kind::kInvalidTicket);

  // The fields come from the input; they must come back.
  command::Ticket ticket;
  ticket.node.text = bytes.substr(0, size / 3);
  ticket.generation = size * 0x9E3779B97F4A7C15;
  ticket.partition = static_cast<uint32_t>(ticket.generation);
  ticket.principal = bytes.substr(size / 3);
  if (auto path = command::Path::Make({std::string(bytes.substr(0, 200)), "part"}); path.ok()) {
    ticket.path = *path;
  }
  std::string sealed = box.Seal(ticket);
  const auto opened = box.Open(sealed);
  SHEAF_CHECK(opened.ok());
  SHEAF_CHECK(opened->node == ticket.node && opened->principal == ticket.principal);
  SHEAF_CHECK(opened->generation == ticket.generation && opened->partition == ticket.partition);
  SHEAF_CHECK(opened->path == ticket.path);
  if (size > 0) {
    sealed[data[0] % sealed.size()] ^= static_cast<char>(1 + data[size - 1] % 255);
    SHEAF_CHECK(!box.Open(sealed).ok());
  }
  return 0;
}

}  // namespace sheaf
