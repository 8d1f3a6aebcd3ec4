#include "sheaf/drivers/files/journal.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

#include "sheaf/base/core/check.h"
#include "sheaf/drivers/files/checksum.h"
#include "sheaf/drivers/files/publish.h"

namespace sheaf::files {
namespace {

// A segment: Head, then frames. A frame: Frame, then its bytes. Little-endian, as every machine
// this builds for. docs/formats/journal.md says the same in words.
struct Head {
  char magic[8] = {'S', 'h', 'e', 'a', 'f', 'J', 'r', 'n'};
  uint32_t format = 1;
  uint32_t has_base = 0;  // 1: the first frame is a base.
  uint64_t segment = 0;
  uint64_t first = 0;  // Number of the first record; of what follows the base.
  uint64_t checksum = 0;
};
struct Frame {
  uint64_t size = 0;
  uint64_t checksum = 0;  // Of size, segment, number and bytes: a frame fits one place only.
};
static_assert(sizeof(Head) == 40 && sizeof(Frame) == 16);

uint64_t ChecksumOf(const Head& head) { return Checksum(&head, offsetof(Head, checksum)); }
uint64_t ChecksumOf(uint64_t segment, uint64_t number, std::string_view bytes) {
  const uint64_t place[3] = {bytes.size(), segment, number};
  const Piece pieces[2] = {{place, sizeof(place)}, {bytes.data(), bytes.size()}};
  return Checksum(pieces);
}

void PutFrame(uint64_t segment, uint64_t number, std::string_view bytes, std::string& out) {
  const Frame frame{bytes.size(), ChecksumOf(segment, number, bytes)};
  out.append(reinterpret_cast<const char*>(&frame), sizeof(frame)).append(bytes);
}

// Walks the frames of a mapped segment.
class Frames {
 public:
  explicit Frames(std::string_view bytes) : bytes_(bytes) {}
  // The head, if it is whole.
  bool Take(Head& head) {
    if (bytes_.size() < sizeof(Head)) return false;
    std::memcpy(&head, bytes_.data(), sizeof(Head));
    at_ = sizeof(Head);
    return std::memcmp(head.magic, Head{}.magic, sizeof(head.magic)) == 0 &&
           head.checksum == ChecksumOf(head);
  }
  // The next frame, if it is whole and of this place.
  bool Take(uint64_t segment, uint64_t number, std::string_view& bytes) {
    Frame frame;
    if (bytes_.size() - at_ < sizeof(Frame)) return false;
    std::memcpy(&frame, bytes_.data() + at_, sizeof(Frame));
    if (frame.size > bytes_.size() - at_ - sizeof(Frame)) return false;
    bytes = bytes_.substr(at_ + sizeof(Frame), frame.size);
    if (frame.checksum != ChecksumOf(segment, number, bytes)) return false;
    at_ += sizeof(Frame) + frame.size;
    return true;
  }
  // Whether a whole frame of this number follows the next one, which is not whole itself.
  bool WholeAfterNext(uint64_t segment, uint64_t number) const {
    Frame frame;
    if (bytes_.size() - at_ < sizeof(Frame)) return false;
    std::memcpy(&frame, bytes_.data() + at_, sizeof(Frame));
    if (frame.size > bytes_.size() - at_ - sizeof(Frame)) return false;
    Frames rest(bytes_);
    rest.at_ = at_ + sizeof(Frame) + frame.size;
    std::string_view bytes;
    return rest.Take(segment, number, bytes);
  }
  bool over() const { return at_ == bytes_.size(); }
  size_t at() const { return at_; }

 private:
  std::string_view bytes_;
  size_t at_ = 0;
};

}  // namespace

std::string Journal::PathOf(uint64_t segment) const {
  std::string number = std::to_string(segment);
  number.insert(0, 10 - std::min<size_t>(10, number.size()), '0');
  return directory_ + "/" + name_ + "." + number;
}

Status Journal::FindSegments() {
  SHEAF_ASSIGN(const auto names, files_.List(directory_));
  for (const std::string& name : names) {
    if (!name.starts_with(name_ + ".")) continue;
    const std::string digits = name.substr(name_.size() + 1);
    uint64_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error == std::errc() && end == digits.data() + digits.size()) {
      segments_.push_back({number, false});
    }
  }
  std::sort(segments_.begin(), segments_.end(),
            [](const Segment& a, const Segment& b) { return a.number < b.number; });
  return Done();
}

