#include "sheaf/adapters/observe/spd_log.h"

#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/sink.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

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

// Lines come whole: spdlog queues them, nothing is formatted again. Called on its one thread.
class LineSink final : public spdlog::sinks::sink {
 public:
  explicit LineSink(std::function<void(std::string_view)> write) : write_(std::move(write)) {}
  void log(const spdlog::details::log_msg& message) override {
    write_({message.payload.data(), message.payload.size()});
  }
  void flush() override {}
  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

 private:
  std::function<void(std::string_view)> write_;
};

}  // namespace

struct SpdLog::Impl {
  Clock& clock;  // Borrowed from main; outlives the log.
  const LogFormat format;
  const Level level;
  std::shared_ptr<spdlog::details::thread_pool> pool;  // Shared with the logger, as spdlog wants.
  std::shared_ptr<spdlog::async_logger> logger;        // Before the pool's end: it drains.
};

SpdLog::SpdLog(Clock& clock, SpdLogOptions options) {
  if (options.write == nullptr) options.write = WriteToStandardError;
  auto sink = std::make_shared<LineSink>(std::move(options.write));
  auto pool = std::make_shared<spdlog::details::thread_pool>(options.queue_max, 1);
  auto logger = std::make_shared<spdlog::async_logger>(
      "sheaf", std::move(sink), pool, spdlog::async_overflow_policy::overrun_oldest);
  logger->set_level(spdlog::level::trace);
  impl_.reset(new Impl{clock, options.format, options.level, std::move(pool), std::move(logger)});
}

SpdLog::~SpdLog() = default;

void SpdLog::Write(Level level, std::string_view event, std::initializer_list<Field> fields) {
  if (level < impl_->level) return;
  std::string line = LogLine(impl_->format, impl_->clock.Wall(), level, event, fields);
  line += '\n';
  impl_->logger->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

size_t SpdLog::dropped() const { return impl_->pool->overrun_counter(); }

}  // namespace sheaf::observe
