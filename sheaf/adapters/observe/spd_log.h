// A log that never makes its caller wait for whoever reads it.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "sheaf/adapters/observe/log_line.h"
#include "sheaf/base/observe/log.h"
#include "sheaf/base/time/clock.h"

namespace sheaf::observe {

struct SpdLogOptions {
  LogFormat format = LogFormat::kText;
  Level level = Level::kInfo;  // What is below is dropped at no cost.
  size_t queue_max = 8192;     // Lines; above it the oldest are dropped and counted.
  // Takes whole lines, newlines included; null = standard error. Called on one thread.
  std::function<void(std::string_view)> write;
};

// Owner: main; destroyed last of all, it writes what is queued. Threads: any. Blocking: never:
// lines are queued, one thread writes those of 20 ms together.
class SpdLog final : public Log {
 public:
  SpdLog(Clock& clock, SpdLogOptions options);  // `clock` is borrowed and outlives this.
  ~SpdLog() override;
  SpdLog(const SpdLog&) = delete;
  SpdLog& operator=(const SpdLog&) = delete;

  void Write(Level level, std::string_view event, std::initializer_list<Field> fields) override;
  size_t dropped() const;  // Lines, since the start.

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sheaf::observe
