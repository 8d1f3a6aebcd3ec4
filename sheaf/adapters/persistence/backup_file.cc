#include "sheaf/adapters/persistence/backup_file.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdio>
#include <cstring>
#include <utility>

#include "sheaf/base/core/ids.h"
#include "sheaf/drivers/files/checksum.h"

namespace sheaf::persistence {
namespace {

static_assert(std::endian::native == std::endian::little, "the file is little-endian");

constexpr std::string_view kMagic = "SHEAFBK1";  // The last digit is the format.
constexpr size_t kAlign = 8;

struct FrameHead {
  uint32_t kind = 0;
  uint32_t number = 0;  // From 0.
  uint64_t size = 0;    // Of the payload, without what pads it to a multiple of 8.
  uint64_t checksum = 0;  // XXH3 of kind, number, size and payload.
};
static_assert(sizeof(FrameHead) == 24);

size_t Padding(uint64_t size) { return (kAlign - size % kAlign) % kAlign; }

uint64_t ChecksumOf(const FrameHead& head, std::string_view payload) {
  const std::array<files::Piece, 2> pieces = {
      {{&head, offsetof(FrameHead, checksum)}, {payload.data(), payload.size()}}};
  return files::Checksum(pieces);
}

std::string DraftOf(const std::string& path) {
  uint64_t random = 0;
  core::FillRandom(&random, sizeof random);
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(random));
  return path + ".partial-" + text;
}

// A backup replaces backups and empty files: another file has its name by mistake.
Status MayReplace(files::FileSystem& files, const std::string& path) {
  const auto there = files.Size(path);
  if (!there.ok()) return there.error().kind == Kind::kNotFound ? Done() : there.error();
  if (*there == 0) return Done();
  SHEAF_ASSIGN(const auto file, files.OpenToRead(path));
  SHEAF_ASSIGN(const auto mapping, file->Map(std::min<uint64_t>(*there, kMagic.size())));
  const std::string_view head(reinterpret_cast<const char*>(mapping->data()), mapping->size());
  if (head.starts_with(kMagic.substr(0, kMagic.size() - 1))) return Done();  // Of any format.
  return Fail(Kind::kConflict, path + " is there and is no backup of Sheaf: it is not replaced; " +
                                   "give another name, or remove it first");
}

class Reader {
 public:
  Reader(std::string_view bytes, const std::string& path) : bytes_(bytes), path_(path) {}

  Status CheckMagic() {
    if (bytes_.substr(0, kMagic.size()) == kMagic) {
      place_ = kMagic.size();
      return Done();
    }
    if (bytes_.substr(0, kMagic.size() - 1) == kMagic.substr(0, kMagic.size() - 1) &&
        bytes_.size() > kMagic.size()) {
      return Fail(Kind::kUnsupported, path_ + " is a backup of format '" +
                                          std::string(1, bytes_[kMagic.size() - 1]) +
                                          "', this program reads '1'");
    }
    return Fail(Kind::kCorrupt, path_ + " is no backup of Sheaf");
  }
  bool AtEnd() const { return place_ == bytes_.size(); }
  Error Damaged(std::string_view what) const {
    return Fail(Kind::kCorrupt, path_ + " is damaged at byte " + std::to_string(place_) + ": " +
                                    std::string(what));
  }
  Result<std::pair<Frame, std::string_view>> Next() {
    FrameHead head;
    if (bytes_.size() - place_ < sizeof head) return Damaged("it ends in a frame's head");
    std::memcpy(&head, bytes_.data() + place_, sizeof head);
    const uint64_t left = bytes_.size() - place_ - sizeof head;
    if (head.number != number_ || head.size > left || Padding(head.size) > left - head.size) {
      return Damaged("it ends in a frame, or the frame's head is another");
    }
    const std::string_view payload = bytes_.substr(place_ + sizeof head, head.size);
    const std::string_view padding =
        bytes_.substr(place_ + sizeof head + head.size, Padding(head.size));
    if (ChecksumOf(head, payload) != head.checksum ||
        padding.find_first_not_of('\0') != std::string_view::npos) {
      return Damaged("a frame's checksum is another");
    }
    place_ += sizeof head + head.size + padding.size();
    ++number_;
    return std::pair(static_cast<Frame>(head.kind), payload);
  }

