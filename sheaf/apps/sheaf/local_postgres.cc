#include "sheaf/apps/sheaf/local_postgres.h"

#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>
#include <vector>

#include "sheaf/apps/sheaf/password_file.h"
#include "sheaf/apps/sheaf/private_file.h"
#include "sheaf/apps/sheaf/state_directory.h"
#include "sheaf/drivers/postgres/transaction.h"

namespace sheaf::app {
namespace {

namespace fs = std::filesystem;

constexpr Duration kInitialiseMax = std::chrono::minutes(3), kAnswerMax = std::chrono::minutes(2);
constexpr const char* kSuperuser = "postgres";
constexpr const char* kPort = "5432";  // Of the socket's name; nothing listens on a network.

std::string SuperuserFile(const std::string& state_dir) {
  return state_dir + "/postgres.superuser.pass";
}

bool Runs(const fs::path& program) { return ::access(program.c_str(), X_OK) == 0; }

// Where Debian and its like keep them, the newest first; then PATH.
std::vector<fs::path> Places() {
  std::vector<std::pair<int, fs::path>> versions;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", ignored)) {
    versions.emplace_back(std::atoi(entry.path().filename().c_str()), entry.path() / "bin");
  }
  std::sort(versions.rbegin(), versions.rend());
  std::vector<fs::path> places;
  for (auto& [version, path] : versions) places.push_back(std::move(path));
  const char* path = ::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): nothing here sets it.
  std::string_view rest = path == nullptr ? "" : path;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find(':'), rest.size());
    places.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return places;
}

Status Give(const std::string& path, const UserId& who) {
  if (::getuid() != 0 || ::chown(path.c_str(), who.user, who.group) == 0) return Done();
  return Fail(Kind::kDependency, path + ": " + std::generic_category().message(errno));
}

}  // namespace

Result<std::string> LocalPostgres::Program(const std::string& name) const {
  if (!up_.postgres_programs.empty()) {
    const fs::path program = fs::path(up_.postgres_programs) / name;
    if (Runs(program)) return program.string();
    return Fail(Kind::kInvalid, "up.postgres_programs: there is no program " + program.string());
  }
  for (const fs::path& place : Places()) {
    if (Runs(place / name)) return (place / name).string();
  }
  return Fail(Kind::kInvalid, "postgresql:local needs PostgreSQL, and its program '" + name +
                                  "' is not here: install it (Debian: postgresql), or say where "
                                  "it is with up.postgres_programs");
}

std::optional<ProcessId> LocalPostgres::Running() const {
  std::ifstream file(Directory() + "/data/postmaster.pid");
  pid_t pid = 0;
  if (!(file >> pid)) return std::nullopt;
  const auto found = FindProcess(pid);
  if (!found) return std::nullopt;
  const auto words = WordsOf(*found);
  const bool ours = std::find(words.begin(), words.end(), Directory() + "/data") != words.end();
  return ours ? found : std::nullopt;
}

Status LocalPostgres::MakeDirectories() const {
  const auto files = files::OpenLocalFiles();
  SHEAF_TRY(MakePrivate(*files, state_dir_));
  SHEAF_TRY(MakePrivate(*files, Directory()));
  SHEAF_TRY(MakePrivate(*files, Directory() + "/socket"));
  const std::string socket = Directory() + "/socket/.s.PGSQL." + kPort;
  if (socket.size() >= sizeof(sockaddr_un::sun_path)) {
    return Fail(Kind::kInvalid, "the state directory's name is too long for a socket in it, " +
                                    std::to_string(socket.size()) + " bytes of " +
                                    std::to_string(sizeof(sockaddr_un::sun_path) - 1) + ": " +
                                    socket);
  }
  SHEAF_ASSIGN(const UserId who, FindUser(up_.postgres_user));
  for (const char* below : {"", "/socket"}) SHEAF_TRY(Give(Directory() + below, who));
  return ExpectReach();
}

// The server's user must be able to pass through the directories above its own.
Status LocalPostgres::ExpectReach() const {
  SHEAF_ASSIGN(const UserId who, FindUser(up_.postgres_user));
  if (::getuid() != 0 || who.user == 0) return Done();
  // Its group may pass through the state directory, and read nothing in it.
  if (::chown(state_dir_.c_str(), static_cast<uid_t>(-1), who.group) != 0 ||
      ::chmod(state_dir_.c_str(), 0710) != 0) {
    return Fail(Kind::kDependency, state_dir_ + ": " + std::generic_category().message(errno));
  }
  for (fs::path above = state_dir_; true; above = above.parent_path()) {
    struct stat facts {};
    if (::stat(above.c_str(), &facts) != 0) break;
    const mode_t needed = facts.st_uid == who.user    ? S_IXUSR
                          : facts.st_gid == who.group ? S_IXGRP
                                                      : S_IXOTH;
    if ((facts.st_mode & needed) == 0) {
      return Fail(Kind::kInvalid, "the user '" + up_.postgres_user + "' cannot pass through " +
                                      above.string() +
                                      ": chmod o+x it, or keep the state "
                                      "elsewhere");
    }
    if (above == above.parent_path()) break;
  }
  return Done();
}

