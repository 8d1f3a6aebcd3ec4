// sheaf db load: upstream's registries, jobs and workloads from a directory into the database.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "sheaf/apps/sheaf/db.h"
#include "sheaf/apps/sheaf/db_commands.h"
#include "sheaf/apps/sheaf/exit.h"
#include "sheaf/apps/sheaf/loading.h"
#include "sheaf/apps/sheaf/private_file.h"
#include "sheaf/apps/sheaf/text.h"

namespace sheaf::app {
namespace {

namespace fs = std::filesystem;

struct Flags {
  DbFlags db;
  std::string directory;
  bool dry_run = false, keep = false, drop_unknown = false, verbose = false;
};

constexpr std::string_view kSuffix = ".loaded";

// What a load came to: its end for people, and whether all of the source is in the database.
struct Ended {
  std::string renamed;  // To what.
  std::string stays;    // Why it has its name still.
  bool whole = false;
};

// One JSON object, written as it grows, or lines for people.
class LoadOutput final {
 public:
  explicit LoadOutput(const Flags& flags) : flags_(flags) {
    if (flags_.db.json) std::fputs("{\"items\":[", stdout);
  }

  void Tell(const LoadedItem& item) {
    if (flags_.db.json) return TellJson(item);
    const bool usual = item.outcome == Outcome::kLoaded || item.outcome == Outcome::kDuplicate;
    if (usual && item.reason.empty() && !flags_.verbose) return;
    const std::string reason = item.reason.empty() ? "" : ": " + Printable(item.reason);
    std::printf("%-9s  %s%s\n", std::string(OutcomeName(item.outcome)).c_str(),
                item.name.c_str(), reason.c_str());
  }

  void End(const LoadCounts& counts, const Ended& end) {
    if (flags_.db.json) return EndJson(counts, end);
    std::printf("%s%s loaded, %s duplicate, %s rejected; %s files ignored\n",
                flags_.dry_run ? "dry run: " : "",
                Grouped(counts[Outcome::kLoaded]).c_str(),
                Grouped(counts[Outcome::kDuplicate]).c_str(),
                Grouped(counts[Outcome::kRejected]).c_str(),
                Grouped(counts[Outcome::kIgnored]).c_str());
    const std::string what = Printable(flags_.directory);
    if (end.renamed.empty()) {
      std::printf("%s stays: %s\n", what.c_str(), Printable(end.stays).c_str());
    } else {
      std::printf("%s is %s now\n", what.c_str(), Printable(end.renamed).c_str());
    }
  }

 private:
  void TellJson(const LoadedItem& item) {
    Json json = {{"name", item.name}, {"outcome", OutcomeName(item.outcome)}};
    if (!item.reason.empty()) json["reason"] = Printable(item.reason);
    if (item.item != nullptr) {
      const auto* work = std::get_if<persistence::Work>(&item.item->what);
      json["kind"] = work == nullptr ? "registration" : persistence::WorkTypeName(work->type);
      json["id"] = work == nullptr ? std::get<persistence::Registration>(item.item->what).id
                                   : work->id;
      json["hash"] = item.item->hash;
    }
    std::printf("%s\n%s", first_ ? "" : ",", json.dump().c_str());
    first_ = false;
  }
  void EndJson(const LoadCounts& counts, const Ended& end) {
    Json json = {{"dry_run", flags_.dry_run}};
    for (const Outcome outcome :
         {Outcome::kLoaded, Outcome::kDuplicate, Outcome::kRejected, Outcome::kIgnored}) {
      json[std::string(OutcomeName(outcome))] = counts[outcome];
    }
    json["renamed"] = end.renamed.empty() ? Json() : Json(Printable(end.renamed));
    if (!end.stays.empty()) json["stays"] = Printable(end.stays);
    std::printf("\n],%s\n", json.dump().substr(1).c_str());
  }

