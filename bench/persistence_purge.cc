// A purge in one connection, as `sheaf db purge` beside a node; jobs are saved in another.
#include <atomic>
#include <chrono>
#include <thread>
#include <utility>

#include "bench/persistence.h"
#include "sheaf/base/async/event.h"

namespace bench {
namespace {

using namespace sheaf::persistence;  // NOLINT(google-build-using-namespace): a program
using sheaf::Fail;
using sheaf::Kind;

size_t Old() { return Sized(5'000, 100'000, 1'000'000); }
size_t Writes() { return Sized(20, 1'000, 5'000); }

void Fill(Open& sheaf) {
  constexpr size_t kBatch = 1'000;
  constexpr size_t kSmall = 200;
  for (size_t at = 0; at < Old(); at += kBatch) {
    std::vector<Work> works;
    for (size_t i = at; i < at + kBatch; ++i) {
      works.push_back(FinishedJob(static_cast<int64_t>(i), kSmall));
    }
    Sure(sheaf.history().Save(sheaf.epoch, works));
  }
}

// A purge that begins with it and is told to end with it.
class Purging final {
 public:
  explicit Purging(Administration& administration) : thread_([this, &administration] {
      const Retention everything{.table = "jobs", .before = int64_t{1'900'000'000'000}};
      const auto purged = administration.Purge(
          std::span(&everything, 1), {}, [this](const Doing& doing) -> sheaf::Status {
            done_ = doing.done;
            if (ending_) return Fail(Kind::kCancelled, "the measurement is over");
            return sheaf::Done();
          });
      over_ = purged.ok();
      // Anything but the word to end is a purge that fails beside a writer.
      if (!over_ && purged.error().kind != Kind::kCancelled) Sure(purged.error());
    }) {
    while (done_ == 0 && !over_) std::this_thread::yield();
  }
  // How much went; it must not have been all.
  int64_t End() {
    const int64_t done = done_;
    ending_ = true;
    thread_.join();
    SHEAF_CHECK(!over_ && done > 0);
    return done;
  }

 private:
  std::atomic<int64_t> done_{0};
  std::atomic<bool> ending_{false}, over_{false};
  std::thread thread_;
};

}  // namespace

void PurgeRow() {
  const testkit::TemporaryDirectory directory;
  const std::string path = directory.path() + "/sheaf.db";
  Open sheaf(path);
  Fill(sheaf);
  const auto beside = Sure(OpenSqlite({.path = path}));
  // After the last that is purged, by id and by time.
  int64_t last = 300'000'000;
  const auto save = [&] {
    std::vector<Work> works;
    for (size_t i = 0; i < Writes(); ++i) works.push_back(FinishedJob(++last));
    return Percentile99(works.size(), [&](size_t i) {
      Sure(sheaf.history().Save(sheaf.epoch, std::span(works).subspan(i, 1)));
    });
  };
  const auto change = [&] {
    std::vector<double> seconds;
    for (size_t i = 0; i < Writes(); ++i) {  // Now and then, so that the purge has its turns.
      (void)sheaf::Event().WaitFor(std::chrono::milliseconds(2));
      const ChangeSet set{{{static_cast<int64_t>(i), std::to_string(++last)}}, {}, {}, {}};
      const double begun = Seconds();
      Sure(sheaf.history().Change(sheaf.epoch, set));
      seconds.push_back(Seconds() - begun);
    }
    return Percentile99(std::move(seconds));
  };
  int64_t purged = 0;
  double took = 0;
  const auto beside_purge = [&](const std::function<double()>& measure) {
    Purging purging(*beside.parts.administration);
    const double begun = Seconds();
    const double value = measure();
    purged += purging.End();
    took += Seconds() - begun;
    return Measured{value, Writes()};
  };
  const std::string of = " p99 beside a purge of " + std::to_string(Old()) + " jobs, to without";
  Compare({"purge/finished jobs," + of, "s", 2, Row::Better::kLower},
          [&] { return Measured{save(), Writes()}; }, [&] { return beside_purge(save); });
  Compare({"purge/checkpoint changes," + of, "s", 2, Row::Better::kLower},
          [&] { return Measured{change(), Writes()}; }, [&] { return beside_purge(change); });
  std::fprintf(stderr, "purge: %lld jobs went, %.0f a second\n", static_cast<long long>(purged),
               static_cast<double>(purged) / took);
}

}  // namespace bench
