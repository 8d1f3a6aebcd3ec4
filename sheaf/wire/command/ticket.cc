#include "sheaf/wire/command/ticket.h"

#include <sodium.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "sheaf/base/core/check.h"

namespace sheaf::command {
namespace {

// The first byte of every ticket: not '{' (JSON), and the version of what follows.
constexpr char kVersion = '\x01';
constexpr size_t kTicketBytesMax = 16 * 1024;
static_assert(TicketBox::kKeyBytes == crypto_auth_hmacsha256_KEYBYTES);

const uint8_t* Raw(std::string_view bytes) {
  return reinterpret_cast<const uint8_t*>(bytes.data());
}

// Little-endian numbers; texts with their size before them.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}
  template <typename Number>
  void Put(Number value) {
    for (size_t i = 0; i < sizeof(Number); ++i) out_ += static_cast<char>(value >> (8 * i));
  }
  void PutText(std::string_view text) {
    SHEAF_CHECK(text.size() <= UINT16_MAX);
    Put(static_cast<uint16_t>(text.size()));
    out_ += text;
  }

 private:
  std::string& out_;
};

// Once it has read beyond the end it stays failed and gives empty values.
class Reader {
 public:
  explicit Reader(std::string_view in) : in_(in) {}
  template <typename Number>
  Number Get() {
    const std::string_view bytes = Cut(sizeof(Number));
    Number value = 0;
    for (size_t i = 0; i < bytes.size(); ++i) {
      value = static_cast<Number>(value | static_cast<Number>(static_cast<uint8_t>(bytes[i]))
                                              << (8 * i));
    }
    return value;
  }
  std::string GetText() { return std::string(Cut(Get<uint16_t>())); }
  bool done() const { return !failed_ && in_.empty(); }

 private:
  std::string_view Cut(size_t size) {
    if (size > in_.size()) failed_ = true;
    if (failed_) return {};
    const std::string_view cut = in_.substr(0, size);
    in_.remove_prefix(size);
    return cut;
  }
  std::string_view in_;
  bool failed_ = false;
};

}  // namespace

struct TicketBox::Keyed {
  crypto_auth_hmacsha256_state state;
  std::string Tag(std::string_view body) const {
    auto after = state;
    std::string tag(crypto_auth_hmacsha256_BYTES, '\0');
    crypto_auth_hmacsha256_update(&after, Raw(body), body.size());
    crypto_auth_hmacsha256_final(&after, reinterpret_cast<uint8_t*>(tag.data()));
    return tag;
  }
};

TicketBox::TicketBox(std::string key) {
  SHEAF_CHECK(key.size() == kKeyBytes);
  SHEAF_CHECK(sodium_init() >= 0);
  auto keyed = std::make_shared<Keyed>();
  crypto_auth_hmacsha256_init(&keyed->state, Raw(key), key.size());
  keyed_ = std::move(keyed);
}

std::string TicketBox::Seal(const Ticket& ticket) const {
  std::string bytes(1, kVersion);
  Writer write(bytes);
  write.PutText(ticket.node.text);
  write.Put(ticket.generation);
  write.Put(ticket.partition);
  write.PutText(ticket.path.Key());
  write.PutText(ticket.task.text);
  write.PutText(ticket.interest.text);
  write.PutText(ticket.principal);
  bytes += keyed_->Tag(bytes);
  SHEAF_CHECK(bytes.size() <= kTicketBytesMax);
  return bytes;
}

Result<Ticket> TicketBox::Open(std::string_view bytes) const {
  const auto refused = [] {
    return Fail(Kind::kInvalidTicket, "not a ticket of this server, or it was changed");
  };
  constexpr size_t kTag = crypto_auth_hmacsha256_BYTES;
  if (bytes.size() <= kTag || bytes.size() > kTicketBytesMax) return refused();
  const std::string_view body = bytes.substr(0, bytes.size() - kTag);
  const std::string_view tag = bytes.substr(body.size());
  if (sodium_memcmp(keyed_->Tag(body).data(), tag.data(), kTag) != 0) {
    return refused();
  }
  if (body.front() != kVersion) return refused();
  Reader read(body.substr(1));
  Ticket ticket;
  ticket.node.text = read.GetText();
  ticket.generation = read.Get<uint64_t>();
  ticket.partition = read.Get<uint32_t>();
  ticket.path = Path::FromKey(read.GetText());
  ticket.task.text = read.GetText();
  ticket.interest.text = read.GetText();
  ticket.principal = read.GetText();
  if (!read.done()) return refused();
  return ticket;
}

std::string Sha256(std::string_view bytes) {
  std::string hash(crypto_hash_sha256_BYTES, '\0');
  crypto_hash_sha256(reinterpret_cast<uint8_t*>(hash.data()), Raw(bytes), bytes.size());
  return hash;
}

}  // namespace sheaf::command
