#include "sheaf/adapters/persistence/file_persistence.h"

#include <utility>

#include "sheaf/adapters/persistence/core_store.h"
#include "sheaf/adapters/persistence/record.h"
#include "sheaf/drivers/files/journal.h"

namespace sheaf::persistence {
namespace {

// What must live as long as the journal.
struct Directory {
  std::unique_ptr<files::FileSystem> own;  // Null when it is borrowed.
  files::FileSystem* files = nullptr;
  std::unique_ptr<files::DirectoryLock> lock;
};

class JournalRecorder final : public Recorder {
 public:
  JournalRecorder(Directory directory, std::unique_ptr<files::Journal> journal)
      : directory_(std::move(directory)), journal_(std::move(journal)) {}

  uint64_t Append(const Json& record) override { return journal_->Append(EncodeRecord(record)); }
  Status SyncTo(uint64_t number) override { return journal_->SyncTo(number); }
  Result<std::vector<std::string>> SetAside() override {
    if (!journal_->unreadable()) return journal_->set_aside();
    std::string message = "there was a checkpoint, and nothing of it can be read:";
    for (const auto& each : journal_->set_aside()) message += " " + each + ";";
    return Fail(Kind::kCorrupt, message + " start cold to begin without it");
  }

 private:
  const Directory directory_;
  const std::unique_ptr<files::Journal> journal_;
};

Status Visit(std::string_view bytes, const std::function<Status(const Json&)>& take) {
  SHEAF_ASSIGN(const Json json, DecodeRecord(bytes));
  return take(json);
}

}  // namespace

Result<Persistence> OpenFile(FileOptions options) {
  Directory directory;
  if (options.files == nullptr) directory.own = files::OpenLocalFiles();
  directory.files = options.files == nullptr ? directory.own.get() : options.files;
  SHEAF_TRY(directory.files->CreateDirectories(options.directory));
  SHEAF_ASSIGN(directory.lock, directory.files->Lock(options.directory));
  MemoryCore core;
  const files::Journal::Reader reader{
      [&](std::string_view base) {
        return Visit(base, [&](const Json& json) -> Status {
          SHEAF_ASSIGN(core, MemoryCore::FromDump(json));
          return Done();
        });
      },
      [&](std::string_view record) {
        return Visit(record, [&](const Json& json) { return Replay(json, core); });
      }};
  SHEAF_ASSIGN(auto journal,
               files::Journal::Open(*directory.files, options.directory, "persistence", reader));
  const bool large =
      journal->segments() > options.segments_max || journal->bytes_since_base() > options.bytes_max;
  // What is set aside stays for who must look at it: no base is made over it.
  if (large && journal->set_aside().empty()) SHEAF_TRY(journal->Rebase(EncodeRecord(core.Dump())));
  auto recorder = std::make_unique<JournalRecorder>(std::move(directory), std::move(journal));
  return MakeParts(std::make_shared<CoreStore>(std::move(core), std::move(recorder)),
                   OffersSummaries::kNo, OffersResources::kNo);
}

}  // namespace sheaf::persistence
