#include "sheaf/adapters/persistence/coordinator_test.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <iostream>
#include <sstream>

#include "sheaf/adapters/persistence/postgres_test.h"
#include "sheaf/adapters/persistence/sqlite_persistence.h"

namespace sheaf::persistence {
namespace {

// Repeats what failed for the moment; every verb may be.
template <typename Act>
auto Repeated(Act act) -> decltype(act()) {
  const time::SystemClock clock;
  const auto deadline = Deadline::After(clock, std::chrono::minutes(1));
  while (true) {
    auto answer = act();
    if (answer.ok() || IsOwnershipLost(answer.error()) || deadline.Passed(clock.Now())) {
      return answer;
    }
  }
}

// Epoch of the one before and how often it wrote.
Said Found(const LiveWork& live) {
  Said said;
  if (!live.items.contains(1)) return said;
  said.one = std::stoll(live.items.at(1));
  said.two = std::stoll(live.items.at(2));
  return said;
}

// What Finish does, with a pause between its first statement and the others.
Status FinishSlowly(SqlStore& store, const Epoch& epoch, const Work& work,
                    const ChangeSet& change) {
  return store.Write([&](SqlSession& session) -> Status {
    SHEAF_ASSIGN(Row scope, Own(session, epoch, Needs::kRestored));
    std::cout << "inside " << epoch.number << std::endl;
    (void)Event().WaitFor(std::chrono::milliseconds(20));
    SHEAF_TRY(SaveWork(session, work));
    return PutChange(session, scope, change, {});
  });
}

// Until it is fenced; false: something else is wrong.
bool RunTerm(SqlPersistence& opened, const std::string& name) {
  Persistence& parts = opened.parts;
  const auto epoch = Repeated([&] { return parts.fencing->Acquire("node/n", name); });
  if (!epoch.ok()) return false;
  const auto restored =
      Repeated([&] { return parts.history->Restore(*epoch, RestoreMode::kWarm); });
  if (restored.ok()) {
    const Said found = Found(restored->live);
    std::cout << "began " << epoch->number << " " << found.one << " " << found.two << std::endl;
    for (int64_t count = 1; true; ++count) {
      const ChangeSet change{
          {{1, std::to_string(epoch->number)}, {2, std::to_string(count)}}, {}, {}, {}};
      const Work work = MakeJob(static_cast<int64_t>(epoch->number) * kJobsATerm + count);
      const Status saved = Repeated([&]() -> Status {
        if (count % 4 == 0) return FinishSlowly(*opened.store, *epoch, work, change);
        SHEAF_TRY(parts.history->Finish(*epoch, work, change));
        return Done();
      });
      if (!saved.ok()) {
        if (!IsOwnershipLost(saved.error())) std::cerr << saved.error().message << std::endl;
        if (!IsOwnershipLost(saved.error())) return false;
        break;
      }
      std::cout << "wrote " << epoch->number << " " << count << std::endl;
      // As coordinators do: else who waits for SQLite's only lock would hardly ever get it.
      (void)Event().WaitFor(std::chrono::milliseconds(count % 9));
    }
  }
  std::cout << "lost " << epoch->number << std::endl;
  return true;
}

}  // namespace

Result<SqlPersistence> OpenDatabase(const std::string& where) {
  constexpr std::string_view kSqlite = "sqlite:";
  if (where.starts_with(kSqlite)) return OpenSqlite({.path = where.substr(kSqlite.size())});
  // Who stands still in a transaction is not waited for.
  return OpenPostgres({.connect = {.url = where, .idle_timeout = std::chrono::milliseconds(200)}},
                      RealSurroundings());
}

int RunCoordinator(const std::string& where, const std::string& name) {
  auto opened = OpenDatabase(where);
  if (!opened.ok()) {
    std::cerr << opened.error().message << std::endl;
    return 1;
  }
  std::string line;
  while (std::getline(std::cin, line)) {
    if (!RunTerm(*opened, name)) return 1;
  }
  return 0;
}

Coordinator::Coordinator(const std::string& where, const std::string& name) {
  int to[2], from[2];
  SHEAF_CHECK(::pipe2(to, O_CLOEXEC) == 0 && ::pipe2(from, O_CLOEXEC) == 0);
  process_ = ::fork();
  SHEAF_CHECK(process_ >= 0);
  if (process_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(to[0], 0);
    ::dup2(from[1], 1);
    const std::string word(kCoordinatorWord);
    ::execl("/proc/self/exe", "coordinator", word.c_str(), where.c_str(), name.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(to[0]);
  ::close(from[1]);
  to_ = to[1];
  from_ = from[0];
}

Coordinator::~Coordinator() {
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
  ::close(to_);
  ::close(from_);
}

void Coordinator::Go() { SHEAF_CHECK(::write(to_, "\n", 1) == 1); }

void Coordinator::Stop() {
  ::kill(process_, SIGSTOP);
  int status = 0;
  ASSERT_EQ(::waitpid(process_, &status, WUNTRACED), process_);
  ASSERT_TRUE(WIFSTOPPED(status));
}

void Coordinator::Continue() { ::kill(process_, SIGCONT); }

std::optional<Said> Coordinator::Listen(std::chrono::milliseconds wait) {
  const time::SystemClock clock;
  const auto deadline = Deadline::After(clock, wait);
  while (true) {
    if (const size_t end = heard_.find('\n'); end != std::string::npos) {
      std::istringstream line(heard_.substr(0, end));
      heard_.erase(0, end + 1);
      Said said;
      line >> said.word >> said.epoch >> said.one >> said.two;
      return said;
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline.Left(clock.Now()));
    pollfd wanted{from_, POLLIN, 0};
    if (left.count() <= 0 || ::poll(&wanted, 1, static_cast<int>(left.count())) <= 0) return {};
    char bytes[4096];
    const ssize_t got = ::read(from_, bytes, sizeof(bytes));
    if (got <= 0) return {};
    heard_.append(bytes, static_cast<size_t>(got));
  }
}

}  // namespace sheaf::persistence

// This executable is the tests, or a coordinator of theirs.
int main(int count, char** arguments) {
  using sheaf::persistence::kCoordinatorWord;
  if (count == 4 && arguments[1] == kCoordinatorWord) {
    return sheaf::persistence::RunCoordinator(arguments[2], arguments[3]);
  }
  testing::InitGoogleTest(&count, arguments);
  return RUN_ALL_TESTS();
}
