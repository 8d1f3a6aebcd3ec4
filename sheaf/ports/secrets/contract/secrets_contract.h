// The suite every source of secrets runs; see INSTANTIATE_TEST_SUITE_P in the adapters' tests.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "sheaf/ports/secrets/secrets.h"

namespace sheaf::secrets {

struct Backend {
  std::string name;
  // A source that holds exactly these.
  std::function<std::unique_ptr<Secrets>(const std::map<std::string, std::string>&)> open;
  // Deviations, printed at the end of the run.
  bool keeps_last_newline = true;  // files: no
  bool names_are_exact = true;     // environment: no, "a-b" is "A_B" there
  int faults_in_ten = 0;           // Calls that the fault decorator spoils.
};
std::ostream& operator<<(std::ostream& out, const Backend& backend);

class SecretsContract : public ::testing::TestWithParam<Backend> {
 protected:
  static void TearDownTestSuite();
  void Open(const std::map<std::string, std::string>& values);
  Result<std::string> Get(std::string_view name);  // Again when the source is away.

  std::unique_ptr<Secrets> source_;
  std::unique_ptr<Secrets> front_;
};

}  // namespace sheaf::secrets
