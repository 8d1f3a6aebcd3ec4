#include "testkit/postgres.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <random>
#include <sstream>
#include <thread>
#include <vector>

#include "sheaf/base/core/check.h"

namespace testkit {
namespace {

constexpr char kPrograms[] = "/usr/lib/postgresql/15/bin/";
constexpr char kUser[] = "postgres";

// Who the server runs as: it refuses to run as root.
struct Identity {
  uid_t user = ::getuid();
  gid_t group = ::getgid();
  static Identity OfServer() {
    Identity who;
    if (who.user != 0) return who;
    const passwd* found = ::getpwnam(kUser);
    SHEAF_CHECK(found != nullptr);
    who.user = found->pw_uid;
    who.group = found->pw_gid;
    return who;
  }
  void Become() const {
    if (::getuid() != 0) return;
    SHEAF_CHECK(::setgroups(0, nullptr) == 0);
    SHEAF_CHECK(::setgid(group) == 0);
    SHEAF_CHECK(::setuid(user) == 0);
  }
};

// Starts a program of the server; its words go to the log.
pid_t Spawn(const std::vector<std::string>& words, const std::string& log) {
  const pid_t child = ::fork();
  SHEAF_CHECK(child >= 0);
  if (child != 0) return child;
  Identity::OfServer().Become();
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  const int in = ::open("/dev/null", O_RDONLY);
  ::dup2(in, 0);
  ::dup2(out, 1);
  ::dup2(out, 2);
  ::close_range(3, ~0U, 0);
  ::setenv("LC_ALL", "C.UTF-8", 1);
  std::vector<char*> arguments;
  for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const std::string program = kPrograms + words[0];
  ::execv(program.c_str(), arguments.data());
  ::_exit(127);
}

int Await(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

bool EndsWithin(pid_t child, std::chrono::seconds wait) {
  const auto end = std::chrono::steady_clock::now() + wait;
  while (std::chrono::steady_clock::now() < end) {
    if (::waitpid(child, nullptr, WNOHANG) != 0) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

std::string Random() {
  static constexpr char kLetters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::random_device random;
  std::string text;
  for (int i = 0; i < 24; ++i) text += kLetters[random() % 36];
  return text;
}

int FreePort() {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  SHEAF_CHECK(::bind(socket, reinterpret_cast<sockaddr*>(&address), size) == 0);
  SHEAF_CHECK(::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  ::close(socket);
  return ntohs(address.sin_port);
}

// In memory where the machine has such a place: the server syncs as it should, and it costs little.
std::filesystem::path Memory() {
  const std::filesystem::path memory = "/dev/shm";
  return ::access(memory.c_str(), W_OK) == 0 ? memory : std::filesystem::temp_directory_path();
}

std::string FreshDirectory(const std::filesystem::path& above) {
  std::string name = (above / "sheaf-postgres-XXXXXX").string();
  SHEAF_CHECK(::mkdtemp(name.data()) != nullptr);
  const Identity who = Identity::OfServer();
  SHEAF_CHECK(::chown(name.c_str(), who.user, who.group) == 0);
  return name;
}

std::string LogOf(const std::string& directory) { return directory + "/log"; }

// The process between the test and the server: it hears when the test is gone, however it went.
class Janitor {
 public:
  Janitor(std::string directory, int port, int commands)
      : directory_(std::move(directory)), port_(port), commands_(commands) {}

  [[noreturn]] void Run() {
    ::setsid();  // Ctrl-C is for the test.
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(signal, SIG_IGN);
    const int nothing = ::open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; ++fd) ::dup2(nothing, fd);
    ::dup2(commands_, 3);
    ::close_range(4, ~0U, 0);
    Start();
    char command = 0;
    while (true) {
      const ssize_t got = ::read(3, &command, 1);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) break;
      if (command == 'k') End(SIGQUIT);
      if (command == 's') End(SIGINT);
      if (command == 'r') Start();
      (void)!::write(3, &command, 1);
    }
    End(SIGINT);
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
    ::_exit(0);
  }

 private:
  void Start() {
    // The parent set these for itself; the server wants its own.
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(signal, SIG_DFL);
    const auto set = [](const std::string& what) { return "--" + what; };
    server_ = Spawn(
        {"postgres", "-D", directory_ + "/data", "-p", std::to_string(port_), "-k", directory_,
         set("listen_addresses=127.0.0.1"), set("fsync=on"), set("full_page_writes=on"),
         set("shared_buffers=32MB"), set("max_connections=60"), set("max_wal_size=256MB"),
         set("log_min_messages=warning"), set("log_min_error_statement=panic"),
         set("log_statement=none"), set("timezone=UTC")},
        LogOf(directory_));
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(signal, SIG_IGN);
  }
  void End(int signal) {
    if (server_ <= 0) return;
    ::kill(server_, signal);
    if (!EndsWithin(server_, std::chrono::seconds(20))) {
      ::kill(server_, SIGQUIT);
      if (!EndsWithin(server_, std::chrono::seconds(10))) ::kill(server_, SIGKILL);
    }
    server_ = -1;
  }

  const std::string directory_;
  const int port_;
  const int commands_;
  pid_t server_ = -1;
};

void Initialise(const std::string& directory, const std::string& password) {
  const std::string file = directory + "/password";
  std::ofstream(file) << password << "\n";
  const Identity who = Identity::OfServer();
  SHEAF_CHECK(::chown(file.c_str(), who.user, who.group) == 0);
  // A collation in which "a" comes before "B": whoever relies on another order finds out here.
  const int code = Await(
      Spawn({"initdb", "-D", directory + "/data", "-U", kUser, "-E", "UTF8", "--locale=C.UTF-8",
             "--locale-provider=icu", "--icu-locale=en-US", "--auth-local=trust",
             "--auth-host=scram-sha-256", "--pwfile=" + file, "--no-sync", "--no-instructions"},
            LogOf(directory)));
  if (code == 0) return;
  std::ifstream log(LogOf(directory));
  std::cerr << "initdb failed with " << code << ":\n" << log.rdbuf() << std::endl;
  std::abort();
}

}  // namespace

struct Postgres::Keeper {
  pid_t process = -1;
  int commands = -1;  // Its end of a pair of sockets.
};

std::string Postgres::Missing() {
  for (const char* program : {"initdb", "postgres", "pg_isready", "psql"}) {
    if (::access((std::string(kPrograms) + program).c_str(), X_OK) != 0) {
      return "PostgreSQL 15 is not installed (" + std::string(kPrograms) + program +
             " is missing): run tools/setup";
    }
  }
  if (::getuid() == 0 && ::getpwnam(kUser) == nullptr) {
    return "there is no user `postgres` for the server to run as";
  }
  return {};
}

Postgres& Postgres::Shared() {
  static Postgres shared;
  return shared;
}

Postgres::Postgres(const std::string& above)
    : directory_(FreshDirectory(above.empty() ? Memory() : std::filesystem::path(above))),
      password_(Random()),
      port_(FreePort()),
      keeper_(std::make_unique<Keeper>()) {
  Initialise(directory_, password_);
  int ends[2];
  SHEAF_CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  keeper_->process = ::fork();
  SHEAF_CHECK(keeper_->process >= 0);
  if (keeper_->process == 0) {
    ::close(ends[0]);
    Janitor(directory_, port_, ends[1]).Run();
  }
  ::close(ends[1]);
  keeper_->commands = ends[0];
  AwaitAnswer();
}

Postgres::~Postgres() {
  ::close(keeper_->commands);
  Await(keeper_->process);
}

void Postgres::AwaitAnswer() {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (std::chrono::steady_clock::now() < end) {
    const int code = Await(
        Spawn({"pg_isready", "-q", "-h", directory_, "-p", std::to_string(port_), "-U", kUser},
              "/dev/null"));
    if (code == 0) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  std::ifstream log(LogOf(directory_));
  std::cerr << "PostgreSQL does not answer:\n" << log.rdbuf() << std::endl;
  std::abort();
}

void Postgres::Tell(char command) {
  SHEAF_CHECK(::write(keeper_->commands, &command, 1) == 1);
  SHEAF_CHECK(::read(keeper_->commands, &command, 1) == 1);
}

void Postgres::Stop() { Tell('s'); }
void Postgres::Kill() { Tell('k'); }
void Postgres::Start() {
  Tell('r');
  AwaitAnswer();
}

std::string Postgres::Url() const {
  return std::string("postgresql:///postgres?user=") + kUser + "&host=" + directory_ +
         "&port=" + std::to_string(port_);
}

std::string Postgres::TcpUrl(const std::string& user, const std::string& password) const {
  return "postgresql://" + user + ":" + password + "@127.0.0.1:" + std::to_string(port_) +
         "/postgres";
}

std::string Postgres::FreshUrl() {
  const std::string schema = "t" + std::to_string(++schemas_);
  const int code = Await(
      Spawn({"psql", "-q", "-X", "-v", "ON_ERROR_STOP=1", "-h", directory_, "-p",
             std::to_string(port_), "-U", kUser, "-d", "postgres", "-c", "create schema " + schema},
            LogOf(directory_)));
  SHEAF_CHECK(code == 0);
  return Url() + "&options=-csearch_path%3D" + schema;
}

}  // namespace testkit