Result<bool> Journal::ReadSegment(Segment& segment, bool first, const Reader& reader) {
  const std::string path = PathOf(segment.number);
  SHEAF_ASSIGN(auto file, files_.OpenToRead(path));
  SHEAF_ASSIGN(const uint64_t size, file->Size());
  std::shared_ptr<const Mapping> mapping;
  if (size > 0) {
    SHEAF_ASSIGN(mapping, file->Map(size));
  }
  Frames frames(size == 0 ? std::string_view()
                          : std::string_view(reinterpret_cast<const char*>(mapping->data()), size));
  MutexLock lock(mutex_);
  const auto damaged = [&](std::string_view what) {
    set_aside_.push_back(path + " from byte " + std::to_string(frames.at()) + ": " +
                         std::string(what));
    set_aside_files_.insert(path);
    return false;
  };
  Head head;
  if (!frames.Take(head)) {
    // Torn before anything in it counted, or lost: the next segment knows.
    (void)damaged("no head");
    return true;
  }
  if (head.format != Head{}.format) {
    return Fail(Kind::kUnsupported, path + " has format " + std::to_string(head.format) +
                                        ", this program reads " + std::to_string(Head{}.format));
  }
  std::string_view bytes;
  if (first) {
    last_ = head.first - 1;
    base_ = head.first;
    if (head.has_base != 0) {
      if (!frames.Take(segment.number, 0, bytes)) return damaged("its base is damaged");
      if (Status read = reader.base(bytes); !read.ok()) return damaged(read.error().message);
      read_some_ = true;
    }
  } else if (head.has_base != 0) {
    (void)damaged("its base is damaged");
    return true;
  } else if (head.first != last_ + 1) {
    return damaged("records " + std::to_string(last_ + 1) + " to " +
                   std::to_string(head.first - 1) + " before it are missing");
  }
  read_some_ = read_some_ || frames.over();
  while (!frames.over()) {
    if (!frames.Take(segment.number, last_ + 1, bytes)) {
      read_some_ = read_some_ || !frames.WholeAfterNext(segment.number, last_ + 2);
      // A torn end; the next segment knows whether anything that counted was in it.
      (void)damaged("an end that is not whole");
      return true;
    }
    if (Status read = reader.record(bytes); !read.ok()) return damaged(read.error().message);
    ++last_;
    read_some_ = true;
    bytes_ += bytes.size() + sizeof(Frame);
  }
  return true;
}

// Reads the chain that begins with segments_[first].
Status Journal::ReadFrom(size_t first, const Reader& reader) {
  for (size_t i = first; i < segments_.size(); ++i) {
    SHEAF_ASSIGN(const bool whole, ReadSegment(segments_[i], i == first, reader));
    if (whole) continue;
    for (size_t rest = i + 1; rest < segments_.size(); ++rest) {
      set_aside_.push_back(PathOf(segments_[rest].number));
      set_aside_files_.insert(set_aside_.back());
    }
    return Done();
  }
  return Done();
}

Status Journal::Read(const Reader& reader) {
  // Which segments begin with a base that is whole?
  std::vector<size_t> bases;
  for (size_t i = 0; i < segments_.size(); ++i) {
    SHEAF_ASSIGN(auto file, files_.OpenToRead(PathOf(segments_[i].number)));
    SHEAF_ASSIGN(const uint64_t size, file->Size());
    if (size == 0) continue;
    SHEAF_ASSIGN(const auto mapping, file->Map(size));
    Frames frames({reinterpret_cast<const char*>(mapping->data()), size});
    Head head;
    std::string_view base;
    if (!frames.Take(head) || head.has_base == 0) continue;
    segments_[i].has_base = true;
    if (frames.Take(segments_[i].number, 0, base)) bases.push_back(i);
  }
  return ReadFrom(bases.empty() ? 0 : bases.back(), reader);
}

