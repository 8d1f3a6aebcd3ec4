// Submit and what it decides under the lock: hit, attach, wait for a commit, start.
#include <algorithm>
#include <utility>

#include "sheaf/host/tasks/engine.h"

namespace sheaf::tasks {
namespace {

using command::Reuse;

constexpr int kDecideRoundsMax = 64;

bool MayShare(const Command& command, Reuse reuse) {
  return command.options.share && command.options.retain_s != 0 &&
         !(command.sink.has_value() && reuse == Reuse::kNever);
}

Error WriterConflict(const Path& path, const TaskId& id, std::string_view what) {
  return Fail(Kind::kConflict,
              "'" + path.Text() + "' is being written by " + std::string(what) + " " + id.text +
                  "; wait for it, cancel it, or choose another path",
              Json({{"task", id.text}}).dump());
}

Status GenerationMatches(const Sink& sink, uint64_t current) {
  if (!sink.if_generation.has_value() || *sink.if_generation == current) return Done();
  const std::string is = current == 0 ? "is absent" : "has generation " + std::to_string(current);
  return Fail(Kind::kConflict,
              "'" + sink.path.Text() + "' " + is + ", and if_generation says " +
                  std::to_string(*sink.if_generation) + "; look again and decide anew",
              Json({{"generation", current}}).dump());
}

}  // namespace

// A slot of admission on its way to the run that will own it: it may be granted before that run
// exists, and is given back when none comes of it.
class Engine::Slot {
 public:
  explicit Slot(Engine& engine) : engine_(engine) {}
  ~Slot() {
    if (place_.has_value()) engine_.parts_.admission.Leave(*place_);
  }
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;

  bool held() const { return place_.has_value(); }
  Status Enter(int priority) {
    SHEAF_ASSIGN(place_, engine_.parts_.admission.Enter(priority, [&engine = engine_, g = grant_] {
      RunPtr run;
      {
        MutexLock lock(g->mutex);
        g->granted = true;
        run = g->run;
      }
      if (run != nullptr) engine.Granted(run);
    }));
    return Done();
  }
  // The run owns the place from now on; the caller hands it over under the engine's lock.
  std::optional<uint64_t> Take() { return std::exchange(place_, std::nullopt); }
  // Lets the run go, now or when the slot is granted.
  void Bind(const RunPtr& run) {
    bool granted = false;
    {
      MutexLock lock(grant_->mutex);
      grant_->run = run;
      granted = grant_->granted;
    }
    if (granted) engine_.Granted(run);
  }

