#include "sheaf/apps/sheaf/configuration.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>

extern "C" char** environ;  // NOLINT(readability-redundant-declaration): POSIX wants it declared.

namespace sheaf::app {
namespace {

constexpr int64_t kTextBytesMax = 16 << 20;

// A limit of the container that this process is in; 0 = none.
int64_t ContainerMemory() {
  for (const char* file :
       {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    int64_t bytes = 0;
    if (std::ifstream(file) >> bytes && bytes > 0 && bytes < INT64_MAX / 4) return bytes;
  }
  return 0;
}

settings::Machine ThisMachine() {
  settings::Machine machine;
  std::array<char, HOST_NAME_MAX + 1> name{};
  if (::gethostname(name.data(), name.size() - 1) == 0) machine.hostname = name.data();
  const int64_t memory = ::sysconf(_SC_PHYS_PAGES) * ::sysconf(_SC_PAGESIZE);
  if (memory > 0) machine.memory = {memory};
  if (const int64_t limit = ContainerMemory(); limit > 0) {
    machine.memory = std::min(machine.memory, Bytes{limit});
  }
  cpu_set_t cores;
  if (::sched_getaffinity(0, sizeof cores, &cores) == 0) machine.cores = CPU_COUNT(&cores);
  return machine;
}

std::map<std::string, std::string> Environment() {
  // What the program itself reads, not the node's settings.
  constexpr std::array<std::string_view, 2> kOwn{"SHEAF_SERVER", "SHEAF_TOKEN"};
  std::map<std::string, std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const size_t sign = text.find('=');
    if (sign == std::string_view::npos) continue;
    const std::string_view name = text.substr(0, sign);
    if (std::find(kOwn.begin(), kOwn.end(), name) != kOwn.end()) continue;
    variables.emplace(name, text.substr(sign + 1));
  }
  return variables;
}

}  // namespace

Result<std::string> ReadText(const std::string& path) {
  std::ifstream file;
  if (path != "-") {
    file.open(path, std::ios::binary);
    if (!file) return Fail(Kind::kInvalid, "cannot read '" + path + "'");
  }
  std::istream& input = path == "-" ? std::cin : file;
  std::string text;
  std::array<char, 65536> block{};
  while (input.read(block.data(), block.size()) || input.gcount() > 0) {
    text.append(block.data(), static_cast<size_t>(input.gcount()));
    if (static_cast<int64_t>(text.size()) > kTextBytesMax) {
      return Fail(Kind::kInvalid, "'" + path + "' is larger than 16 MiB");
    }
  }
  if (input.bad()) return Fail(Kind::kInvalid, "cannot read '" + path + "'");
  return text;
}

Result<settings::Config> ReadConfig(const ConfigFlags& flags) {
  settings::Sources sources;
  sources.machine = ThisMachine();
  sources.environment = Environment();
  if (!flags.file.empty()) {
    SHEAF_ASSIGN(std::string text, ReadText(flags.file));
    sources.file = settings::Sources::File{flags.file, std::move(text)};
  }
  sources.flags = flags.sets;
  if (!flags.state.empty()) sources.flags.push_back("state.dir=" + flags.state);
  return settings::Config::Read(sources);
}

}  // namespace sheaf::app
