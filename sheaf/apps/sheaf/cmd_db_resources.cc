// sheaf db node-state, sheaf db qload: nodes, shares and demand, straight from the database.

#include <cstdio>
#include <map>
#include <memory>

#include "sheaf/apps/sheaf/db.h"
#include "sheaf/apps/sheaf/db_commands.h"
#include "sheaf/apps/sheaf/exit.h"
#include "sheaf/wire/records/row_json.h"

namespace sheaf::app {
namespace {

Result<persistence::Resources> ReadResources(DbSession& session) {
  auto* resources = session.backend().parts.resources.get();
  if (resources == nullptr) {
    return Fail(Kind::kUnsupported, "the back end " + session.backend().shown + " keeps no nodes");
  }
  return resources->Read();
}

Json Verdict(const persistence::Resources& resources) {
  const auto verdict = persistence::Judge(resources);
  return {{"verdict", persistence::VerdictName(verdict.verdict)},
          {"reason", verdict.reason},
          {"shares_free", verdict.shares_free},
          {"shares_total", verdict.shares_total},
          {"shares_wanted", verdict.shares_wanted}};
}

// Indented for people; a line for programs.
void Print(const Json& told, bool json) { std::printf("%s\n", told.dump(json ? -1 : 2).c_str()); }

Result<int> NodeState(DbSession& session, bool json) {
  SHEAF_ASSIGN(const auto resources, ReadResources(session));
  std::map<std::string, Json> shares;
  for (const auto& share : resources.shares) {
    auto& list = shares[share.Get<"node">()];
    if (list.is_null()) list = Json::array();
    list.push_back(records::ToJson(share.row()));
  }
  Json nodes = Json::array();
  for (const auto& node : resources.nodes) {
    Json one = records::ToJson(node.row());
    const auto found = shares.find(node.Get<"name">());
    one["shares"] = found == shares.end() ? Json::array() : found->second;
    nodes.push_back(std::move(one));
  }
  Print({{"nodes", std::move(nodes)}}, json);
  return static_cast<int>(kExitOk);
}

Result<int> Qload(DbSession& session, bool json) {
  SHEAF_ASSIGN(const auto resources, ReadResources(session));
  Json load = Json::array();
  for (const auto& one : resources.load) load.push_back(records::ToJson(one.row()));
  Print({{"load", std::move(load)}, {"provisioning", Verdict(resources)}}, json);
  return static_cast<int>(kExitOk);
}

}  // namespace

void AddDbNodeState(Command& db) {
  auto flags = std::make_shared<DbFlags>();
  auto command = db.Sub("node-state", "The nodes with their shares, as JSON");
  AddDbFlags(command, *flags);
  command
      .Does([flags] {
        return LookAtDatabase(*flags,
                              [&](DbSession& session) { return NodeState(session, flags->json); });
      })
      .Examples(
          "  sheaf db node-state --state ./sheaf-state\n"
          "  sheaf db node-state --json | jq '.nodes[] | {name, shares: (.shares | length)}'\n"
          "Reads the database, also while a node uses it. --json: on one line.");
}

void AddDbQload(Command& db) {
  auto flags = std::make_shared<DbFlags>();
  auto command = db.Sub("qload", "What is asked for and what is given, as JSON");
  AddDbFlags(command, *flags);
  command
      .Does([flags] {
        return LookAtDatabase(*flags,
                              [&](DbSession& session) { return Qload(session, flags->json); });
      })
      .Examples(
          "  sheaf db qload --state ./sheaf-state\n"
          "  sheaf db qload --json | jq -r .provisioning.verdict\n"
          "Reads the database, also while a node uses it. --json: on one line.");
}

}  // namespace sheaf::app
