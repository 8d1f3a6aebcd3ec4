// PLAN  every back end keeps the contract, alone and behind faults
#include "sheaf/ports/persistence/contract/persistence_contract.h"

#include "sheaf/adapters/persistence/persistence.h"

namespace sheaf::persistence {
namespace {

Backend Null() {
  return {.name = "null",
          .open = [](const std::string&) { return Result<Persistence>(OpenNull()); },
          .keeps = false,
          .survives_reopen = false,
          .shared = false,
          .has_summaries = false};
}
Backend Memory() {
  return {.name = "memory",
          .open = [](const std::string&) { return Result<Persistence>(OpenMemory()); },
          .survives_reopen = false,
          .shared = false};
}
Backend File() {
  return {.name = "file",
          .open =
              [](const std::string& directory) {
                return OpenFile({.directory = directory, .segments_max = 2});
              },
          .shared = false,
          .has_summaries = false,
          .has_resources = false};
}
Backend Sqlite() {
  return {.name = "sqlite", .open = [](const std::string& directory) -> Result<Persistence> {
            SHEAF_ASSIGN(auto opened, OpenSqlite({.path = directory + "/sheaf.db",
                                                  .checkpoint = {.chain_bytes_max = 4096}}));
            return std::move(opened.parts);
          }};
}
Backend Faulty(Backend backend) {
  backend.name = "faulty " + backend.name;
  backend.faults_in_ten = 4;
  return backend;
}

SHEAF_PERSISTENCE_CONTRACT(Null, testing::Values(Null()));
SHEAF_PERSISTENCE_CONTRACT(FaultyNull, testing::Values(Faulty(Null())));
SHEAF_PERSISTENCE_CONTRACT(Memory, testing::Values(Memory()));
SHEAF_PERSISTENCE_CONTRACT(FaultyMemory, testing::Values(Faulty(Memory())));
SHEAF_PERSISTENCE_CONTRACT(File, testing::Values(File()));
SHEAF_PERSISTENCE_CONTRACT(FaultyFile, testing::Values(Faulty(File())));
SHEAF_PERSISTENCE_CONTRACT(Sqlite, testing::Values(Sqlite()));
SHEAF_ADMINISTRATION_CONTRACT(Sqlite, testing::Values(Sqlite()));
SHEAF_PERSISTENCE_CONTRACT(FaultySqlite, testing::Values(Faulty(Sqlite())));

}  // namespace
}  // namespace sheaf::persistence
