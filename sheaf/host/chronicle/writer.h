// Writings of the book, made with a back end's verbs so that each may be cut off and done again.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

#include "sheaf/base/observe/log.h"
#include "sheaf/host/chronicle/book.h"
#include "sheaf/host/chronicle/probe.h"
#include "sheaf/ports/persistence/work_history.h"

namespace sheaf::chronicle {

// One leaving run goes by `Finish`; many are saved in one transaction and then leave the checkpoint
// in another: a start that finds a run in both knows that it was saved.
//
// Owner: the chronicle. Threads: one. Blocking: as the history.
class Writer final {
 public:
  // `changed` hears of every change of the checkpoint after it was made, `left` of every task that
  // history has.
  Writer(persistence::WorkHistory& history, persistence::Epoch epoch, Log& log, Probe& probe,
         std::function<void(const persistence::ChangeSet&)> changed,
         std::function<void(const std::string&)> left)
      : history_(history),
        epoch_(std::move(epoch)),
        log_(log),
        probe_(probe),
        changed_(std::move(changed)),
        left_(std::move(left)) {}

  // Makes it and takes out of it what was made; after an error the rest is still there.
  Status Make(Writing& writing);
  const persistence::Epoch& epoch() const { return epoch_; }

 private:
  Status Change(const persistence::ChangeSet& change);
  Status Leave(std::span<Leaving> some);
  Status LeaveOne(Leaving& one);
  Status Renumber(Leaving& one);

  persistence::WorkHistory& history_;  // Borrowed from main.
  const persistence::Epoch epoch_;
  Log& log_;
  Probe& probe_;
  const std::function<void(const persistence::ChangeSet&)> changed_;
  const std::function<void(const std::string&)> left_;
};

}  // namespace sheaf::chronicle