 private:
  const std::string_view bytes_;
  const std::string& path_;
  size_t place_ = 0;
  uint32_t number_ = 0;
};

Status ReadFrames(Reader& reader,
                  const std::function<Status(Frame, std::string_view payload)>& take) {
  for (bool first = true; true; first = false) {
    SHEAF_ASSIGN(const auto frame, reader.Next());
    const Frame kind = frame.first;
    if (first != (kind == Frame::kHead)) return reader.Damaged("a head where none should be");
    if (kind != Frame::kHead && kind != Frame::kPage && kind != Frame::kTail) {
      return reader.Damaged("a frame of an unknown kind");
    }
    if (kind == Frame::kTail && !reader.AtEnd()) return reader.Damaged("bytes behind the end");
    SHEAF_TRY(take(kind, frame.second));
    if (kind == Frame::kTail) return Done();
  }
}

}  // namespace

BackupWriter::BackupWriter(files::FileSystem& files, std::string path)
    : files_(files), path_(std::move(path)), draft_(DraftOf(path_)) {}

BackupWriter::~BackupWriter() {
  if (file_ == nullptr) return;
  file_.reset();
  (void)files_.Remove(draft_);
}

Result<std::unique_ptr<BackupWriter>> BackupWriter::Open(files::FileSystem& files,
                                                         std::string path) {
  SHEAF_TRY(MayReplace(files, path));
  std::unique_ptr<BackupWriter> writer(new BackupWriter(files, std::move(path)));
  SHEAF_ASSIGN(writer->file_, files.Create(writer->draft_));
  SHEAF_TRY(writer->Append(kMagic, {}, {}));
  return writer;
}

Status BackupWriter::Append(std::string_view head, std::string_view payload,
                            std::string_view padding) {
  const std::array<files::Piece, 3> pieces = {{{head.data(), head.size()},
                                               {payload.data(), payload.size()},
                                               {padding.data(), padding.size()}}};
  SHEAF_TRY(file_->Append(pieces));
  file_->StartWriteback();
  bytes_ += static_cast<int64_t>(head.size() + payload.size() + padding.size());
  return Done();
}

Status BackupWriter::Write(Frame kind, std::string_view payload) {
  static constexpr char kZeros[kAlign] = {};
  FrameHead head{static_cast<uint32_t>(kind), frames_++, payload.size(), 0};
  head.checksum = ChecksumOf(head, payload);
  return Append({reinterpret_cast<const char*>(&head), sizeof head}, payload,
                {kZeros, Padding(payload.size())});
}

Status BackupWriter::Finish() {
  SHEAF_TRY(file_->Sync());
  SHEAF_TRY(files_.Rename(draft_, path_));
  file_.reset();
  if (Status synced = files_.SyncDirectory(files::DirectoryOf(path_)); !synced.ok()) {
    Error error = std::move(synced).error();
    error.effect = Effect::kUnknown;
    return error;
  }
  return Done();
}

Status ReadBackup(files::FileSystem& files, const std::string& path,
                  const std::function<Status(Frame, std::string_view payload)>& take) {
  SHEAF_ASSIGN(auto file, files.OpenToRead(path));
  SHEAF_ASSIGN(const uint64_t size, file->Size());
  if (size == 0) return Fail(Kind::kCorrupt, path + " is empty");
  SHEAF_ASSIGN(const auto mapping, file->Map(size));
  Reader reader({reinterpret_cast<const char*>(mapping->data()), size}, path);
  SHEAF_TRY(reader.CheckMagic());
  return ReadFrames(reader, take);
}

}  // namespace sheaf::persistence
