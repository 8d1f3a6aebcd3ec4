#include "sheaf/apps/sheaf/running.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <utility>

#include "sheaf/apps/sheaf/private_file.h"
#include "sheaf/apps/sheaf/state_directory.h"

namespace sheaf::app {
namespace {

constexpr Duration kStartMax = std::chrono::minutes(2);
constexpr Duration kMargin = std::chrono::seconds(10);

std::string RunDir(const std::string& state_dir) { return state_dir + "/run"; }
std::string NodeFile(const std::string& state_dir) { return RunDir(state_dir) + "/node.json"; }

Result<std::string> ThisProgram() {
  std::array<char, PATH_MAX> path{};
  const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size());
  if (size <= 0) return Fail(Kind::kDependency, "cannot find this program's own file");
  return std::string(path.data(), static_cast<size_t>(size));
}

struct Pipe {
  int read = -1, write = -1;
  ~Pipe() {
    if (read >= 0) ::close(read);
    if (write >= 0) ::close(write);
  }
};

// The first line of the pipe; empty when its writer is gone before there is one.
Result<std::string> FirstLine(int pipe, const std::function<Status()>& report) {
  const time::SystemClock clock;
  const auto deadline = Deadline::After(clock, kStartMax);
  std::string line;
  while (!deadline.Passed(clock.Now())) {
    pollfd watched{pipe, POLLIN, 0};
    const int ready = ::poll(&watched, 1, 100);
    if (ready <= 0) {
      SHEAF_TRY(report());
      continue;
    }
    std::array<char, 1024> block{};
    const ssize_t got = ::read(pipe, block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return std::string();
    line.append(block.data(), static_cast<size_t>(got));
    if (line.find('\n') != std::string::npos) return line;
  }
  return Fail(Kind::kDeadline, "the node is not ready after two minutes");
}

}  // namespace

Result<std::unique_ptr<files::DirectoryLock>> LockRun(const std::string& state_dir) {
  const auto files = files::OpenLocalFiles();
  SHEAF_TRY(MakePrivate(*files, state_dir));
  SHEAF_TRY(MakePrivate(*files, RunDir(state_dir)));
  return files->Lock(RunDir(state_dir));
}

std::string LogOfNode(const std::string& state_dir) { return state_dir + "/node.log"; }

std::optional<RunningNode> FindNode(const std::string& state_dir) {
  const auto text = ReadPrivate(NodeFile(state_dir), "file");
  if (!text.ok()) return std::nullopt;
  const Json json = Json::parse(*text, nullptr, false);
  if (!json.is_object() || !json.contains("ready")) return std::nullopt;
  RunningNode node{{json.value("pid", -1), json.value("begun", int64_t{0})},
                   json["ready"],
                   std::chrono::seconds(json.value("drain_s", int64_t{0}))};
  if (!IsAlive(node.process)) return std::nullopt;
  return node;
}

Result<RunningNode> StartServing(const std::string& state_dir,
                                 const std::vector<std::string>& flags, std::chrono::seconds drain,
                                 const persistence::Report& report) {
  SHEAF_ASSIGN(const std::string program, ThisProgram());
  StartOptions options{.words = {program, "serve", "--state", state_dir},
                       .log = LogOfNode(state_dir),
                       .output = -1,
                       .user = {}};
  options.words.insert(options.words.end(), flags.begin(), flags.end());
  Pipe pipe;
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return Fail(Kind::kDependency, "no pipe to the node");
  pipe.read = ends[0];
  pipe.write = ends[1];
  options.output = pipe.write;
  SHEAF_ASSIGN(const ProcessId process, Start(options));
  ::close(std::exchange(pipe.write, -1));
  auto line = FirstLine(pipe.read, [&] {
    return report({"waiting until the node is ready", 0, 0});
  });
  if (!line.ok()) {
    Tell(process, SIGTERM);
    Tell(process, SIGTERM);  // The second one does not wait.
    return std::move(line).error();
  }
  RunningNode node{process, Json::parse(*line, nullptr, false), drain};
  if (!node.ready.is_object() || !node.ready.value("ready", false)) {
    return Fail(Kind::kFailed, "the node ended before it was ready, exit code " +
                                   std::to_string(ExitCodeOf(process)) + "; the end of " +
                                   options.log + ":\n" + TailOf(options.log));
  }
  const Json kept{{"pid", process.pid},
                  {"begun", process.begun},
                  {"drain_s", drain.count()},
                  {"ready", node.ready}};
  SHEAF_TRY(WritePrivate(NodeFile(state_dir), kept.dump() + "\n"));
  return node;
}

Status StopServing(const RunningNode& node, const std::string& state_dir,
                   const persistence::Report& report) {
  const auto told = [&] { return report({"waiting until the node has stopped", 0, 0}); };
  Tell(node.process, SIGTERM);
  SHEAF_ASSIGN(bool ended, AwaitEnd(node.process, node.drain + kMargin, told));
  if (!ended) {
    Tell(node.process, SIGTERM);  // What is not durable is given up.
    SHEAF_ASSIGN(ended, AwaitEnd(node.process, kMargin, told));
  }
  if (!ended) {
    return Fail(Kind::kDeadline, "the node, process " + std::to_string(node.process.pid) +
                                     ", does not end; see " + LogOfNode(state_dir));
  }
  ::unlink(NodeFile(state_dir).c_str());
  return Done();
}

}  // namespace sheaf::app
