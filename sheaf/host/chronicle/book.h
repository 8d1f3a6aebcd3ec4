// What is to be written of runs, and when: the pure core. Facts and `now` in, writings out.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sheaf/base/time/time.h"
#include "sheaf/host/chronicle/entry.h"
#include "sheaf/ports/persistence/checkpoint.h"
#include "sheaf/ports/persistence/work.h"

namespace sheaf::chronicle {

inline constexpr Duration kGroup = std::chrono::milliseconds(50);  // Ended runs wait for company.
inline constexpr Duration kYoung = std::chrono::seconds(1);        // Younger runs are not live yet.

// A run on its way from live to history.
struct Leaving {
  persistence::Work work;
  std::optional<int64_t> live;  // Its id in the checkpoint, if it ever came there.
  std::string task;
};

// Done in this order; each part may be done again.
struct Writing {
  persistence::ChangeSet live;  // What becomes live, or has changed.
  std::vector<Leaving> leaving;
  bool empty() const { return live.empty() && leaving.empty(); }
};

// `then` after `writing`, as one; nothing of `writing` leaves.
void Append(Writing& writing, Writing then);

// A run whose result somebody wants kept becomes live at once, any other when it is kYoung old. One
// that ended goes to history: at once when it is live, else within kGroup and in company. One that
// the stop of the server ended stays live when somebody wants its result kept: the next start
// queues it again.
//
// Owner: the chronicle. Threads: one. What it gives out is to be written; it does not ask again.
class Book final {
 public:
  Book(Place place, int64_t next_number) : place_(std::move(place)), next_number_(next_number) {}

  void Began(const tasks::RunBegan& run, Instant now);
  void Wanted(const tasks::RunWanted& wanted);
  void NoLongerWanted(const TaskId& id, const Path& sink);
  void Executing(const TaskId& id, WallTime at);
  void Ended(const tasks::RunEnding& run, Instant now);

  // The run of this id goes on with what `old` began: its number, its time, its place in the
  // checkpoint. True unless the run is one that has ended already.
  enum class Run : uint8_t { kNew, kKnown };  // New: it is yet to be told of.
  bool Adopt(const TaskId& id, Run run, const Entry& old);
  // A finished run that came from elsewhere.
  void Leave(const Entry& entry, const Ending& ending, std::optional<int64_t> live, Instant now);

  enum class All : uint8_t { kNo, kYes };  // Yes: nothing waits for company.
  Writing Take(Instant now, All all = All::kNo);
  // When Take has something, told nothing more; none: never.
  std::optional<Instant> due() const;

  // Numbers from here on are greater.
  void After(int64_t number) { next_number_ = std::max(next_number_, number + 1); }
  int64_t NewNumber() { return next_number_++; }
  // What runs or waits, by task.
  struct Standing {
    Entry entry;
    Instant began{};
    bool live = false;  // In the checkpoint, or on its way there.
  };
  const std::map<TaskId, Standing>& standing() const { return standing_; }
  size_t waiting() const { return leaving_.size(); }

 private:
  void Put(Writing& writing, const TaskId& id);

  const Place place_;
  int64_t next_number_;
  std::map<TaskId, Standing> standing_;
  std::map<TaskId, Entry> adopted_;               // Before they are told of.
  std::deque<std::pair<Instant, TaskId>> young_;  // In the order of their birth.
  std::set<TaskId> put_;                          // To be put at once.
  persistence::ChangeSet more_;                   // Whatever else must be changed.
  std::vector<Leaving> leaving_;
  Instant leaves_at_{};  // All that leave, when it has come.
};

}  // namespace sheaf::chronicle
