#include "sheaf/apps/sheaf/standard_input.h"

#include <arrow/buffer.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace sheaf::app {

StandardInput::StandardInput(const CancelToken& cancel)
    : wake_fd_(::eventfd(0, EFD_CLOEXEC)), cancel_(cancel.OnCancel([this] {
        const uint64_t one = 1;
        SHEAF_CHECK(::write(wake_fd_, &one, sizeof one) == sizeof one);
      })) {
  SHEAF_CHECK(wake_fd_ >= 0);
}

StandardInput::~StandardInput() {
  cancel_.Reset();
  ::close(wake_fd_);
}

// All of `size`, or less at the end.
arrow::Result<int64_t> StandardInput::ReadOn(int64_t size, char* out) {
  int64_t done = 0;
  while (done < size) {
    std::array<pollfd, 2> watched{pollfd{wake_fd_, POLLIN, 0}, pollfd{STDIN_FILENO, POLLIN, 0}};
    if (::poll(watched.data(), watched.size(), -1) < 0) {
      if (errno == EINTR) continue;
      return arrow::Status::IOError(std::generic_category().message(errno));
    }
    if (watched[0].revents != 0) return arrow::Status::Cancelled("interrupted");
    const ssize_t got = ::read(STDIN_FILENO, out + done, static_cast<size_t>(size - done));
    if (got == 0) break;
    if (got > 0) {
      done += got;
    } else if (errno != EINTR && errno != EAGAIN) {
      return arrow::Status::IOError(std::generic_category().message(errno));
    }
  }
  return done;
}

arrow::Result<int64_t> StandardInput::Read(int64_t size, void* out) {
  const int64_t known = std::min(size, static_cast<int64_t>(ahead_.size()));
  std::memcpy(out, ahead_.data(), static_cast<size_t>(known));
  ahead_.erase(0, static_cast<size_t>(known));
  ARROW_ASSIGN_OR_RAISE(const int64_t more, ReadOn(size - known, static_cast<char*>(out) + known));
  read_ += known + more;
  return known + more;
}

arrow::Result<std::shared_ptr<arrow::Buffer>> StandardInput::Read(int64_t size) {
  ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateResizableBuffer(size));
  ARROW_ASSIGN_OR_RAISE(const int64_t got, Read(size, buffer->mutable_data()));
  ARROW_RETURN_NOT_OK(buffer->Resize(got));
  return std::shared_ptr<arrow::Buffer>(std::move(buffer));
}

arrow::Result<std::string_view> StandardInput::Peek(int64_t size) {
  const int64_t wanted = std::min(size, kPeekMax) - static_cast<int64_t>(ahead_.size());
  std::array<char, kPeekMax> more{};
  if (wanted > 0) {
    ARROW_ASSIGN_OR_RAISE(const int64_t got, ReadOn(wanted, more.data()));
    ahead_.append(more.data(), static_cast<size_t>(got));
  }
  return std::string_view(ahead_).substr(0, static_cast<size_t>(size));
}

arrow::Status StandardInput::Close() {
  closed_ = true;
  return arrow::Status::OK();
}

}  // namespace sheaf::app