  const Flags& flags_;
  bool first_ = true;
};

struct Walked {
  LoadCounts counts;
  Status done;  // Or why it ended before the end.
};

Walked WalkOnce(DbSession& session, persistence::Administration& administration,
                const Flags& flags, LoadOptions::Mode mode, Loading::Told told) {
  WalkOptions walk;
  walk.unknown = flags.drop_unknown ? UnknownKeys::kDrop : UnknownKeys::kReject;
  Loading loading(administration, session.clock(), session.report(), {.mode = mode},
                  std::move(told));
  Status done = WalkSource(flags.directory, walk, loading);
  if (done.ok()) done = loading.Flush();
  return {loading.counts(), std::move(done)};
}

// Never over what is there already. What went wrong, or nothing.
std::string Rename(const std::string& from, const std::string& to) {
  const int done = ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE);
  if (done == 0) return {};
  if (errno == EEXIST) return to + " is there already";
  return "renaming it to " + to + ": " + std::generic_category().message(errno);
}

// Reads the source once more and asks the database: is there what is here, and nothing else?
Result<std::string> WhyNotWhole(DbSession& session, persistence::Administration& administration,
                                const Flags& flags, const LoadCounts& loaded) {
  const auto [again, done] = WalkOnce(session, administration, flags, LoadOptions::Mode::kAsk,
                                      [](const LoadedItem&) {});
  SHEAF_TRY(done);
  if (again[Outcome::kRejected] != 0 || again.kept() != loaded.kept() ||
      again.hashes != loaded.hashes) {
    return std::string("it changed while it was loaded; load it again");
  }
  if (again[Outcome::kLoaded] == 0) return std::string();
  return std::to_string(again[Outcome::kLoaded]) + " of its items are not in the database";
}

// The database a load goes to may not lose its name to it.
bool HoldsDatabase(const DbSession& session, const std::string& directory) {
  std::error_code unknown;
  const fs::path source = fs::canonical(directory, unknown);
  const auto is_inside = [&](const std::string& path) {
    const fs::path whole = fs::weakly_canonical(path, unknown);
    return std::mismatch(source.begin(), source.end(), whole.begin(), whole.end()).first ==
           source.end();
  };
  if (IsThere(session.state_dir()) && is_inside(session.state_dir())) return true;
  const std::string& backend = session.settings().persistence.backend;
  constexpr std::string_view kSqlite = "sqlite:";
  return backend.starts_with(kSqlite) &&
         is_inside(Placed(session.state_dir(), backend.substr(kSqlite.size())));
}

Result<Ended> EndLoad(DbSession& session, persistence::Administration& administration,
                      const Flags& flags, const LoadCounts& counts) {
  Ended end;
  if (const int64_t rejected = counts[Outcome::kRejected]; rejected != 0) {
    end.stays = std::to_string(rejected) + " of its items were rejected";
    return end;
  }
  if (flags.dry_run) return Ended{.stays = "nothing was changed", .whole = true};
  SHEAF_ASSIGN(end.stays, WhyNotWhole(session, administration, flags, counts));
  end.whole = end.stays.empty();
  if (!end.whole) return end;
  const std::string renamed = flags.directory + std::string(kSuffix);
  if (counts.kept() == 0) {
    end.stays = "nothing in it is of a kind that can be loaded";
  } else if (HoldsDatabase(session, flags.directory)) {
    end.stays = "the database, or the node's state, is in it";
  } else if (flags.keep) {
    end.stays = "asked to keep its name";
  } else if (flags.directory.ends_with(kSuffix)) {
    end.stays = "its name says already that it was loaded";
  } else {
    end.stays = Rename(flags.directory, renamed);
    if (end.stays.empty()) end.renamed = renamed;
  }
  return end;
}

Result<int> Load(DbSession& session, const Flags& flags) {
  SHEAF_ASSIGN(auto* administration, session.administration());
  LoadOutput output(flags);
  const auto mode = flags.dry_run ? LoadOptions::Mode::kAsk : LoadOptions::Mode::kLoad;
  const auto [counts, done] =
      WalkOnce(session, *administration, flags, mode,
               [&output](const LoadedItem& item) { output.Tell(item); });
  Result<Ended> end = done.ok() ? EndLoad(session, *administration, flags, counts)
                                : Result<Ended>(done.error());
  if (!end.ok()) {
    output.End(counts, {.stays = "this was not its end; load it again to go on"});
    return std::move(end).error();
  }
  output.End(counts, *end);
  return end->whole ? int{kExitOk} : int{kExitRejected};
}

// Without a trailing slash, so that it has a name to add to.
std::string Trimmed(std::string directory) {
  while (directory.size() > 1 && directory.ends_with('/')) directory.pop_back();
  return directory;
}

int Run(Flags& flags) {
  flags.directory = Trimmed(std::move(flags.directory));
  std::error_code failed;
  const auto type = fs::symlink_status(flags.directory, failed).type();
  const std::string shown = Printable(flags.directory);
  if (type == fs::file_type::not_found &&
      fs::is_directory(flags.directory + std::string(kSuffix), failed)) {
    LoadOutput(flags).End({}, {.stays = "loaded before, as " + shown + std::string(kSuffix) +
                                        "; there is nothing to do"});
    return kExitOk;
  }
  if (type == fs::file_type::symlink) {
    return ReportUsage(Fail(Kind::kInvalid, shown + " is a symbolic link; name the directory"));
  }
  if (type != fs::file_type::directory) {
    return ReportUsage(Fail(Kind::kInvalid, shown + " is no directory"));
  }
  if (flags.directory == "." || flags.directory == ".." || flags.directory.ends_with("/.") ||
      flags.directory.ends_with("/..")) {
    flags.keep = true;  // It has no name of its own.
  }
  return WithDatabase(flags.db, [&](DbSession& session) { return Load(session, flags); });
}

}  // namespace

void AddDbLoad(Command& db) {
  auto flags = std::make_shared<Flags>();
  auto command = db.Sub("load", "Import registries (*.svc, *.meta), jobs (*.job) and workloads");
  command.Text("directory", flags->directory, "What to load; renamed to DIRECTORY.loaded after it")
      .Required()
      .NotEmpty("a directory")
      .Flag("--dry-run,-n", flags->dry_run, "Say what would become of each item, change nothing")
      .Flag("--keep", flags->keep, "Do not rename the directory")
      .Flag("--drop-unknown", flags->drop_unknown,
            "Load registrations without the properties that have no column")
      .Flag("--verbose,-v", flags->verbose, "A line also for what is loaded or was before");
  AddDbFlags(command, flags->db);
  command.Does([flags] { return Run(*flags); })
      .Examples(
          "  sheaf db load ./ducc-registry --state ./sheaf-state\n"
          "  sheaf db load ./workloads --dry-run --json | jq '.items[] | select(.reason)'\n"
          "Loading again goes on where it ended: what is there already is a duplicate.");
}

}  // namespace sheaf::app
