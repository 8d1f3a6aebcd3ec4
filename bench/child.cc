#include "bench/child.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

namespace bench {
namespace {

std::vector<std::string> Serve(const std::string& state, const std::vector<std::string>& sets) {
  const char* program = std::getenv("SHEAF_BIN");
  if (program == nullptr) {
    std::fprintf(stderr, "SHEAF_BIN must name the program `sheaf`\n");
    std::exit(2);
  }
  std::vector<std::string> words{program, "serve", "--state", state};
  for (const std::string& set : sets) words.push_back("--set=" + set);
  words.insert(words.end(), {"--set=flight.listen=127.0.0.1:0", "--set=http.enabled=false"});
  return words;
}

}  // namespace

Child::Child(const std::vector<std::string>& arguments, const std::string& log) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) std::abort();
  std::vector<char*> words;
  for (const std::string& word : arguments) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const std::string errors = log.empty() ? "/dev/null" : log;
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(ends[1], STDOUT_FILENO);
    const int file = ::open(errors.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (file >= 0) ::dup2(file, STDERR_FILENO);
    ::execv(words[0], words.data());
    ::_exit(127);
  }
  ::close(ends[1]);
  out_ = ends[0];
}

Child::~Child() {
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
  ::close(out_);
}

std::string Child::Line() {
  std::string line;
  char byte = 0;
  while (::read(out_, &byte, 1) == 1 && byte != '\n') line += byte;
  if (byte != '\n') {
    std::fprintf(stderr, "a server ended before it said where it is\n");
    std::exit(1);
  }
  return line;
}

std::string Beside(const std::string& program) {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / program;
}

Node::Node(const std::string& state, const std::vector<std::string>& sets)
    : child_(Serve(state, sets), state + ".log") {
  uri_ = nlohmann::json::parse(child_.Line())["flight"];
}

}  // namespace bench
