// PLAN  the PostgreSQL back end keeps the contract, alone and behind faults
#include <fstream>

#include "sheaf/adapters/persistence/postgres_test.h"

namespace sheaf::persistence {
namespace {

// Of the directory that stands for the database: opened again, it is the same.
std::string UrlOf(const std::string& directory) {
  const std::string note = directory + "/url";
  std::string url;
  if (std::getline(std::ifstream(note), url)) return url;
  url = testkit::Postgres::Shared().FreshUrl();
  std::ofstream(note) << url << "\n";
  return url;
}

// None without a server; PostgresPersistenceTest says what is missing.
std::vector<Backend> Backends(int faults_in_ten) {
  if (!testkit::Postgres::Missing().empty()) return {};
  return {{.name = faults_in_ten == 0 ? "postgres" : "faulty postgres",
           .open = [](const std::string& directory) -> Result<Persistence> {
             SHEAF_ASSIGN(auto opened, OpenPostgres({.connect = {.url = UrlOf(directory)},
                                                     .checkpoint = {.chain_bytes_max = 4096}},
                                                    RealSurroundings()));
             return std::move(opened.parts);
           },
           .faults_in_ten = faults_in_ten}};
}

SHEAF_PERSISTENCE_CONTRACT(Postgres, testing::ValuesIn(Backends(0)));
SHEAF_ADMINISTRATION_CONTRACT(Postgres, testing::ValuesIn(Backends(0)));
SHEAF_PERSISTENCE_CONTRACT(FaultyPostgres, testing::ValuesIn(Backends(4)));

}  // namespace
}  // namespace sheaf::persistence
