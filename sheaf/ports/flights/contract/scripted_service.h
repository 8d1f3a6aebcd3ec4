// A service whose runs do as their spec says: fast, held, failing, passing inputs through.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "sheaf/base/async/async.h"
#include "sheaf/ports/module/service.h"

namespace sheaf::flights::contract {

// Spec: {"rows": 10, "batch_rows": 4, "hold": false, "fail": "", "tag": any}. A producer's rows
// are n = 0, 1, …; with inputs the rows of all inputs, in the order of their names. "hold" waits
// for Release after the first batch, "fail" fails with the text after the last one. "tag" only
// makes commands differ.
//
// Owner: the test. Threads: any.
class ScriptedService final : public module::Service {
 public:
  std::string_view name() const override { return "scripted"; }
  Result<module::Plan> MakePlan(const module::PlanRequest& request) override;
  Status Run(const module::Plan& plan, const std::map<std::string, module::RunInput>& inputs,
             module::ResultWriter& writer, const module::RunContext& context) override;

  // Lets every run that is held, or will be, go on.
  void Release();
  // The token of its only source; empty = none.
  void SetToken(std::string token);

  int runs() const { return runs_; }
  int cancelled() const { return cancelled_; }
  // Waits up to ten seconds.
  bool WaitForRuns(int count) const;
  bool WaitForCancelled(int count) const;

 private:
  Status Hold(const CancelToken& cancel);
  Status Produce(const Json& spec, module::ResultWriter& writer, const module::RunContext& context);
  Status PassThrough(const std::map<std::string, module::RunInput>& inputs,
                     module::ResultWriter& writer, const module::RunContext& context);
  bool WaitUntil(const std::atomic<int>& counter, int count) const;
  void Count(std::atomic<int>& counter);

  mutable Mutex mutex_;
  mutable CondVar changed_;
  bool released_ SHEAF_GUARDED_BY(mutex_) = false;
  std::string token_ SHEAF_GUARDED_BY(mutex_);
  std::atomic<int> runs_{0};
  std::atomic<int> cancelled_{0};
};

// The rows that a producer of `rows` rows gives.
std::shared_ptr<arrow::Schema> ScriptedSchema();
Batch ScriptedRows(int64_t from, int64_t count);

}  // namespace sheaf::flights::contract
