// Commands by their bytes: a repeated command is neither parsed nor hashed again.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "sheaf/base/async/mutex.h"
#include "sheaf/wire/command/command.h"

namespace sheaf::endpoint {

// What the bytes of a command always mean. The identity is kept only when no path is read, for
// then it depends on nothing else.
struct Remembered {
  std::shared_ptr<const Command> command;
  std::optional<Identity> identity;
};

// A bounded map that forgets the least recently used. Threads: any. Blocking: never.
class Memo final {
 public:
  static constexpr size_t kBytesMax = 16'384;  // Longer commands are not remembered.
  explicit Memo(size_t entries_max) : entries_max_(entries_max) {}

  std::optional<Remembered> Find(std::string_view bytes);
  void Keep(std::string_view bytes, Remembered remembered);
  size_t size() const;

 private:
  struct Entry {
    std::string bytes;
    Remembered remembered;
  };
  const size_t entries_max_;
  mutable Mutex mutex_;
  std::list<Entry> entries_ SHEAF_GUARDED_BY(mutex_);  // Most recent first.
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_bytes_
      SHEAF_GUARDED_BY(mutex_);
};

}  // namespace sheaf::endpoint
