#include "sheaf/adapters/observe/spd_log.h"

#include <spdlog/common.h>
#include <spdlog/details/circular_q.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/sink.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <utility>

#include "sheaf/base/async/async.h"
#include "sheaf/base/core/core.h"

namespace sheaf::observe {
namespace {

void WriteToStandardError(std::string_view line) {
  while (!line.empty()) {
    const ssize_t wrote = ::write(STDERR_FILENO, line.data(), line.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return;  // Nobody reads: there is no other place to say so.
    line.remove_prefix(static_cast<size_t>(wrote));
  }
}

// How long lines gather before they are written together. A thread that is woken for every line
// costs a busy server two switches a call.
constexpr Duration kGather = std::chrono::milliseconds(20);

// Lines come whole, nothing is formatted again. Threads: any. Blocking: never; one thread writes.
class GatheringSink final : public spdlog::sinks::sink {
 public:
  GatheringSink(size_t lines_max, std::function<void(std::string_view)> write)
      : write_(std::move(write)), lines_(lines_max) {}
  ~GatheringSink() override { closing_.Set(); }

  void log(const spdlog::details::log_msg& message) override {
    std::string line(message.payload.data(), message.payload.size());
    bool wake = false;
    {
      MutexLock lock(mutex_);
      lines_.push_back(std::move(line));
      wake = !std::exchange(writing_, true);
    }
    if (wake) SHEAF_CHECK(writer_.TryPost([this] { WriteAll(); }));
  }
  void flush() override {}
  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

  size_t dropped() const {
    MutexLock lock(mutex_);
    return lines_.overrun_counter();
  }

 private:
  void WriteAll() {
    while (true) {
      static_cast<void>(closing_.WaitFor(kGather));
      const std::string lines = Take();
      if (lines.empty()) return;
      write_(lines);
    }
  }
  // All that is there; when that is nothing, the next line calls the writer again.
  std::string Take() {
    MutexLock lock(mutex_);
    std::string all;
    for (; !lines_.empty(); lines_.pop_front()) all += lines_.front();
    writing_ = !all.empty();
    return all;
  }

  const std::function<void(std::string_view)> write_;
  Event closing_;
  mutable Mutex mutex_;
  spdlog::details::circular_q<std::string> lines_ SHEAF_GUARDED_BY(mutex_);
  bool writing_ SHEAF_GUARDED_BY(mutex_) = false;
  Executor writer_{{.name = "log", .threads_max = 1, .queue_max = 1}};  // Ends before the rest.
};

}  // namespace

struct SpdLog::Impl {
  Clock& clock;  // Borrowed from main; outlives the log.
  const LogFormat format;
  const Level level;
  std::shared_ptr<GatheringSink> sink;  // Shared with the logger, as spdlog wants.
  spdlog::logger logger;
};

SpdLog::SpdLog(Clock& clock, SpdLogOptions options) {
  if (options.write == nullptr) options.write = WriteToStandardError;
  auto sink = std::make_shared<GatheringSink>(options.queue_max, std::move(options.write));
  impl_.reset(new Impl{clock, options.format, options.level, sink, {"sheaf", sink}});
  impl_->logger.set_level(spdlog::level::trace);
}

SpdLog::~SpdLog() = default;

void SpdLog::Write(Level level, std::string_view event, std::initializer_list<Field> fields) {
  if (level < impl_->level) return;
  std::string line = LogLine(impl_->format, impl_->clock.Wall(), level, event, fields);
  line += '\n';
  impl_->logger.log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

size_t SpdLog::dropped() const { return impl_->sink->dropped(); }

}  // namespace sheaf::observe
