// Standard input as a stream that a cancelled command does not wait for.
#pragma once

#include <arrow/io/interfaces.h>
#include <arrow/result.h>

#include <memory>
#include <string>
#include <string_view>

#include "sheaf/base/async/async.h"

namespace sheaf::app {

// Reads descriptor 0 itself: nothing else may read standard input beside it.
//
// Owner: the readers of Arrow, whose threads call it one at a time. Blocking: Read and Peek wait
// for what was asked for, the end, or `cancel`. Errors: Cancelled, IOError.
class StandardInput final : public arrow::io::InputStream {
 public:
  explicit StandardInput(const CancelToken& cancel);
  ~StandardInput() override;

  arrow::Result<int64_t> Read(int64_t size, void* out) override;
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t size) override;
  // At most kPeekMax bytes; they are read again by the next Read.
  arrow::Result<std::string_view> Peek(int64_t size) override;
  arrow::Result<int64_t> Tell() const override { return read_; }
  arrow::Status Close() override;
  bool closed() const override { return closed_; }

 private:
  static constexpr int64_t kPeekMax = 16;
  arrow::Result<int64_t> ReadOn(int64_t size, char* out);

  std::string ahead_;  // Peeked at, not read.
  int64_t read_ = 0;
  bool closed_ = false;
  const int wake_fd_;
  CancelRegistration cancel_;  // Ends before the descriptor closes.
};

}  // namespace sheaf::app