Status Journal::Begin(const std::string* base) {
  const uint64_t number = segments_.empty() ? 1 : segments_.back().number + 1;
  std::string bytes(sizeof(Head), '\0');
  Head head{.has_base = base == nullptr ? 0U : 1U, .segment = number};
  {
    MutexLock lock(mutex_);
    head.first = last_ + 1;
  }
  head.checksum = ChecksumOf(head);
  std::memcpy(bytes.data(), &head, sizeof(Head));
  if (base != nullptr) PutFrame(number, 0, *base, bytes);
  SHEAF_ASSIGN(auto file, files_.Create(PathOf(number)));
  const Piece piece{bytes.data(), bytes.size()};
  SHEAF_TRY(file->Append({&piece, 1}));
  SHEAF_TRY(file->Sync());
  SHEAF_TRY(files_.SyncDirectory(directory_));
  file_ = std::move(file);
  segments_.push_back({number, base != nullptr});
  return Done();
}

Result<std::unique_ptr<Journal>> Journal::Open(FileSystem& files, std::string directory,
                                               std::string name, const Reader& reader) {
  std::unique_ptr<Journal> journal(new Journal(files, std::move(directory), std::move(name)));
  SHEAF_TRY(journal->FindSegments());
  SHEAF_TRY(journal->Read(reader));
  const bool begun = files.Size(journal->MarkPath()).ok();
  journal->unreadable_ = begun && !journal->read_some_;
  if (journal->unreadable_ && journal->set_aside_.empty()) {
    journal->set_aside_.push_back(journal->MarkPath() + ": its segments are gone");
  }
  SHEAF_TRY(journal->Begin(nullptr));
  if (!begun) SHEAF_TRY(Publish(files, journal->MarkPath(), "Sheaf journal\n"));
  MutexLock lock(journal->mutex_);
  journal->synced_ = journal->last_;
  return journal;
}

uint64_t Journal::Append(std::string_view record) {
  MutexLock lock(mutex_);
  PutFrame(segments_.back().number, ++last_, record, pending_);
  bytes_ += record.size() + sizeof(Frame);
  return last_;
}

Status Journal::Flush(std::string bytes) {
  const Piece piece{bytes.data(), bytes.size()};
  SHEAF_TRY(file_->Append({&piece, 1}));
  return file_->Sync();
}

Status Journal::SyncTo(uint64_t number) {
  mutex_.Lock();
  while (synced_ < number && failed_.ok()) {
    if (flushing_) {
      synced_changed_.Wait(mutex_);
      continue;
    }
    // One flushes for all who wait.
    flushing_ = true;
    std::string bytes = std::exchange(pending_, {});
    const uint64_t upto = last_;
    mutex_.Unlock();
    Status flushed = Flush(std::move(bytes));
    mutex_.Lock();
    flushing_ = false;
    if (flushed.ok()) {
      synced_ = upto;
    } else {
      Error error = std::move(flushed).error();
      error.effect = Effect::kUnknown;
      failed_ = std::move(error);
    }
    synced_changed_.NotifyAll();
  }
  Status done = synced_ >= number ? Done() : failed_;
  mutex_.Unlock();
  return done;
}

Status Journal::Rebase(std::string_view base) {
  uint64_t last = 0;
  {
    MutexLock lock(mutex_);
    last = last_;
  }
  SHEAF_TRY(SyncTo(last));
  const std::string whole(base);
  SHEAF_TRY(Begin(&whole));
  {
    MutexLock lock(mutex_);
    base_ = last_ + 1;
    bytes_ = 0;
  }
  // The former base stays with its records; what is before it goes.
  size_t former = segments_.size() - 1;
  while (former > 0 && !segments_[--former].has_base) {
  }
  for (size_t i = 0; i < former; ++i) SHEAF_TRY(files_.Remove(PathOf(segments_[i].number)));
  segments_.erase(segments_.begin(), segments_.begin() + static_cast<ptrdiff_t>(former));
  return Done();
}

uint64_t Journal::records() const {
  MutexLock lock(mutex_);
  return last_ + 1 - std::max<uint64_t>(base_, 1);
}
uint64_t Journal::bytes_since_base() const {
  MutexLock lock(mutex_);
  return bytes_;
}
size_t Journal::segments() const { return segments_.size(); }

}  // namespace sheaf::files
