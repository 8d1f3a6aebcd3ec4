// A coordinator in a process of its own: this executable, started again with other arguments.
//
// It obeys lines on its standard input: at each it begins a term, and writes until it is fenced.
//   began <epoch> <epoch before> <writes it found>
//   wrote <epoch> <count>      acknowledged: the count is in the checkpoint, job epoch * 1e6 +
//   count
//                              in history
//   inside <epoch>             in the middle of a transaction, at each fourth write
//   lost <epoch>               fenced; it waits for the next line
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "sheaf/adapters/persistence/sql_store.h"

namespace sheaf::persistence {

inline constexpr std::string_view kCoordinatorWord = "--coordinator";
inline constexpr int64_t kJobsATerm = 1'000'000;

// "sqlite:<path>" or a PostgreSQL URL.
Result<SqlPersistence> OpenDatabase(const std::string& where);
// The process itself: main's arguments after the word. Returns its exit code.
int RunCoordinator(const std::string& where, const std::string& name);

struct Said {
  std::string word;
  int64_t epoch = 0;
  int64_t one = 0, two = 0;
};

// The same seen from the test. Killed when this or the test dies.
class Coordinator final {
 public:
  Coordinator(const std::string& where, const std::string& name);
  ~Coordinator();
  Coordinator(const Coordinator&) = delete;
  Coordinator& operator=(const Coordinator&) = delete;

  void Go();
  void Stop();      // SIGSTOP; returns when it stands.
  void Continue();  // SIGCONT
  // Its next line; nothing when it says none for so long, or is gone.
  std::optional<Said> Listen(std::chrono::milliseconds wait);

 private:
  pid_t process_ = -1;
  int to_ = -1, from_ = -1;
  std::string heard_;
};

}  // namespace sheaf::persistence
