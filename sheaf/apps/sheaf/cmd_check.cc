// sheaf check: what of a node and its database is up.

#include <cstdio>
#include <memory>
#include <optional>

#include "sheaf/adapters/flights/flights.h"
#include "sheaf/apps/sheaf/alive.h"
#include "sheaf/apps/sheaf/commands.h"
#include "sheaf/apps/sheaf/exit.h"
#include "sheaf/apps/sheaf/local_postgres.h"
#include "sheaf/apps/sheaf/running.h"
#include "sheaf/apps/sheaf/text.h"
#include "sheaf/apps/sheaf/up.h"

namespace sheaf::app {
namespace {

enum CheckExit : int { kAllUp = 0, kPartlyUp = 1, kAllDown = 3 };

struct Checked {
  std::optional<RunningNode> node;
  bool ready = false;
  std::string words;             // Of the node, for people.
  std::optional<bool> database;  // Absent: it is not `sheaf up`'s to run.
  Json health = Json::object();
};

Result<Json> AskHealth(Clock& clock, const std::string& uri) {
  SHEAF_ASSIGN(const auto remote, flights::OpenRemote(uri, clock, {}));
  flights::Context context;
  context.deadline = Deadline::After(clock, std::chrono::seconds(10));
  SHEAF_ASSIGN(auto answers, remote->Do("HealthCheck", Json::object(), context));
  if (answers.empty()) return Fail(Kind::kInternal, "HealthCheck gave no answer");
  return std::move(answers.front());
}

void LookAtNode(DbSession& session, Checked& checked) {
  checked.node = FindNode(session.state_dir());
  if (!checked.node) {
    checked.words = "down";
    return;
  }
  auto health = AskHealth(session.clock(), checked.node->ready.value("flight", ""));
  if (!health.ok()) {
    checked.words = "up, but it does not answer: " + health.error().message;
    return;
  }
  checked.health = *std::move(health);
  checked.ready = checked.health.value("ready", false);
  const Json kept = checked.health.value("persistence", Json::object());
  checked.words =
      checked.ready ? "up and ready" : "up, not ready: " + checked.health.value("state", "?");
  checked.words +=
      "; its memory, " + kept.value("backend", "?") + ", is " + kept.value("state", "?");
}

// `sheaf up` has one to run: by these settings, by those of the node that is up, or it is up.
bool HasLocal(DbSession& session, const Checked& checked, const BackendParts& parts) {
  if (IsLocal(session)) return true;
  const Json kept = checked.health.value("persistence", Json::object());
  if (kept.value("backend", "") == kLocalPostgres) return true;
  return LocalPostgres(session.state_dir(), session.settings(),
                       SurroundingsOf(parts.clock, parts.ending))
      .Running()
      .has_value();
}

Checked Look(DbSession& session) {
  Checked checked;
  LookAtNode(session, checked);
  const auto parts = session.parts(persistence::Opening::kLook);
  if (!HasLocal(session, checked, parts)) return checked;
  const Life life = LookWhetherAlive(std::string(kLocalPostgres), parts).life;
  checked.database = life == Life::kAlive || life == Life::kEmpty;
  return checked;
}

int ExitOf(const Checked& checked) {
  const bool database = checked.database.value_or(true);
  if (checked.node && checked.ready && database) return kAllUp;
  const bool something = checked.node || checked.database.value_or(false);
  return something ? kPartlyUp : kAllDown;
}

void Print(const Checked& checked, bool json) {
  if (json) {
    Json node{{"up", checked.node.has_value()}, {"ready", checked.ready}};
    if (checked.node) node.update(checked.node->ready);
    node["ready"] = checked.ready;
    if (!checked.health.empty()) node["health"] = checked.health;
    Json told{{"node", std::move(node)}, {"exit", ExitOf(checked)}};
    if (checked.database) told["database"] = {{"up", *checked.database}};
    std::printf("%s\n", told.dump().c_str());
    return;
  }
  std::printf("node: %s\n", Printable(checked.words).c_str());
  if (checked.node) {
    std::printf("flight: %s\n", Printable(checked.node->ready.value("flight", "")).c_str());
  }
  if (checked.database) std::printf("database: %s\n", *checked.database ? "up" : "down");
}

Result<int> Check(DbSession& session, bool json) {
  if (const int missing = ExpectState(session); missing != kExitOk) return missing;
  const Checked checked = Look(session);
  Print(checked, json);
  return ExitOf(checked);
}

}  // namespace

void AddCheck(Cli& cli) {
  auto flags = std::make_shared<DbFlags>();
  auto command = cli.Add("check", "Say what of a node and its database is up");
  AddUpFlags(command, *flags);
  command
      .Does([flags] {
        return WithDbSettings(*flags,
                              [&](DbSession& session) { return Check(session, flags->json); });
      })
      .Examples(
          "  sheaf check --config node.toml\n"
          "  sheaf check --state ./sheaf-state --json | jq .node.health.persistence\n"
          "Exit codes: 0 all is up and ready · 1 not all is, or not ready · 3 nothing is up.\n"
          "It tells of what `sheaf up` started; `sheaf health` asks any node. Nothing is changed.");
}

}  // namespace sheaf::app
