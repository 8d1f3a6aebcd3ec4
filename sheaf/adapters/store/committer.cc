#include "sheaf/adapters/store/committer.h"

#include <algorithm>
#include <utility>

#include "sheaf/adapters/store/disk_index.h"

namespace sheaf::store {
namespace {

bool IsDurable(const std::optional<Entry>& entry) {
  return entry.has_value() && entry->record->durable;
}

// Is this the first row of the index that names the edit's data?
bool NamesNewFiles(const Edit& edit) {
  return IsDurable(edit.now) && edit.now->body->standing().index_rows.load() == 0;
}

}  // namespace

std::optional<Entry> Draft::Find(const Path& path) const {
  const auto found = last_.find(path);
  return found == last_.end() ? catalog_.Find(path) : edits_[found->second].now;
}

void Draft::Put(const Path& path, Entry entry) {
  Add({path, Find(path), std::move(entry), Former::kKeptForTickets});
}

void Draft::Remove(const Path& path, Former former) {
  if (auto before = Find(path); before.has_value()) {
    Add({path, std::move(before), std::nullopt, former});
  }
}

void Draft::Add(Edit edit) {
  last_[edit.path] = edits_.size();
  edits_.push_back(std::move(edit));
}

void Draft::BackTo(size_t mark) {
  edits_.resize(mark);
  last_.clear();
  for (size_t i = 0; i < edits_.size(); ++i) last_[edits_[i].path] = i;
}

Status Committer::Run(std::function<Status(Draft&)> decide, std::function<void()> committed) {
  Job job;
  job.decide = std::move(decide);
  job.committed = std::move(committed);
  Wait(job);
  return std::move(job.result);
}

Status Committer::Exclusively(std::function<Status()> work) {
  Job job;
  job.alone = std::move(work);
  Wait(job);
  return std::move(job.result);
}

void Committer::Listen(std::function<void(const Change&)> listener) {
  (void)Exclusively([&] {
    listener_ = std::move(listener);
    for (const Change& change : catalog_.Everything()) listener_(change);
    return Done();
  });
}

void Committer::Wait(Job& job) {
  std::vector<Job*> group;
  {
    MutexLock lock(mutex_);
    queue_.push_back(&job);
    while (led_ && !job.done) wake_.Wait(mutex_);
    if (job.done) return;
    led_ = true;
    group.swap(queue_);
  }
  // Those that ask to be alone divide the others into groups.
  std::vector<Job*> together;
  for (Job* each : group) {
    if (each->alone == nullptr) {
      together.push_back(each);
      continue;
    }
    RunGroup(std::exchange(together, {}));
    each->result = each->alone();
  }
  RunGroup(together);
  MutexLock lock(mutex_);
  for (Job* each : group) each->done = true;
  led_ = false;
  wake_.NotifyAll();
}

void Committer::RunGroup(const std::vector<Job*>& group) {
  if (group.empty()) return;
  Draft draft(catalog_);
  for (Job* job : group) {
    const size_t mark = draft.Mark();
    job->result = job->decide(draft);
    if (!job->result.ok()) draft.BackTo(mark);
  }
  const Status written = Write(draft.edits());
  if (!written.ok()) {
    for (Job* job : group) {
      if (!job->result.ok()) continue;
      if (group.size() == 1) job->result = written.error();
      if (group.size() > 1) RunGroup({job});  // One disk's trouble is not everybody's.
    }
    return;
  }
  for (Job* job : group) {
    if (job->result.ok() && job->committed != nullptr) job->committed();
  }
  for (const Change& change : catalog_.Apply(draft.edits())) {
    if (listener_ != nullptr) listener_(change);
  }
  context_.probe.flights.Set(static_cast<double>(catalog_.size()));
}

Status Committer::Write(const std::vector<Edit>& edits) {
  const bool touches_disk = std::any_of(edits.begin(), edits.end(), [](const Edit& edit) {
    return IsDurable(edit.before) || IsDurable(edit.now);
  });
  if (!touches_disk) return Done();
  SHEAF_CHECK(index_ != nullptr);
  if (std::any_of(edits.begin(), edits.end(), NamesNewFiles)) {
    SHEAF_TRY(context_.files.SyncDirectory(context_.data_directory));
  }
  context_.probe.transactions.Increment();
  return index_->Write(edits);
}

}  // namespace sheaf::store
