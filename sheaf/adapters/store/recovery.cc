#include "sheaf/adapters/store/recovery.h"

#include <algorithm>
#include <string>
#include <unordered_set>
#include <utility>

namespace sheaf::store {
namespace {

bool HasFiles(Body& body, const std::unordered_set<std::string>& names) {
  for (uint32_t i = 0; i < body.partitions(); ++i) {
    if (!names.contains(FileName{body.generation(), i}.Text())) return false;
  }
  return true;
}

}  // namespace

Result<std::vector<Entry>> Recover(Context& context, DiskIndex& index) {
  SHEAF_ASSIGN(auto listed, context.files.List(context.data_directory));
  const std::unordered_set<std::string> names(listed.begin(), listed.end());
  auto loaded = index.Load();
  if (!loaded.ok()) return std::move(loaded).error().In(context.directory + "/index.sqlite");

  std::vector<Entry> entries;
  std::vector<Edit> lost;
  std::unordered_set<uint64_t> kept;
  for (Entry& entry : *loaded) {
    if (HasFiles(*entry.body, names)) {
      kept.insert(entry.record->generation);
      entries.push_back(std::move(entry));
      continue;
    }
    context.log.Error("flight lost: its file is missing",
                      {{"path", entry.record->path.Text()},
                       {"generation", static_cast<int64_t>(entry.record->generation)}});
    const Path path = entry.record->path;
    lost.push_back({path, std::move(entry), std::nullopt, Former::kForgotten});
  }
  if (!lost.empty()) SHEAF_TRY(index.Write(lost));

  int64_t swept = 0;
  for (const std::string& name : listed) {
    const auto parsed = FileName::Parse(name);
    if (!parsed.has_value()) {
      context.log.Warn("not a flight file, left alone", {{"name", name}});
      continue;
    }
    if (kept.contains(parsed->generation)) continue;
    SHEAF_TRY(context.files.Remove(context.FilePath(*parsed)));
    ++swept;
  }
  if (swept > 0) context.log.Info("uncommitted flight files removed", {{"count", swept}});
  return entries;
}

}  // namespace sheaf::store
