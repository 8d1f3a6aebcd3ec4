// sheaf db alive: is the database there, and ready for a node?

#include <algorithm>
#include <cstdio>
#include <memory>

#include "sheaf/apps/sheaf/alive.h"
#include "sheaf/apps/sheaf/db.h"
#include "sheaf/apps/sheaf/db_commands.h"
#include "sheaf/apps/sheaf/text.h"

namespace sheaf::app {
namespace {

constexpr Duration kFirst = std::chrono::milliseconds(200), kLongest = std::chrono::seconds(5);

struct AliveFlags {
  DbFlags db;
  int64_t retries = 0;
};

// Only what may come by itself is waited for.
Result<Alive> LookUntil(DbSession& session, int64_t retries) {
  const std::string& text = session.settings().persistence.backend;
  const auto parts = session.parts(persistence::Opening::kLook);
  Duration span = kFirst;
  for (int64_t attempt = 0; true; ++attempt) {
    if (attempt > 0) {
      SHEAF_TRY(session.report()({"connecting again", attempt, retries}));
    }
    Alive alive = LookWhetherAlive(text, parts);
    if (alive.life != Life::kAway || attempt == retries) return alive;
    // Half of the span at least: never at once, and never all clients together.
    const auto wait = std::chrono::duration_cast<Duration>(span * (0.5 + 0.5 * RandomPart()));
    (void)parts.ending->WaitFor(wait);
    SHEAF_TRY(session.report()({"connecting again", attempt + 1, retries}));
    span = std::min(span * 2, kLongest);
  }
}

Result<int> Show(DbSession& session, const AliveFlags& flags) {
  SHEAF_ASSIGN(const Alive alive, LookUntil(session, flags.retries));
  if (flags.db.json) {
    std::printf("%s\n", ToJson(alive).dump().c_str());
  } else {
    std::fprintf(alive.life == Life::kAlive ? stdout : stderr, "%s\n",
                 Printable(alive.message).c_str());
  }
  return static_cast<int>(alive.life);
}

}  // namespace

void AddDbAlive(Command& db) {
  auto flags = std::make_shared<AliveFlags>();
  auto command = db.Sub("alive", "Is the database there, initialised, and are its roles?");
  command.Number("--retries", flags->retries, 0, 1'000'000,
                 "Tries more while it cannot be connected to, each a little later (0)");
  AddDbFlags(command, flags->db);
  command
      .Does([flags] {
        return WithDbSettings(flags->db, [&](DbSession& session) { return Show(session, *flags); });
      })
      .Examples(
          "  sheaf db alive --state ./sheaf-state\n"
          "  sheaf db alive --backend postgresql://sheaf@db/sheaf --retries 20 || echo $?\n"
          "  sheaf db alive --json | jq .roles\n"
          "Exit codes: 0 alive · 1 not initialised · 2 cannot connect · 3 not authorised ·\n"
          "4 unknown. Nothing is made or changed.");
}

}  // namespace sheaf::app
