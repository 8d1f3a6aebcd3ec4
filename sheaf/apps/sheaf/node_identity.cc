#include "sheaf/apps/sheaf/node_identity.h"

#include <filesystem>
#include <system_error>

#include "sheaf/drivers/files/publish.h"
#include "sheaf/wire/command/json.h"
#include "sheaf/wire/command/ticket.h"

namespace sheaf::app {
namespace {

namespace fs = std::filesystem;
constexpr uint64_t kFileBytesMax = 64 << 10;

// Raw bytes of lower-case hexadecimal; empty when it is none.
std::string FromHex(std::string_view hex) {
  const auto digit = [](char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  std::string raw;
  if (hex.size() % 2 != 0) return raw;
  for (size_t i = 0; i < hex.size(); i += 2) {
    if (digit(hex[i]) < 0 || digit(hex[i + 1]) < 0) return {};
    raw += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
  }
  return raw;
}

Result<NodeIdentity> Parse(const std::string& text, const std::string& path) {
  const auto damaged = [&](const std::string& why) {
    return Fail(Kind::kCorrupt, "'" + path + "' is damaged: " + why);
  };
  auto json = command::ParseJson(text);
  if (!json.ok()) return damaged(json.error().message);
  command::ObjectReader read(*json, "node");
  const auto id = read.RequiredString("id");
  const auto key = read.RequiredString("ticket_key");
  if (!id.ok() || !key.ok()) return damaged("it lacks `id` or `ticket_key`");
  std::string raw = FromHex(*key);
  if (id->size() != 32 || raw.size() != command::TicketBox::kKeyBytes) {
    return damaged("`id` or `ticket_key` has another length");
  }
  return NodeIdentity{.id = {*id}, .ticket_key = std::move(raw)};
}

}  // namespace

NodeIdentity NewNodeIdentity() {
  NodeIdentity identity;
  identity.id = core::NewId<core::NodeTag>();
  identity.ticket_key.resize(command::TicketBox::kKeyBytes);
  core::FillRandom(identity.ticket_key.data(), identity.ticket_key.size());
  return identity;
}

Result<NodeIdentity> LoadNodeIdentity(files::FileSystem& files, const std::string& directory) {
  const std::string path = directory + "/node.json";
  auto text = files::ReadWhole(files, path, kFileBytesMax);
  if (text.ok()) return Parse(*text, path);
  if (text.error().kind != Kind::kNotFound) return std::move(text).error();
  const NodeIdentity identity = NewNodeIdentity();
  const Json json{{"id", identity.id.text}, {"ticket_key", core::ToHex(identity.ticket_key)}};
  SHEAF_TRY(files::Publish(files, path, json.dump(2) + "\n"));
  std::error_code error;
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write, error);
  if (error) return Fail(Kind::kDependency, path + ": " + error.message());
  return identity;
}

}  // namespace sheaf::app
