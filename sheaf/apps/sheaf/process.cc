#include "sheaf/apps/sheaf/process.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>
#include <utility>

namespace sheaf::app {
namespace {

std::string Why(int number) { return std::generic_category().message(number); }

std::string ReadProc(pid_t pid, const char* what) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/" + what, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Between fork and exec: nothing here takes a lock or allocates.
[[noreturn]] void Become(const StartOptions& options, const UserId& who, char* const* words,
                         int log) {
  ::setsid();
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(options.output < 0 ? log : options.output, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  ::close_range(3, ~0U, 0);
  if (::getuid() == 0 && who.user != 0) {
    if (::setgroups(0, nullptr) != 0 || ::setgid(who.group) != 0 || ::setuid(who.user) != 0) {
      ::_exit(126);
    }
  }
  sigset_t none;
  sigemptyset(&none);
  ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(signal, SIG_DFL);
  ::execv(words[0], words);
  constexpr std::string_view kSorry = "cannot be started\n";
  (void)!::write(STDERR_FILENO, kSorry.data(), kSorry.size());
  ::_exit(127);
}

}  // namespace

std::optional<ProcessId> FindProcess(pid_t pid) {
  const std::string stat = ReadProc(pid, "stat");
  // The name in parentheses may hold anything.
  const size_t name = stat.rfind(')');
  if (pid <= 0 || name == std::string::npos) return std::nullopt;
  std::istringstream rest(stat.substr(name + 1));
  const std::vector<std::string> fields{std::istream_iterator<std::string>(rest), {}};
  constexpr size_t kState = 0, kBegun = 19;
  if (fields.size() <= kBegun || fields[kState] == "Z" || fields[kState] == "X") {
    return std::nullopt;
  }
  return ProcessId{pid, std::strtoll(fields[kBegun].c_str(), nullptr, 10)};
}

bool IsAlive(const ProcessId& process) {
  const auto found = FindProcess(process.pid);
  return found && found->begun == process.begun;
}

std::vector<std::string> WordsOf(const ProcessId& process) {
  std::istringstream line(ReadProc(process.pid, "cmdline"));
  std::vector<std::string> words;
  for (std::string word; std::getline(line, word, '\0');) words.push_back(word);
  return words;
}

Result<UserId> FindUser(const std::string& user) {
  UserId who{::getuid(), ::getgid()};
  if (who.user != 0 || user.empty()) return who;
  const passwd* found = ::getpwnam(user.c_str());  // NOLINT(concurrency-mt-unsafe): one thread.
  if (found == nullptr) return Fail(Kind::kInvalid, "there is no user '" + user + "'");
  return UserId{found->pw_uid, found->pw_gid};
}

Result<ProcessId> Start(const StartOptions& options) {
  SHEAF_ASSIGN(const UserId who, FindUser(options.user));
  std::vector<char*> words;
  for (const auto& word : options.words) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const int log = ::open(options.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log < 0) return Fail(Kind::kDependency, options.log + ": " + Why(errno));
  const pid_t child = ::fork();
  if (child == 0) Become(options, who, words.data(), log);
  const int failed = errno;
  ::close(log);
  if (child < 0) {
    return Fail(Kind::kDependency, "cannot start " + options.words[0] + ": " + Why(failed));
  }
  const auto found = FindProcess(child);
  return found ? *found : ProcessId{child, 0};  // It ended already; who waits finds out.
}

Result<bool> AwaitEnd(const ProcessId& process, Duration wait,
                      const std::function<Status()>& report) {
  const time::SystemClock clock;
  const auto deadline = Deadline::After(clock, wait);
  if (!IsAlive(process)) return true;
  const int handle = static_cast<int>(::syscall(SYS_pidfd_open, process.pid, 0));
  if (handle < 0 && errno == ESRCH) return true;
  if (handle < 0) return Fail(Kind::kDependency, "cannot wait for a process: " + Why(errno));
  Status told = Done();
  bool ended = false;
  while (told.ok()) {
    constexpr Duration kSlice = std::chrono::milliseconds(100);
    const Duration left = std::min(deadline.Left(clock.Now()), kSlice);
    pollfd watched{handle, POLLIN, 0};
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(std::max(left, Duration(0)));
    ended = ::poll(&watched, 1, static_cast<int>(ms.count())) > 0;
    if (ended || deadline.Passed(clock.Now())) break;
    told = report();
  }
  ::close(handle);
  if (!told.ok()) return std::move(told).error();
  return ended;
}

int ExitCodeOf(const ProcessId& process) {
  int status = 0;
  while (::waitpid(process.pid, &status, 0) < 0) {
    if (errno != EINTR) return 128;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void Tell(const ProcessId& process, int signal) {
  const int handle = static_cast<int>(::syscall(SYS_pidfd_open, process.pid, 0));
  if (handle < 0) return;
  // The handle stands for one process; if that is ours, no later one can be hit.
  if (IsAlive(process)) ::syscall(SYS_pidfd_send_signal, handle, signal, nullptr, 0);
  ::close(handle);
}

std::string TailOf(const std::string& file) {
  constexpr std::streamoff kBytes = 1500;
  std::ifstream in(file, std::ios::binary);
  in.seekg(0, std::ios::end);
  const std::streamoff size = in.tellg();
  if (size <= 0) return "";
  in.seekg(std::max<std::streamoff>(0, size - kBytes));
  std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (size > kBytes) text.erase(0, text.find('\n') + 1);
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

}  // namespace sheaf::app
