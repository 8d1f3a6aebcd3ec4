#include "sheaf/ports/persistence/epoch.h"

#include "sheaf/wire/command/json.h"

namespace sheaf::persistence {
namespace {
constexpr std::string_view kNodePrefix = "node/";
constexpr size_t kScopeBytesMax = 300;
}  // namespace

std::string NodeScope(std::string_view name) { return std::string(kNodePrefix).append(name); }

Status CheckScope(std::string_view scope) {
  const bool node = scope.starts_with(kNodePrefix) && scope.size() > kNodePrefix.size();
  if (scope == kClusterScope || (node && scope.size() <= kScopeBytesMax)) return Done();
  return Fail(Kind::kInvalid,
              "a scope is 'cluster' or 'node/<name>', not '" + std::string(scope) + "'");
}

Error OwnershipLost(const Epoch& stale, uint64_t present, std::string_view holder) {
  const Json details = {{"reason", "ownership_lost"},
                        {"scope", stale.scope},
                        {"epoch", stale.number},
                        {"present", present},
                        {"holder", std::string(holder)}};
  return Fail(Kind::kConflict,
              "ownership of " + stale.scope + " is lost: epoch " + std::to_string(stale.number) +
                  " of '" + stale.holder + "' ended, now " + std::to_string(present) + " of '" +
                  std::string(holder) + "'",
              details.dump(-1, ' ', false, Json::error_handler_t::replace));
}

bool IsOwnershipLost(const Error& error) {
  return error.kind == Kind::kConflict &&
         error.details.find("\"ownership_lost\"") != std::string::npos;
}

Error ScopeHeld(const Epoch& present) {
  const Json details = {{"reason", "scope_held"},
                        {"scope", present.scope},
                        {"epoch", present.number},
                        {"holder", present.holder}};
  return Fail(Kind::kConflict,
              "the scope " + present.scope + " is held by '" + present.holder + "' (epoch " +
                  std::to_string(present.number) +
                  "): stop it; if it no longer runs, --force takes its right to write away",
              details.dump(-1, ' ', false, Json::error_handler_t::replace));
}

bool IsScopeHeld(const Error& error) {
  return error.kind == Kind::kConflict && error.details.find("\"scope_held\"") != std::string::npos;
}

}  // namespace sheaf::persistence
