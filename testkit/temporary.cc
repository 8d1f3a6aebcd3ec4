#include "testkit/temporary.h"

#include <filesystem>
#include <random>

#include "sheaf/base/core/check.h"

namespace testkit {

TemporaryDirectory::TemporaryDirectory() {
  std::random_device random;
  const auto name = "sheaf-test-" + std::to_string(random()) + "-" + std::to_string(random());
  path_ = (std::filesystem::temp_directory_path() / name).string();
  SHEAF_CHECK(std::filesystem::create_directory(path_));
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace testkit
