#include "sheaf/adapters/persistence/spool.h"

#include <algorithm>
#include <charconv>

#include "sheaf/adapters/persistence/record.h"
#include "sheaf/base/core/check.h"
#include "sheaf/drivers/files/publish.h"

namespace sheaf::persistence {
namespace {

constexpr std::string_view kName = "spool", kAside = "aside.", kDamaged = "damaged.";
constexpr int64_t kFormat = 1;
constexpr int kUnsafeMax = 16;
constexpr uint64_t kSmall = 64 << 10;  // An empty journal of no more is not begun anew.
constexpr size_t kSegmentsMax = 8;
constexpr uint64_t kKeptBytesMax = uint64_t{4} << 30;

Json ToJson(uint64_t number, const std::string& bytes) {
  return {{"n", number},
          {"record", Json::binary(std::vector<uint8_t>(bytes.begin(), bytes.end()))}};
}

// The cluster's registry alone tells a write made twice from a conflict.
bool OfRegistry(const Epoch& epoch) { return epoch.scope == kClusterScope; }

}  // namespace

// --- reading -------------------------------------------------------------------------------------

Result<Spool::Entry> Spool::EntryOf(const Json& json) {
  if (!json.is_object() || !json.contains("n") || !json["n"].is_number_unsigned() ||
      !json.contains("record") || !json["record"].is_binary()) {
    return Fail(Kind::kCorrupt, "no record of a spool");
  }
  const auto& binary = json["record"].get_binary();
  Entry entry{.number = json["n"].get<uint64_t>(), .bytes = {binary.begin(), binary.end()}};
  SHEAF_ASSIGN(const Json record, DecodeRecord(entry.bytes));
  SHEAF_ASSIGN(entry.epoch, EpochOf(record));
  const auto verb = record.find("verb");
  entry.is_generation = verb != record.end() && *verb == "begin";
  return entry;
}

Status Spool::ReadBase(const Json& base) {
  command::ObjectReader read(base, "base");
  SHEAF_ASSIGN(const int64_t format, read.Integer("format", 0, 1, INT64_MAX));
  if (format != kFormat) {
    return Fail(Kind::kUnsupported, "a spool of format " + std::to_string(format) +
                                        ", this program reads " + std::to_string(kFormat));
  }
  SHEAF_ASSIGN(where_, read.RequiredString("where"));
  SHEAF_ASSIGN(const int64_t next, read.Integer("next", 0, 1, INT64_MAX));
  const Json* waiting = read.Take("waiting");
  if (waiting == nullptr || !waiting->is_array()) return read.Bad("waiting", "an array");
  for (const Json& each : *waiting) {
    SHEAF_ASSIGN(Entry entry, EntryOf(each));
    Push(std::move(entry));
  }
  next_ = static_cast<uint64_t>(next);
  return Done();
}

// {"put": [entries], "gone": [numbers], "front"?: true}: what goes, and what comes behind all
// others or, when it stands for what goes, before them.
Status Spool::ReadRecord(const Json& json) {
  if (!json.is_object()) return Fail(Kind::kCorrupt, "no record of a spool");
  std::vector<Entry> put;
  for (const Json& each : json.value("put", Json::array())) {
    SHEAF_ASSIGN(Entry entry, EntryOf(each));
    put.push_back(std::move(entry));
  }
  std::set<uint64_t> gone;
  for (const Json& each : json.value("gone", Json::array())) {
    if (!each.is_number_unsigned()) return Fail(Kind::kCorrupt, "no number of a record");
    gone.insert(each.get<uint64_t>());
  }
  Drop(gone);
  if (json.contains("front")) std::reverse(put.begin(), put.end());
  for (Entry& entry : put) {
    next_ = std::max(next_, entry.number + 1);
    Push(std::move(entry));
    if (!json.contains("front")) continue;
    waiting_.push_front(std::move(waiting_.back()));
    waiting_.pop_back();
  }
  return Done();
}

Status Spool::Read() {
  MutexLock lock(mutex_);
  const files::Journal::Reader reader{
      [&](std::string_view bytes) SHEAF_REQUIRES(mutex_) -> Status {
        SHEAF_ASSIGN(const Json base, DecodeRecord(bytes));
        return ReadBase(base);
      },
      [&](std::string_view bytes) SHEAF_REQUIRES(mutex_) -> Status {
        SHEAF_ASSIGN(const Json record, DecodeRecord(bytes));
        return ReadRecord(record);
      }};
  SHEAF_ASSIGN(journal_, files::Journal::Open(*files_, options_.directory, std::string(kName),
                                              reader));
  damaged_ = journal_->set_aside();
  if (waiting_.empty() || where_ == options_.where) return Done();
  return Fail(Kind::kConflict, options_.directory + " holds " + std::to_string(waiting_.size()) +
                                   " writes for " + where_ + ", not for " + options_.where +
                                   ": start once with that back end, so that they are made, or " +
                                   "move the directory away to give them up");
}

// Files of earlier processes, and how many records they hold.
Status Spool::FindKept() {
  SHEAF_ASSIGN(const auto names, files_->List(options_.directory));
  MutexLock lock(mutex_);
  for (const std::string& name : names) {
    const bool aside = name.starts_with(kAside);
    if (!aside && !name.starts_with(kDamaged)) continue;
    const std::string path = options_.directory + "/" + name;
    kept_.insert(path);
    if (!aside) continue;
    SHEAF_ASSIGN(const std::string lines, files::ReadWhole(*files_, path, kKeptBytesMax));
    set_aside_ += static_cast<uint64_t>(std::count(lines.begin(), lines.end(), '\n'));
  }
  return Done();
}

// A journal that is begun anew removes its old files; what of them was not read is kept.
Status Spool::KeepDamaged() {
  MutexLock lock(mutex_);
  for (const std::string& path : journal_->set_aside_files()) {
    if (!files_->Size(path).ok()) continue;  // Its loss is the damage.
    const std::string copy =
        options_.directory + "/" + std::string(kDamaged) + path.substr(path.rfind('.') + 1);
    SHEAF_ASSIGN(const std::string bytes, files::ReadWhole(*files_, path, kKeptBytesMax));
    SHEAF_TRY(files::Publish(*files_, copy, bytes));
    kept_.insert(copy);
  }
  return Done();
}

Result<std::unique_ptr<Spool>> Spool::Open(SpoolOptions options) {
  std::unique_ptr<Spool> spool(new Spool(std::move(options)));
  if (spool->options_.files == nullptr) spool->own_files_ = files::OpenLocalFiles();
  spool->files_ =
      spool->options_.files == nullptr ? spool->own_files_.get() : spool->options_.files;
  SHEAF_TRY(spool->files_->CreateDirectories(spool->options_.directory));
  SHEAF_ASSIGN(spool->lock_, spool->files_->Lock(spool->options_.directory));
  SHEAF_TRY(spool->Read());
  SHEAF_TRY(spool->KeepDamaged());
  SHEAF_TRY(spool->FindKept());
  bool anew = false;
  {
    MutexLock lock(spool->mutex_);
    anew = spool->where_ != spool->options_.where || !spool->damaged_.empty() || spool->IsLarge();
    spool->where_ = spool->options_.where;
  }
  if (anew) SHEAF_TRY(spool->Compact(Journal::kSame));
  return spool;
}

Spool::~Spool() {
  MutexLock lock(mutex_);
  if (options_.account != nullptr) options_.account->Release({static_cast<int64_t>(bytes_)});
}

// --- what waits ----------------------------------------------------------------------------------

void Spool::Push(Entry entry) {
  bytes_ += entry.bytes.size();
  if (options_.account != nullptr) {
    options_.account->Charge({static_cast<int64_t>(entry.bytes.size())});
  }
  waiting_.push_back(std::move(entry));
}

void Spool::Drop(const std::set<uint64_t>& numbers) {
  if (numbers.empty()) return;
  uint64_t freed = 0;
  const auto goes = [&](const Entry& entry) {
    if (!numbers.contains(entry.number)) return false;
    freed += entry.bytes.size();
    return true;
  };
  if (numbers.size() == 1 && !waiting_.empty() && goes(waiting_.front())) {
    waiting_.pop_front();  // As mostly.
  } else {
    std::erase_if(waiting_, goes);
  }
  bytes_ -= freed;
  full_ = full_ && bytes_ > options_.bytes_max / 2;
  if (options_.account != nullptr) options_.account->Release({static_cast<int64_t>(freed)});
}

Status Spool::CheckRoom(size_t bytes, Weight weight) {
  const uint64_t most =
      weight == Weight::kCompletion ? options_.bytes_max : options_.bytes_max / 4 * 3;
  if (bytes_ + bytes <= most) return Done();
  full_ = true;
  return Fail(Kind::kBackpressure,
              std::to_string(waiting_.size()) + " writes (" +
                  core::ToText({static_cast<int64_t>(bytes_)}) + ") wait for " + options_.where +
                  ", which is away, and there is no room for more" +
                  (weight == Weight::kCompletion ? "" : " but ends of work") +
                  ": bring it back, or raise persistence.spool_bytes_max (now " +
                  core::ToText({static_cast<int64_t>(options_.bytes_max)}) + ")",
              R"({"after_ms":1000})");
}

Status Spool::Put(const Json& record, Weight weight) {
  Json entry_json = ToJson(0, EncodeRecord(record));
  SHEAF_ASSIGN(Entry entry, EntryOf(entry_json));
  std::shared_ptr<files::Journal> journal;
  uint64_t place = 0;
  {
    MutexLock lock(mutex_);
    while (compacting_) compacted_.Wait(mutex_);
    if (broken_) return Fail(Kind::kDependency, options_.directory + ": its disk has failed");
    std::set<uint64_t> gone;
    for (const Entry& each : waiting_) {
      if (entry.is_generation && each.is_generation && each.epoch == entry.epoch) {
        gone.insert(each.number);
      }
    }
    if (gone.empty()) SHEAF_TRY(CheckRoom(entry.bytes.size(), weight));
    entry.number = next_++;
    entry_json["n"] = entry.number;
    Json json{{"put", Json::array({std::move(entry_json)})}};
    if (!gone.empty()) json["gone"] = gone;
    Drop(gone);
    Push(std::move(entry));
    journal = journal_;
    place = journal->Append(EncodeRecord(json));
  }
  Status safe = journal->SyncTo(place);
  if (safe.ok()) return safe;
  MutexLock lock(mutex_);
  broken_ = true;
  return safe;
}

Result<std::vector<Spool::Front>> Spool::front(size_t most) const {
  std::vector<std::pair<uint64_t, std::string>> entries;
  {
    MutexLock lock(mutex_);
    for (const Entry& entry : waiting_) {
      if (entries.size() == most) break;
      entries.emplace_back(entry.number, entry.bytes);
    }
  }
  std::vector<Front> fronts;
  for (const auto& [number, bytes] : entries) {
    SHEAF_ASSIGN(Json record, DecodeRecord(bytes));
    fronts.push_back({number, std::move(record)});
  }
  return fronts;
}

// What is gone is noted before it counts: once nothing waits, others write past the spool, and a
// record that came back then would undo what they did. While something waits, a crash may forget a
// few removals: those are made again, in order, and change nothing; but no two of the registry.
Status Spool::Gone(const std::set<uint64_t>& numbers, Sync sync) {
  std::shared_ptr<files::Journal> journal;
  uint64_t place = 0;
  bool safe = false, large = false;
  {
    MutexLock lock(mutex_);
    if (broken_) return Fail(Kind::kDependency, options_.directory + ": its disk has failed");
    journal = journal_;
    place = journal->Append(EncodeRecord({{"gone", numbers}}));
    const bool last = waiting_.size() <= numbers.size();
    const bool due = last || OfRegistry(waiting_.front().epoch) || ++unsafe_ >= kUnsafeMax;
    safe = due || sync == Sync::kNow;
  }
  if (safe) {
    Status synced = journal->SyncTo(place);
    MutexLock lock(mutex_);
    broken_ = broken_ || !synced.ok();
    if (!synced.ok()) return synced;
    unsafe_ = 0;
  }
  {
    MutexLock lock(mutex_);
    Drop(numbers);
    large = IsLarge();
  }
  return large ? Compact(Journal::kSame) : Done();
}

Status Spool::Made(const std::set<uint64_t>& numbers) { return Gone(numbers, Sync::kWhenDue); }

Status Spool::Replace(uint64_t number, std::span<const Json> records) {
  std::vector<Json> puts;
  for (const Json& record : records) puts.push_back(ToJson(0, EncodeRecord(record)));
  std::shared_ptr<files::Journal> journal;
  uint64_t place = 0;
  {
    MutexLock lock(mutex_);
    if (broken_) return Fail(Kind::kDependency, options_.directory + ": its disk has failed");
    for (Json& put : puts) put["n"] = next_++;
    const Json json{{"put", puts}, {"gone", {number}}, {"front", true}};
    SHEAF_TRY(ReadRecord(json));
    journal = journal_;
    place = journal->Append(EncodeRecord(json));
  }
  Status synced = journal->SyncTo(place);
  MutexLock lock(mutex_);
  broken_ = broken_ || !synced.ok();
  return synced;
}

Status Spool::WriteAside(const std::string& lines) {
  if (aside_ == nullptr) {
    std::string path;
    SHEAF_ASSIGN(const auto names, files_->List(options_.directory));
    for (uint64_t number = 1; path.empty(); ++number) {
      std::string name = std::to_string(number);
      name.insert(0, 10 - std::min<size_t>(10, name.size()), '0');
      name.insert(0, kAside);
      if (std::find(names.begin(), names.end(), name) == names.end()) {
        path = options_.directory + "/" + name;
      }
    }
    SHEAF_ASSIGN(aside_, files_->Create(path));
    MutexLock lock(mutex_);
    kept_.insert(path);
  }
  const files::Piece piece{lines.data(), lines.size()};
  SHEAF_TRY(aside_->Append({&piece, 1}));
  SHEAF_TRY(aside_->Sync());
  return files_->SyncDirectory(options_.directory);
}

Result<uint64_t> Spool::SetAside(const Which& which, const std::string& why,
                                 const std::string& at) {
  std::set<uint64_t> numbers;
  std::string lines;
  {
    MutexLock lock(mutex_);
    for (const Entry& entry : waiting_) {
      if (!which(entry.number, entry.epoch)) continue;
      SHEAF_ASSIGN(Json record, DecodeRecord(entry.bytes));
      const Json line{{"at", at}, {"why", why}, {"record", std::move(record)}};
      lines += line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
      numbers.insert(entry.number);
    }
  }
  if (numbers.empty()) return uint64_t{0};
  if (Status written = WriteAside(lines); !written.ok()) {
    aside_.reset();  // Its end is not known.
    return std::move(written).error();
  }
  SHEAF_TRY(Gone(numbers, Sync::kNow));
  MutexLock lock(mutex_);
  set_aside_ += numbers.size();
  return uint64_t{numbers.size()};
}

// --- its journal ---------------------------------------------------------------------------------

bool Spool::IsLarge() const {
  const uint64_t most = waiting_.empty() ? kSmall : std::max(kSmall, 2 * options_.bytes_max);
  return journal_->bytes_since_base() > most || journal_->segments() > kSegmentsMax;
}

std::string Spool::Base() const {
  Json waiting = Json::array();
  for (const Entry& entry : waiting_) waiting.push_back(ToJson(entry.number, entry.bytes));
  return EncodeRecord({{"format", kFormat},
                       {"where", where_},
                       {"next", next_},
                       {"waiting", std::move(waiting)}});
}

// From a base that holds what waits. Twice, so that what was before is off the disk.
Status Spool::Compact(Journal which) {
  std::shared_ptr<files::Journal> journal;
  std::string base;
  {
    MutexLock lock(mutex_);
    while (compacting_) compacted_.Wait(mutex_);
    compacting_ = true;
    journal = journal_;
    base = Base();
  }
  const auto rebase = [&]() -> Status {
    if (which == Journal::kNew) {
      const auto skip = [](std::string_view) { return Done(); };
      SHEAF_ASSIGN(journal, files::Journal::Open(*files_, options_.directory, std::string(kName),
                                                 {skip, skip}));
    }
    SHEAF_TRY(journal->Rebase(base));
    return journal->Rebase(base);
  };
  Status done = rebase();
  MutexLock lock(mutex_);
  journal_ = std::move(journal);
  broken_ = !done.ok();
  if (done.ok()) unsafe_ = 0;
  compacting_ = false;
  compacted_.NotifyAll();
  return done;
}

Status Spool::Mend() { return Compact(Journal::kNew); }

// --- questions -----------------------------------------------------------------------------------

Spool::Usage Spool::usage() const {
  MutexLock lock(mutex_);
  return {.records = waiting_.size(),
          .bytes = bytes_,
          .set_aside = set_aside_,
          .full = full_,
          .broken = broken_};
}

bool Spool::empty() const {
  MutexLock lock(mutex_);
  return waiting_.empty();
}

std::vector<std::string> Spool::kept_files() const {
  MutexLock lock(mutex_);
  return {kept_.begin(), kept_.end()};
}

}  // namespace sheaf::persistence
