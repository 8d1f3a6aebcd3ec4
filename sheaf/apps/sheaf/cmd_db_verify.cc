// sheaf db verify: every summary of history equals its document, or here is which does not.

#include <cstdio>
#include <memory>

#include "sheaf/apps/sheaf/db.h"
#include "sheaf/apps/sheaf/db_commands.h"
#include "sheaf/apps/sheaf/exit.h"
#include "sheaf/apps/sheaf/text.h"

namespace sheaf::app {
namespace {

Result<int> Verify(DbSession& session, bool json) {
  SHEAF_ASSIGN(auto* administration, session.administration());
  SHEAF_ASSIGN(const auto differences, administration->Verify(session.report()));
  if (json) {
    std::printf("%s\n", Json{{"differences", differences}}.dump().c_str());
  } else {
    for (const std::string& one : differences) std::printf("%s\n", Printable(one).c_str());
    if (differences.empty()) std::puts("every summary equals its document");
  }
  return differences.empty() ? static_cast<int>(kExitOk) : static_cast<int>(kExitRejected);
}

}  // namespace

void AddDbVerify(Command& db) {
  auto flags = std::make_shared<DbFlags>();
  auto command = db.Sub("verify", "Compare every summary of history with its document");
  AddDbFlags(command, *flags);
  command
      .Does([flags] {
        return LookAtDatabase(*flags,
                              [&](DbSession& session) { return Verify(session, flags->json); });
      })
      .Examples(
          "  sheaf db verify --state ./sheaf-state\n"
          "  sheaf db verify --backend postgresql:///sheaf --json | jq .differences");
}

}  // namespace sheaf::app
