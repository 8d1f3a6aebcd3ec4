// Checkpoints: one change among 100,000 live items, and all of them restored.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "bench/persistence.h"

namespace bench {
namespace {

using namespace sheaf::persistence;  // NOLINT(google-build-using-namespace): a program

constexpr size_t kBlock = 4096;

size_t Items() { return Sized(1'000, 100'000, 100'000); }
size_t Changes() { return Sized(20, 1'000, 1'000); }

std::string ItemText(int64_t id, uint64_t step) {
  return R"({"id":)" + std::to_string(id) + R"(,"state":"Running","step":)" +
         std::to_string(step) + R"(,"about":")" + std::string(100, 'x') + "\"}";
}

LiveWork AllLive() {
  LiveWork live;
  for (size_t i = 0; i < Items(); ++i) {
    const auto id = static_cast<int64_t>(i);
    live.items.emplace(id, ItemText(id, 0));
    live.process_to_job.emplace("process" + std::to_string(i), id);
  }
  return live;
}

// What this process had written, by its calls or by pages, whichever is more.
uint64_t BytesWritten() {
  std::ifstream file("/proc/self/io");
  std::string name;
  uint64_t value = 0, calls = 0, pages = 0;
  while (file >> name >> value) {
    if (name == "wchar:") calls = value;
    if (name == "write_bytes:") pages = value;
  }
  return std::max(calls, pages);
}

// A file to which blocks are added, each made durable.
class Bare final {
 public:
  explicit Bare(const std::string& path) : file_(::open(path.c_str(), O_CREAT | O_WRONLY, 0600)) {
    SHEAF_CHECK(file_ >= 0);
    block_.fill('x');
  }
  ~Bare() { ::close(file_); }
  Bare(const Bare&) = delete;
  Bare& operator=(const Bare&) = delete;
  void Write() {
    SHEAF_CHECK(::write(file_, block_.data(), block_.size()) == static_cast<ssize_t>(kBlock));
    SHEAF_CHECK(::fdatasync(file_) == 0);
  }

 private:
  const int file_;
  std::array<char, kBlock> block_;
};

}  // namespace

void CheckpointRows() {
  const testkit::TemporaryDirectory directory;
  Open sheaf(directory.path() + "/sheaf.db");
  Bare bare(directory.path() + "/bare");
  const LiveWork live = AllLive();
  Sure(sheaf.history().Checkpoint(sheaf.epoch, live));
  uint64_t step = 0;
  const auto change = [&](size_t i) {
    const auto id = static_cast<int64_t>((i * 7919) % Items());
    Sure(sheaf.history().Change(sheaf.epoch, {{{id, ItemText(id, ++step)}}, {}, {}, {}}));
  };
  using Better = Row::Better;
  Compare({"checkpoint/1 change of " + std::to_string(Items()) + ", p99 to a 4 KiB write", "s",
           1.5, Better::kLower},
          [&] {
            return Measured{Percentile99(Changes(), [&](size_t) { bare.Write(); }), Changes()};
          },
          [&] { return Measured{Percentile99(Changes(), change), Changes()}; });
  Against({"checkpoint/written for 1 change", "bytes", 1, Better::kLower}, 65'536, [&] {
    const uint64_t before = BytesWritten();
    for (size_t i = 0; i < Changes(); ++i) change(i);
    const auto written = static_cast<double>(BytesWritten() - before);
    return Measured{written / static_cast<double>(Changes()), Changes()};
  });
  Compare({"checkpoint/1 change to the whole map again", "checkpoints/s", 20},
          [&] {
            const double begun = Seconds();
            Sure(sheaf.history().Checkpoint(sheaf.epoch, live));
            return Measured{1 / (Seconds() - begun), 1};
          },
          [&] {
            const double begun = Seconds();
            for (size_t i = 0; i < 100; ++i) change(i);
            return Measured{100 / (Seconds() - begun), 1};
          });
}

void RestoreRow() {
  const testkit::TemporaryDirectory directory;
  const std::string path = directory.path() + "/sheaf.db";
  LiveWork live = AllLive();
  {
    Open sheaf(path);
    Sure(sheaf.history().Checkpoint(sheaf.epoch, live));
    for (size_t i = 0; i < Changes(); ++i) {
      const auto id = static_cast<int64_t>((i * 7919) % Items());
      const ChangeSet change{{{id, ItemText(id, i + 1)}}, {}, {}, {}};
      ApplyChange(change, live);
      Sure(sheaf.history().Change(sheaf.epoch, change));
    }
  }
  Against({"restore/" + std::to_string(Items()) + " items, opened and read", "s", 1,
           Row::Better::kLower},
          2, [&] {
            const double begun = Seconds();
            const auto opened = Sure(OpenSqlite({.path = path}));
            const Epoch epoch = Sure(opened.parts.fencing->Acquire(NodeScope("bench"), "again"));
            const Restored found = Sure(opened.parts.history->Restore(epoch, RestoreMode::kWarm));
            const double took = Seconds() - begun;
            SHEAF_CHECK(found.live == live && found.set_aside.empty());
            return Measured{took, found.live.items.size()};
          });
}

}  // namespace bench