// In a directory that gets its name when all is done: what was cut off is begun again.
Status LocalPostgres::Initialise(const persistence::Report& report) const {
  const std::string data = Directory() + "/data", draft = data + ".new";
  if (IsThere(data)) return Done();
  std::error_code ignored;
  fs::remove_all(draft, ignored);
  SHEAF_ASSIGN(const std::string program, Program("initdb"));
  SHEAF_ASSIGN(const UserId who, FindUser(up_.postgres_user));
  const std::string password = NewPassword(), file = Directory() + "/password";
  Passwords kept;
  kept.Set(kSuperuser, password);
  SHEAF_TRY(kept.Write(SuperuserFile(state_dir_)));
  SHEAF_TRY(WritePrivate(file, password + "\n"));
  SHEAF_TRY(Give(file, who));
  SHEAF_ASSIGN(
      const ProcessId process,
      Start({.words = {program, "-D", draft, "-U", kSuperuser, "-E", "UTF8", "--locale=C.UTF-8",
                       "--auth=scram-sha-256", "--pwfile=" + file, "--no-instructions"},
             .log = Log(),
             .output = -1,
             .user = up_.postgres_user}));
  auto ended = AwaitEnd(process, kInitialiseMax, [&] {
    return report({"making the database's files", 0, 0});
  });
  if (!ended.ok() || !*ended) Tell(process, SIGINT);
  const int code = ExitCodeOf(process);
  ::unlink(file.c_str());
  if (!ended.ok()) return std::move(ended).error();
  if (code != 0) {
    return Fail(Kind::kFailed, "initdb failed, exit code " + std::to_string(code) +
                                   "; the end of " + Log() + ":\n" + TailOf(Log()));
  }
  fs::rename(draft, data, ignored);
  if (ignored) return Fail(Kind::kDependency, data + ": " + ignored.message());
  return files::OpenLocalFiles()->SyncDirectory(Directory());
}

Result<ProcessId> LocalPostgres::StartServer() const {
  SHEAF_ASSIGN(const std::string program, Program("postgres"));
  return Start({.words = {program, "-D", Directory() + "/data", "-k", Directory() + "/socket", "-p",
                          kPort, "-c", "listen_addresses=", "-c", "unix_socket_permissions=0700",
                          "-c", "cluster_name=sheaf", "-c", "password_encryption=scram-sha-256",
                          "-c", "fsync=on", "-c", "full_page_writes=on"},
                .log = Log(),
                .output = -1,
                .user = up_.postgres_user});
}

// It answers when it refuses who has no password.
Status LocalPostgres::AwaitAnswer(const ProcessId& server,
                                  const persistence::Report& report) const {
  SHEAF_ASSIGN(auto place, PostgresPlaceOf(std::string(kLocalPostgres), state_dir_, ""));
  const auto deadline = Deadline::After(around_.clock, kAnswerMax);
  const auto told = [&] { return report({"waiting for the database", 0, 0}); };
  std::string last;
  while (!deadline.Passed(around_.clock.Now())) {
    const auto connection = postgres::Connection::Open(ConnectOnce(place), around_);
    if (connection.ok() || connection.error().kind != Kind::kDependency) return Done();
    last = connection.error().message;
    SHEAF_TRY(told());
    SHEAF_TRY(around_.wait(std::chrono::milliseconds(50)));
    if (!IsAlive(server)) {
      return Fail(Kind::kFailed,
                  "PostgreSQL did not start; the end of " + Log() + ":\n" + TailOf(Log()));
    }
  }
  return Fail(Kind::kDeadline, "PostgreSQL does not answer: " + last + "; the end of " + Log() +
                                   ":\n" + TailOf(Log()));
}

Status LocalPostgres::MakeDatabase() const {
  if (!IsThere(SuperuserFile(state_dir_))) return Done();  // All was made before.
  SHEAF_ASSIGN(auto place, PostgresPlaceOf(std::string(kLocalPostgres), state_dir_, ""));
  SHEAF_ASSIGN(place.url, postgres::UrlFor(place.url, kSuperuser));
  auto options = ConnectOnce(place);
  options.passfile = SuperuserFile(state_dir_);
  options.database = kSuperuser;
  auto opened = postgres::Connection::Open(std::move(options), around_);
  // It may not log in any more: all was made, only the file was left.
  if (!opened.ok() && opened.error().kind == Kind::kUnauthenticated) return Done();
  if (!opened.ok()) return std::move(opened).error();
  postgres::Connection& connection = **opened;
  SHEAF_ASSIGN(const auto rows, connection.Query(Sql("SELECT count(*) FROM pg_catalog.pg_database "
                                                     "WHERE datname='sheaf'")));
  SHEAF_ASSIGN(const auto count, rows.At(0, 0));
  if (std::get<int64_t>(count) > 0) return Done();
  SHEAF_TRY(connection.Run(Sql("CREATE DATABASE \"sheaf\"")));
  return Done();
}

Result<bool> LocalPostgres::Up(const persistence::Report& report) {
  SHEAF_TRY(MakeDirectories());
  SHEAF_TRY(Initialise(report));
  std::optional<ProcessId> server = Running();
  const bool started = !server.has_value();
  if (started) {
    SHEAF_ASSIGN(server, StartServer());
  }
  SHEAF_TRY(AwaitAnswer(*server, report));
  SHEAF_TRY(MakeDatabase());
  return started;
}

Result<bool> LocalPostgres::Down(const persistence::Report& report) {
  const auto process = Running();
  if (!process) return false;
  Tell(*process, SIGINT);
  SHEAF_ASSIGN(const bool ended, AwaitEnd(*process, std::chrono::minutes(2), [&] {
                 return report({"waiting until the database has stopped", 0, 0});
               }));
  if (ended) return true;
  return Fail(Kind::kDeadline, "PostgreSQL, process " + std::to_string(process->pid) +
                                   ", does not end; see " + Log());
}

void AsLocalSuperuser(const std::string& state_dir, CreateOptions& options) {
  options.admin = kSuperuser;
  options.admin_passfile = SuperuserFile(state_dir);
}

void ForgetSuperuser(const std::string& state_dir) { ::unlink(SuperuserFile(state_dir).c_str()); }

}  // namespace sheaf::app
