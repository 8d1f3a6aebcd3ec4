#include "sheaf/services/sql/run.h"

#include <arrow/record_batch.h>

#include <filesystem>
#include <system_error>
#include <utility>

namespace sheaf::sql {
namespace {

void RemoveSpill(const std::string& directory) {
  if (directory.empty()) return;
  std::error_code ignored;  // What stays is removed when the server starts again.
  std::filesystem::remove_all(directory, ignored);
}

}  // namespace

void Session::Drive() {
  Status status;
  try {
    status = Pump();
  } catch (const std::exception& thrown) {  // No memory, or an input that throws.
    status = Fail(Kind::kInternal, std::string("a query threw: ") + thrown.what());
  }
  std::unique_ptr<duckdb::Query> query;
  {
    MutexLock lock(mutex_);
    query = std::move(query_);
  }
  query.reset();
  RemoveSpill(limits_.spill_directory);
  MutexLock lock(mutex_);
  status_ = std::move(status);
  ended_ = true;
  changed_.NotifyAll();
}

Status Session::Pump() {
  {
    MutexLock lock(mutex_);
    if (stopped_) return Fail(Kind::kCancelled, "cancelled before it began");
  }
  auto opened =
      duckdb::Query::Open(engine_, spec_.statement, spec_.values, inputs_->Tables(), limits_);
  if (!opened.ok()) return inputs_->Placed(std::move(opened).error());
  duckdb::Query* query = opened->get();  // Only this thread ends it.
  {
    MutexLock lock(mutex_);
    query_ = std::move(opened).value();
    schema_ = query_->schema();
    if (stopped_) query_->Interrupt();
    changed_.NotifyAll();
  }
  for (;;) {
    auto next = query->Next();
    if (!next.ok()) {
      // A reader's own error says more than DuckDB's words about it.
      if (const auto source = query->source_status(); !source.ok()) {
        return columnar::FromArrow(source);
      }
      return inputs_->Placed(std::move(next).error());
    }
    if (*next == nullptr) return Done();
    SHEAF_TRY(Push(std::move(next).value()));
  }
}

Status Session::Push(Batch batch) {
  MutexLock lock(mutex_);
  while (queue_.size() >= kQueueMax && !stopped_) changed_.Wait(mutex_);
  if (stopped_) return Fail(Kind::kCancelled, "cancelled");
  queue_.push_back(std::move(batch));
  changed_.NotifyAll();
  return Done();
}

Session::Taken Session::Take(Duration wait) {
  MutexLock lock(mutex_);
  for (int look = 0; look < 2; ++look) {
    if (schema_ != nullptr) {
      return {.what = Taken::What::kSchema, .schema = std::exchange(schema_, nullptr)};
    }
    if (!queue_.empty()) {
      Batch batch = std::move(queue_.front());
      queue_.pop_front();
      changed_.NotifyAll();
      return {.what = Taken::What::kBatch, .batch = std::move(batch)};
    }
    if (ended_) return {.what = Taken::What::kEnd, .status = status_};
    if (look == 0) changed_.WaitFor(mutex_, wait);
  }
  return {};
}

void Session::Stop() {
  MutexLock lock(mutex_);
  stopped_ = true;
  queue_.clear();
  if (query_ != nullptr) query_->Interrupt();
  changed_.NotifyAll();
}

bool Session::ended() const {
  MutexLock lock(mutex_);
  return ended_;
}

double Session::progress() const {
  MutexLock lock(mutex_);
  return query_ == nullptr ? -1 : query_->progress();
}

Bytes Session::memory_used() const {
  MutexLock lock(mutex_);
  return query_ == nullptr ? Bytes{} : query_->memory_used();
}

namespace {

// Keeps an account at what DuckDB says it holds.
class Held final {
 public:
  explicit Held(std::shared_ptr<Account> account) : account_(std::move(account)) {}
  ~Held() { Set({}); }
  void Set(Bytes now) {
    if (account_ == nullptr) return;
    if (now > held_) account_->Charge(now - held_);
    if (now < held_) account_->Release(held_ - now);
    held_ = now;
  }

 private:
  const std::shared_ptr<Account> account_;  // Shared: as the run's context says.
  Bytes held_{};
};

// True when the session ended within the patience.
bool StopAndWait(Session& session, const RunOptions& options) {
  const time::SystemClock clock;
  const Instant until = clock.Now() + options.patience;
  for (;;) {
    session.Stop();  // Again: DuckDB forgets an interrupt that comes before a query begins.
    const auto taken = session.Take(std::min<Duration>(options.tick / 5, until - clock.Now()));
    if (taken.what == Session::Taken::What::kEnd) return true;
    if (clock.Now() >= until) return false;
  }
}

class Follower final {
 public:
  Follower(Session& session, MemoryWatch& watch, module::ResultWriter& writer,
           const module::RunContext& context, const RunOptions& options)
      : session_(session),
        writer_(writer),
        context_(context),
        options_(options),
        share_(watch, options.limits.memory_max),
        held_(context.account) {}

  // Done at the session's own end; an error with the session perhaps still running.
  Status Follow(RunOutcome& outcome) {
    for (;;) {
      auto taken = session_.Take(options_.tick);
      SHEAF_TRY(context_.cancel.Check());
      switch (taken.what) {
        case Session::Taken::What::kSchema: SHEAF_TRY(writer_.Begin(taken.schema, 1)); break;
        case Session::Taken::What::kBatch: SHEAF_TRY(Write(std::move(taken.batch), outcome)); break;
        case Session::Taken::What::kEnd: return taken.status;
        case Session::Taken::What::kNothingYet: SHEAF_TRY(Look(outcome)); break;
      }
    }
  }

 private:
  Status Write(Batch batch, RunOutcome& outcome) {
    outcome.rows += batch->num_rows();
    if (options_.rows_max > 0 && outcome.rows > options_.rows_max) {
      return Fail(Kind::kExhausted, "the result has more than " +
                                        std::to_string(options_.rows_max) + " rows (sql.rows_max)");
    }
    share_.Wrote(columnar::HeldBytes(*batch));
    return writer_.Write(0, std::move(batch));
  }

  Status Look(RunOutcome& outcome) {
    held_.Set(session_.memory_used());
    if (share_.Outgrown()) {
      outcome.memory_cut = true;
      return Fail(Kind::kExhausted, "the query holds far more memory than its limit of " +
                                        core::ToText(options_.limits.memory_max) +
                                        ": strings made by its expressions, most likely");
    }
    const double progress = session_.progress();
    if (progress > progress_) {
      progress_ = progress;
      context_.progress(progress);
    }
    return Done();
  }

  Session& session_;  // All borrowed for the run.
  module::ResultWriter& writer_;
  const module::RunContext& context_;
  const RunOptions& options_;
  MemoryWatch::Share share_;
  Held held_;
  double progress_ = 0;
};

}  // namespace

RunOutcome Follow(Session& session, GuardedInputs& inputs, MemoryWatch& watch,
                  module::ResultWriter& writer, const module::RunContext& context,
                  const RunOptions& options) {
  RunOutcome outcome;
  {
    const auto stop = context.cancel.OnCancel([&session] { session.Stop(); });
    outcome.status = Follower(session, watch, writer, context, options).Follow(outcome);
  }
  if (!session.ended()) outcome.lingers = !StopAndWait(session, options);
  inputs.Close();
  if (auto reason = context.cancel.Check(); !reason.ok()) outcome.status = std::move(reason);
  return outcome;
}

}  // namespace sheaf::sql