 private:
  struct Grant {
    Mutex mutex;
    bool granted SHEAF_GUARDED_BY(mutex) = false;
    RunPtr run SHEAF_GUARDED_BY(mutex);
  };
  Engine& engine_;  // Borrowed: it waits for its runs.
  std::optional<admission::Admission::Place> place_;
  std::shared_ptr<Grant> grant_ = std::make_shared<Grant>();  // Shared with admission's call.
};

std::optional<Submission> Engine::QuickHit(const Command& command, const Identity& identity) {
  auto found = tasks::QuickHit(command, identity, parts_.store);
  if (!found.has_value()) return std::nullopt;
  probe_.hits.Increment();
  return Submission{Outcome::kHit, identity, std::move(found), nullptr, {}};
}

Result<Submission> Engine::Submit(const CommandPtr& command, const flights::Context& context,
                                  Hold hold) {
  Slot slot(*this);
  for (int round = 0; round < kDecideRoundsMax; ++round) {
    SHEAF_ASSIGN(const NodePtr node, PlanTree(command, context.principal, tree_parts(),
                                              module::PlanRequest::For::kRun));
    if (node->hit.has_value()) {
      probe_.hits.Increment();
      return Submission{Outcome::kHit, node->identity, node->hit, nullptr, {}};
    }
    SettleSinks(*node);
    SHEAF_ASSIGN(Decision decision, Decide(node, context, hold, slot));
    switch (decision.what) {
      case Decision::What::kPlanAgain: break;
      case Decision::What::kNeedsSlot: SHEAF_TRY(slot.Enter(command->options.priority)); break;
      case Decision::What::kWait: SHEAF_TRY(WaitForEnd(decision.wait_for, context.cancel)); break;
      case Decision::What::kPlaced:
        if (decision.submission.outcome == Outcome::kRun) {
          slot.Bind(decision.submission.run);
        } else if (decision.raise.has_value()) {
          parts_.admission.Raise(*decision.raise, command->options.priority);
        }
        return std::move(decision.submission);
    }
  }
  return Fail(Kind::kConflict,
              "the paths of this command change faster than it can be planned; try again");
}

// Whoever ran last into the sinks of the tree is written down before it is written to again.
void Engine::SettleSinks(const Node& node) {
  if (node.hit.has_value()) return;
  if (node.command->sink.has_value()) parts_.watcher->Settle(node.command->sink->path);
  for (const auto& [name, input] : node.inputs) {
    if (input.node != nullptr) SettleSinks(*input.node);
  }
}

Result<Engine::Decision> Engine::Decide(const NodePtr& node, const flights::Context& context,
                                        Hold hold, Slot& slot) {
  Decision decision;
  MutexLock lock(mutex_);
  bool starts = true;
  Result<RunPtr> checked = Check(*node, &starts);
  if (!checked.ok()) {
    if (checked.error().kind != Kind::kNotReady) return std::move(checked).error();
    return decision;  // What was planned has moved.
  }
  decision.wait_for = std::move(checked).value();
  if (decision.wait_for != nullptr) {
    // Its commit is under way and can take no more sinks; after it the path answers.
    decision.what = Decision::What::kWait;
    return decision;
  }
  if (starts && draining_) {
    return Fail(Kind::kShuttingDown, "the server is stopping and starts nothing new");
  }
  if (starts && !slot.held()) {
    decision.what = Decision::What::kNeedsSlot;
    return decision;
  }
  if (starts) SHEAF_TRY(parts_.watcher->MayBegin());
  decision.what = Decision::What::kPlaced;
  decision.submission = Place(node, context, hold, *node->command);
  Run& run = *decision.submission.run;
  if (decision.submission.outcome == Outcome::kRun) {
    run.place = slot.Take();
  } else {
    decision.raise = run.place;
  }
  return decision;
}

Status Engine::WaitForEnd(const RunPtr& run, const CancelToken& cancel) {
  auto woken = std::make_shared<Event>();  // Shared with a call that may come late.
  run->ended.Then([woken] { woken->Set(); });
  auto registration = cancel.OnCancel([woken] { woken->Set(); });
  woken->Wait();
  return cancel.Check();
}

// kNotReady: plan again. A run: wait for its end, then plan again. nullptr: go on.
Result<RunPtr> Engine::Check(const Node& node, bool* starts) {
  *starts = false;
  if (node.hit.has_value()) return RunPtr();
  bool attaches = false;
  if (node.command->sink.has_value()) {
    SHEAF_ASSIGN(RunPtr wait_for, CheckSink(node, &attaches));
    if (wait_for != nullptr) return wait_for;
  } else {
    attaches = Attachable(node) != nullptr;
  }
  if (attaches) return RunPtr();
  if (MayShare(*node.command, node.reuse)) {
    // A cancelled run holds the identity's key in the query state until it has ended.
    const auto same = by_identity_.find(node.identity.raw);
    if (same != by_identity_.end() && same->second->cancel.cancelled()) return same->second;
  }
  *starts = true;
  for (const auto& [name, input] : node.inputs) {
    if (input.node == nullptr) {
      if (input.found.has_value()) continue;
      return NoSuchInput(name, input.path);
    }
    if (node.Fuses(input)) continue;
    bool child_starts = false;
    auto child = Check(*input.node, &child_starts);
    if (!child.ok()) {
      Error error = std::move(child).error();
      return error.kind == Kind::kNotReady ? std::move(error)
                                           : std::move(error).In("inputs." + name);
    }
    if (*child != nullptr) return child;
  }
  return RunPtr();
}

Result<RunPtr> Engine::CheckSink(const Node& node, bool* attaches) {
  const Sink& sink = *node.command->sink;
  const auto found = parts_.store.Lookup(sink.path);
  const uint64_t current = found.has_value() ? found->record->generation : 0;
  if (current != node.seen_generation) return Fail(Kind::kNotReady, "the path moved");
  const bool shares = MayShare(*node.command, node.reuse);
  if (const auto writer = writers_.find(sink.path); writer != writers_.end()) {
    const RunPtr& run = writer->second.run;
    if (run == nullptr) return WriterConflict(sink.path, writer->second.id, "upload");
    if (run->committing) return run;  // Its followers may have seen the end: it is as good as over.
    if (!shares || !run->shareable || run->node->identity != node.identity) {
      return WriterConflict(sink.path, run->id, "task");
    }
    if (run->cancel.cancelled()) return run;
    *attaches = true;
    return RunPtr();
  }
  SHEAF_TRY(GenerationMatches(sink, current));
  if (RunPtr run = Attachable(node)) {
    if (run->committing) return run;
    *attaches = true;
  }
  return RunPtr();
}

RunPtr Engine::Attachable(const Node& node) {
  if (!MayShare(*node.command, node.reuse)) return nullptr;
  const auto found = by_identity_.find(node.identity.raw);
  if (found == by_identity_.end() || found->second->cancel.cancelled()) return nullptr;
  return found->second;
}

Submission Engine::Place(const NodePtr& node, const flights::Context& context, Hold hold,
                         const Command& outer) {
  if (node->hit.has_value()) {
    probe_.hits.Increment();
    return {Outcome::kHit, node->identity, node->hit, nullptr, {}};
  }
  RunPtr run;
  if (node->command->sink.has_value()) {
    const auto writer = writers_.find(node->command->sink->path);
    if (writer != writers_.end()) run = writer->second.run;
  }
  if (run == nullptr) run = Attachable(*node);
  Outcome outcome = Outcome::kAttached;
  if (run == nullptr) {
    run = Start(node, context, outer);
    outcome = Outcome::kRun;
    probe_.runs.Increment();
  } else {
    ++run->attached;
    probe_.attached.Increment();
  }
  const InterestId interest = AddInterest(*run, *node, context, hold, outer);
  return {outcome, node->identity, std::nullopt, run, interest};
}

RunPtr Engine::Start(const NodePtr& node, const flights::Context& context, const Command& outer) {
  auto run = std::make_shared<Run>();
  run->id = core::NewId<core::TaskTag>();
  run->node = node;
  run->shareable = MayShare(*node->command, node->reuse);
  run->single_use = outer.options.retain_s == 0;
  run->key = run->shareable ? node->identity.Hex() : run->id.text;
  run->principal = context.principal;
  run->retain = RetainOf(*node->command);
  run->created = Now();
  run->created_wall = parts_.timers.clock().Wall();
  run->priority = outer.options.priority;
  runs_.emplace(run->id, run);
  if (run->shareable) by_identity_[node->identity.raw] = run;
  ++active_;
  probe_.active.Set(static_cast<double>(active_));
  const bool outermost = &outer == node->command.get();
  parts_.watcher->Began({.id = run->id,
                         .command = node->command,
                         .principal = run->principal,
                         .priority = run->priority,
                         .at = run->created_wall,
                         .place = outermost ? RunBegan::Place::kOuter : RunBegan::Place::kInner,
                         .use = run->single_use ? RunBegan::Use::kSingle : RunBegan::Use::kAny});
  for (const auto& [name, input] : node->inputs) {
    Child child{.name = name, .outcome = Outcome::kHit, .node = input.node};
    if (input.node == nullptr) {
      child.flight = input.found->flight;
      child.record = input.found->record;
    } else if (node->Fuses(input)) {
      child.outcome = Outcome::kFused;
      probe_.fused.Increment();
    } else {
      Submission below = Place(input.node, context, Hold::kParent, outer);
      child.outcome = below.outcome;
      if (below.hit.has_value()) {
        child.flight = below.hit->flight;
        child.record = below.hit->record;
      } else {
        child.run = below.run;
        child.interest = below.interest;
        if (below.run->flight == nullptr && !below.run->has_ended()) {
          ++run->waiting_children;
          below.run->parents.push_back(run);
        }
      }
    }
    run->children.push_back(std::move(child));
  }
  return run;
}

Sink Engine::WithDefaults(Sink sink) const {
  if (!sink.tier_given) sink.tier = options_.default_tier;
  return sink;
}

Duration Engine::RetainOf(const Command& command) const {
  return command.options.retain_given ? std::chrono::seconds(command.options.retain_s)
                                      : options_.default_retain;
}

InterestId Engine::AddInterest(Run& run, const Node& node, const flights::Context& context,
                               Hold hold, const Command& outer) {
  Interest interest;
  interest.id = core::NewId<core::InterestTag>();
  interest.principal = context.principal;
  interest.priority = outer.options.priority;
  interest.hold = hold;
  interest.claim_window = options_.claim_window;
  interest.retain = RetainOf(*node.command);
  interest.claim_until = Now() + interest.claim_window;
  if (hold != Hold::kParent && outer.options.deadline_ms.has_value()) {
    interest.deadline = Deadline::At(Now() + std::chrono::milliseconds(*outer.options.deadline_ms));
  }
  if (node.command->sink.has_value()) {
    const std::string& recorded = node.command->recorded;
    interest.keeps = true;
    interest.target = store::CommitTarget{
        WithDefaults(*node.command->sink),
        {.identity = node.identity,
         .command = recorded.empty() ? command::Canonical(node.command->ToJson()) : recorded,
         .principal = context.principal,
         .inputs = node.used,
         .sources = node.tokens}};
    writers_.try_emplace(node.command->sink->path, PathWriter{run.shared_from_this(), run.id});
    parts_.watcher->Wanted({run.id, node.command, context.principal});
  }
  run.priority = std::max(run.priority, interest.priority);
  run.principals.insert(context.principal);
  const InterestId id = interest.id;
  run.interests.emplace(id, std::move(interest));
  return id;
}

void Engine::Granted(const RunPtr& run) {
  Calls calls;
  {
    MutexLock lock(mutex_);
    Admit(run, &calls);
  }
  for (auto& call : calls) call();
}

void Engine::Admit(const RunPtr& run, Calls* calls) {
  if (run->admitted) return;
  run->admitted = true;
  for (const Child& child : run->children) {
    if (child.run != nullptr) Admit(child.run, calls);
  }
  TrySchedule(run, calls);
}

void Engine::TrySchedule(const RunPtr& run, Calls* calls) {
  if (!run->admitted || run->scheduled || run->waiting_children > 0 || run->has_ended()) return;
  run->scheduled = true;
  // All inputs have begun: a run on a thread waits only for runs on threads, so that no number of
  // threads can lock up.
  calls->push_back([this, run] {
    if (executor_.TryPost([this, run] { Execute(run); })) return;
    Finish(run, Fail(Kind::kBackpressure, "too many runs wait for a thread; try again",
                     R"({"after_ms":1000})"));
  });
}

}  // namespace sheaf::tasks
