// PLAN  the contract, alone and behind faults · the environment's spelling of names · a file that
//       others may read is refused · a pipe does not hang · a chain asks in order and stops at
//       any error but absence
#include "sheaf/adapters/secrets/secrets.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "sheaf/ports/secrets/contract/secrets_contract.h"

namespace sheaf::secrets {
namespace {

namespace fs = std::filesystem;
using Values = std::map<std::string, std::string>;

// A directory of its own for each call, removed with the last copy.
class Folder {
 public:
  Folder() : path_(testing::TempDir() + "sheaf_secrets_" + core::RandomHex(8)) {
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  std::string path() const { return path_; }
  void Write(const std::string& name, const std::string& value, mode_t mode = 0600) const {
    std::ofstream(path_ + "/" + name, std::ios::binary) << value;
    ::chmod((path_ + "/" + name).c_str(), mode);
  }

 private:
  std::string path_;
};

std::unique_ptr<Secrets> OpenEnvironment(const Values& values) {
  auto variables = std::make_shared<Values>();
  for (const auto& [name, value] : values) {
    std::string variable = "SHEAF_SECRET_";
    for (const char c : name) {
      variable += std::isalnum(c) ? static_cast<char>(std::toupper(c)) : '_';
    }
    (*variables)[variable] = value;
  }
  return MakeEnvironmentSecrets([variables](const char* name) -> const char* {
    const auto found = variables->find(name);
    return found == variables->end() ? nullptr : found->second.c_str();
  });
}

// Keeps the folder as long as the source.
class InFolder final : public Secrets {
 public:
  explicit InFolder(const Values& values) : source_(MakeFileSecrets(folder_.path())) {
    for (const auto& [name, value] : values) folder_.Write(name, value);
  }
  Result<std::string> Get(std::string_view name) override { return source_->Get(name); }

 private:
  Folder folder_;
  std::unique_ptr<Secrets> source_;
};

std::unique_ptr<Secrets> OpenFiles(const Values& values) {
  return std::make_unique<InFolder>(values);
}

std::unique_ptr<Secrets> OpenChain(const Values& values) {
  std::vector<std::unique_ptr<Secrets>> sources;
  sources.push_back(OpenEnvironment({}));
  sources.push_back(OpenFiles(values));
  return MakeSecretsChain(std::move(sources));
}

INSTANTIATE_TEST_SUITE_P(Environment, SecretsContract,
                         testing::Values(Backend{.name = "environment",
                                                 .open = OpenEnvironment,
                                                 .names_are_exact = false}));
INSTANTIATE_TEST_SUITE_P(Files, SecretsContract,
                         testing::Values(Backend{
                             .name = "files", .open = OpenFiles, .keeps_last_newline = false}));
INSTANTIATE_TEST_SUITE_P(FaultyChain, SecretsContract,
                         testing::Values(Backend{.name = "faulty chain",
                                                 .open = OpenChain,
                                                 .keeps_last_newline = false,
                                                 .faults_in_ten = 4}));

TEST(EnvironmentSecretsTest, NamesAreSpeltAsVariables) {
  std::string asked;
  auto secrets = MakeEnvironmentSecrets([&](const char* name) -> const char* {
    asked = name;
    return nullptr;
  });
  EXPECT_FALSE(secrets->Get("sales.db-pw_2").ok());
  EXPECT_EQ(asked, "SHEAF_SECRET_SALES_DB_PW_2");
}

TEST(FileSecretsTest, AFileThatOthersMayReadIsRefused) {
  const Folder folder;
  auto secrets = MakeFileSecrets(folder.path());
  for (const mode_t mode : {0640, 0604, 0620, 0666}) {
    folder.Write("open", "visible", mode);
    const auto value = secrets->Get("open");
    ASSERT_EQ(value.error().kind, Kind::kInvalid) << mode;
    EXPECT_EQ(value.error().message.find("visible"), std::string::npos);
  }
  folder.Write("open", "visible", 0400);
  EXPECT_TRUE(secrets->Get("open").ok());
}

TEST(FileSecretsTest, ADirectoryOrAPipeIsNoSecretAndDoesNotHang) {
  const Folder folder;
  auto secrets = MakeFileSecrets(folder.path());
  fs::create_directory(folder.path() + "/dir");
  ASSERT_EQ(::mkfifo((folder.path() + "/pipe").c_str(), 0600), 0);
  EXPECT_EQ(secrets->Get("dir").error().kind, Kind::kDependency);
  EXPECT_EQ(secrets->Get("pipe").error().kind, Kind::kDependency);
}

TEST(FileSecretsTest, AValueIsReadAnewEachTime) {
  const Folder folder;
  auto secrets = MakeFileSecrets(folder.path());
  folder.Write("turning", "one\n");
  EXPECT_EQ(*secrets->Get("turning"), "one");
  folder.Write("turning", "two\n\n");
  EXPECT_EQ(*secrets->Get("turning"), "two\n");
}

TEST(SecretsChainTest, TheFirstThatHasItAnswers) {
  std::vector<std::unique_ptr<Secrets>> sources;
  sources.push_back(OpenEnvironment({{"a", "first"}}));
  sources.push_back(OpenFiles({{"a", "second"}, {"b", "only"}}));
  auto chain = MakeSecretsChain(std::move(sources));
  EXPECT_EQ(*chain->Get("a"), "first");
  EXPECT_EQ(*chain->Get("b"), "only");
  const Error error = chain->Get("c").error();
  EXPECT_NE(error.message.find("SHEAF_SECRET_C"), std::string::npos);
  EXPECT_NE(error.message.find("directory"), std::string::npos);
}

TEST(SecretsChainTest, AnyErrorButAbsenceEndsTheSearch) {
  const Folder folder;
  folder.Write("a", "open", 0644);
  std::vector<std::unique_ptr<Secrets>> sources;
  sources.push_back(MakeFileSecrets(folder.path()));
  sources.push_back(OpenEnvironment({{"a", "fallback"}}));
  EXPECT_EQ(MakeSecretsChain(std::move(sources))->Get("a").error().kind, Kind::kInvalid);
}

}  // namespace
}  // namespace sheaf::secrets
