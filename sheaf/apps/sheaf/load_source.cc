#include "sheaf/apps/sheaf/load_source.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

#include "sheaf/apps/sheaf/source_file.h"
#include "sheaf/apps/sheaf/text.h"

namespace sheaf::app {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kWorkloadName = "ducc_workload.tsv";

class Walk final {
 public:
  Walk(fs::path root, const WalkOptions& options, LoadListener& listener)
      : root_(std::move(root)), options_(options), listener_(listener) {}

  // `below`: the path of the directory below the root.
  Status Enter(const fs::path& below, int depth) {
    std::error_code failed;
    std::vector<fs::directory_entry> entries;
    for (fs::directory_iterator at(root_ / below, failed), end; !failed && at != end;
         at.increment(failed)) {
      entries.push_back(*at);
    }
    if (failed) return Refuse(below, failed.message(), depth);
    std::sort(entries.begin(), entries.end());
    std::set<fs::path> names;
    for (const auto& entry : entries) names.insert(entry.path().filename());
    for (const auto& entry : entries) {
      const fs::path name = below / entry.path().filename();
      std::error_code unknown;
      const auto type = entry.symlink_status(unknown).type();
      if (type == fs::file_type::symlink) {
        SHEAF_TRY(listener_.Ignored(Shown(name), "a symbolic link is not followed"));
      } else if (type == fs::file_type::directory) {
        SHEAF_TRY(depth < options_.depth_max
                      ? Enter(name, depth + 1)
                      : listener_.Rejected(Shown(name), "more than " +
                                                            std::to_string(options_.depth_max) +
                                                            " directories deep"));
      } else if (type == fs::file_type::regular) {
        SHEAF_TRY(TakeFile(name, names));
      } else {
        SHEAF_TRY(listener_.Ignored(Shown(name), "no plain file"));
      }
    }
    return Done();
  }

 private:
  static std::string Shown(const fs::path& name) { return Printable(name.string()); }

  Status Refuse(const fs::path& below, const std::string& why, int depth) {
    if (depth > 0) return listener_.Rejected(Shown(below), why);
    return Fail(Kind::kForbidden, Shown(root_) + ": " + why);
  }

  Status TakeFile(const fs::path& name, const std::set<fs::path>& beside) {
    const fs::path extension = name.extension();
    const auto other = [&](const char* half) {
      fs::path path = name;
      return path.replace_extension(half);
    };
    if (extension == ".svc" || extension == ".meta") {
      const fs::path half = other(extension == ".svc" ? ".meta" : ".svc");
      if (!beside.contains(half.filename())) {
        return listener_.Rejected(Shown(name), "its other half, " +
                                                   Shown(half.filename()) + ", is missing");
      }
      return extension == ".svc" ? TakeService(name, half) : Done();
    }
    if (extension == ".job") return TakeJob(name);
    if (extension == ".tsv") return TakeTable(name);
    return listener_.Ignored(Shown(name), "no file of a kind that can be loaded");
  }

  Result<SourceFile> Open(const fs::path& name) {
    return SourceFile::Open((root_ / name).string(), options_.read);
  }
  Result<std::string> Whole(const fs::path& name) {
    SHEAF_ASSIGN(SourceFile file, Open(name));
    SHEAF_ASSIGN(std::string text, file.Rest(options_.text_bytes_max));
    SHEAF_TRY(file.CheckUnchanged());
    return text;
  }

  // What an item became, told; `name` says already in which file it is.
  Status Tell(const std::string& name, const std::string& file, Result<LoadItem> item,
              size_t bytes) {
    if (item.ok()) return listener_.Found(*std::move(item), bytes);
    std::string reason = item.error().message;
    if (reason.starts_with(file + ": ")) reason.erase(0, file.size() + 2);
    return listener_.Rejected(name, reason);
  }

  Status TakeService(const fs::path& name, const fs::path& half) {
    const auto submitted = Whole(name);
    if (!submitted.ok()) return listener_.Rejected(Shown(name), submitted.error().message);
    const auto state = Whole(half);
    if (!state.ok()) return listener_.Rejected(Shown(half), state.error().message);
    return Tell(Shown(name), Shown(name),
                RegistrationOf({Shown(name), *submitted}, {Shown(half), *state}, options_.unknown),
                submitted->size() + state->size());
  }

  Status TakeJob(const fs::path& name) {
    const auto text = Whole(name);
    if (!text.ok()) return listener_.Rejected(Shown(name), text.error().message);
    return Tell(Shown(name), Shown(name), JobOf({Shown(name), *text}), text->size());
  }

  Status TakeTable(const fs::path& name) {
    auto file = Open(name);
    if (!file.ok()) return listener_.Rejected(Shown(name), file.error().message);
    const auto head = file->Next(options_.text_bytes_max);
    if (!head.ok()) return listener_.Rejected(Shown(name), head.error().message);
    if (head->text != kWorkloadHeader) {
      if (name.filename() != kWorkloadName) {
        return listener_.Ignored(Shown(name), "its first line is not that of a workload table");
      }
      return listener_.Rejected(Shown(name), "line 1: not the columns of a workload table");
    }
    while (true) {
      const auto line = file->Next(options_.text_bytes_max);
      if (!line.ok()) return listener_.Rejected(Shown(name), line.error().message);
      if (line->number == 0) break;
      const std::string place = Shown(name) + ":" + std::to_string(line->number);
      if (line->too_long) {
        SHEAF_TRY(listener_.Rejected(
            place, "more than " + std::to_string(options_.text_bytes_max) + " bytes"));
      } else if (!line->text.empty()) {
        SHEAF_TRY(Tell(place, Shown(name), JobOfLine(Shown(name), line->number, line->text),
                       line->text.size()));
      }
    }
    const Status unchanged = file->CheckUnchanged();
    return unchanged.ok() ? Done() : listener_.Rejected(Shown(name), unchanged.error().message);
  }

  const fs::path root_;
  const WalkOptions& options_;
  LoadListener& listener_;  // Borrowed from the caller.
};

}  // namespace

Status WalkSource(const std::string& directory, const WalkOptions& options,
                  LoadListener& listener) {
  return Walk(directory, options, listener).Enter({}, 0);
}

}  // namespace sheaf::app
